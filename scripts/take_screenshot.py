#!/usr/bin/env python3
# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Take pictures of the live page while it shows the scene of two talkers: `make screenshot`."""

import argparse
import base64
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
import io
import os
from pathlib import Path
import shutil
import socket
import sys
from typing import Any

from PIL import Image
from playwright.sync_api import Page, ViewportSize, sync_playwright

from doa_ros.cli.node_process import NodeProcess

_DESK, _PHONE = ViewportSize(width=1320, height=1110), ViewportSize(width=390, height=844)
# So much of the scene is to be seen [ms], and two talkers who speak.
_HISTORY = 28_000
_TWO_TALKERS = "() => document.querySelectorAll('[data-talker]:not(.predicted)').length === 2"
_PATIENCE = 60_000
# Of the moving picture: its length and the least time between two frames [s], its width [pixels],
# and what it shows of the page, from the top to the end of this.
_LENGTH, _PAUSE, _WIDTH, _LAST = 15.0, 0.1, 880, '#directions'


def main() -> int:
    """Run the scene, open the page and write the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        'pictures', type=Path, nargs='+', help='what to write: PNG, or GIF, which moves'
    )
    parser.add_argument('--light', action='store_true', help='with the light theme')
    parser.add_argument('--phone', action='store_true', help='as a phone shows it')
    arguments = parser.parse_args()
    viewport = _PHONE if arguments.phone else _DESK
    with _page_of_a_run(viewport, 'light' if arguments.light else 'dark') as page:
        # The moving one first: talkers have small numbers then.
        for path in sorted(arguments.pictures, key=lambda path: path.suffix != '.gif'):
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.suffix == '.gif':
                _write_moving(page, path)
            else:
                page.wait_for_timeout(_HISTORY)
                page.wait_for_function(_TWO_TALKERS, timeout=_PATIENCE, polling=50)
                picture = Image.open(io.BytesIO(page.screenshot()))
                picture.convert('RGB').save(path, optimize=True)
            load = os.getloadavg()[0]
            print(f'{path}: {path.stat().st_size / 1e6:.2f} MB; the load was {load:.1f}')
    return 0


@contextmanager
def _page_of_a_run(viewport: ViewportSize, theme: Any) -> Iterator[Page]:
    """Give the page of a run of the scene, with two talkers on it."""
    with socket.create_server(('127.0.0.1', 0)) as free:
        port = free.getsockname()[1]
    namespace = 'doa'
    scene = {'source': 'sim', 'scene': 'two_talkers', 'model': 'uma8_several_int8', 'loop': True}
    browser_path = shutil.which('chromium') or shutil.which('google-chrome')
    with (
        NodeProcess('doa_pipeline', scene | {'publish_audio': True}, namespace),
        NodeProcess('doa_dashboard', {'port': port}, namespace),
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(
            executable_path=browser_path, args=['--no-sandbox'] if os.getuid() == 0 else []
        )
        page = browser.new_context(viewport=viewport, color_scheme=theme).new_page()
        for _ in range(_PATIENCE // 500):
            with socket.socket() as probe:
                if probe.connect_ex(('127.0.0.1', port)) == 0:
                    break
            page.wait_for_timeout(500)
        page.goto(f'http://127.0.0.1:{port}/')
        page.wait_for_function(_TWO_TALKERS, timeout=_PATIENCE)
        yield page
        browser.close()


def _write_moving(page: Page, path: Path) -> None:
    """Write what the browser shows, as fast as it shows it."""
    session = page.context.new_cdp_session(page)
    # Times [s] and pictures.
    shown: list[tuple[float, bytes]] = []

    def on_frame(frame: Mapping[str, Any]) -> None:
        session.send('Page.screencastFrameAck', {'sessionId': frame['sessionId']})
        time = frame['metadata']['timestamp']
        if not shown or time - shown[-1][0] >= _PAUSE:
            shown.append((time, base64.b64decode(frame['data'])))

    session.on('Page.screencastFrame', on_frame)
    session.send('Page.startScreencast', {'format': 'png'})
    page.wait_for_timeout(1000 * _LENGTH)
    session.send('Page.stopScreencast')
    box = page.locator(_LAST).bounding_box()
    assert box is not None
    height = round(box['y'] + box['height'] + box['x'])
    frames = [_small(content, height) for _, content in shown]
    # All have the colours of one in the middle: what does not change costs nothing.
    palette = frames[len(frames) // 2].quantize(method=Image.Quantize.MAXCOVERAGE)
    first, *others = (
        frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames
    )
    times = [time for time, _ in shown]
    lasting = [1000 * (after - before) for before, after in zip(times, times[1:], strict=False)]
    first.save(
        path, save_all=True, append_images=others, duration=[*lasting, 2000], loop=0, optimize=True
    )


def _small(content: bytes, height: int) -> Image.Image:
    picture = Image.open(io.BytesIO(content)).convert('RGB')
    picture = picture.crop((0, 0, picture.width, height))
    return picture.resize(
        (_WIDTH, round(height * _WIDTH / picture.width)), Image.Resampling.LANCZOS
    )


if __name__ == '__main__':
    sys.exit(main())
