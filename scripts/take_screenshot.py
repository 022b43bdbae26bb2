#!/usr/bin/env python3
# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Take a picture of the live page while it shows the scene of two talkers: `make screenshot`."""

import argparse
import io
import os
from pathlib import Path
import shutil
import socket
import sys

from PIL import Image
from playwright.sync_api import ViewportSize, sync_playwright

from doa_ros.cli.node_process import NodeProcess

_DESK, _PHONE = ViewportSize(width=1320, height=1110), ViewportSize(width=390, height=844)
# So much of the scene is to be seen [ms], and two talkers who speak.
_HISTORY = 24_000
_TWO_TALKERS = "() => document.querySelectorAll('[data-talker]:not(.predicted)').length === 2"
_PATIENCE = 60_000


def main() -> int:
    """Run the scene, open the page and write the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('out', type=Path, help='the PNG to write')
    parser.add_argument('--light', action='store_true', help='with the light theme')
    parser.add_argument('--phone', action='store_true', help='as a phone shows it')
    arguments = parser.parse_args()
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
        page = browser.new_context(
            viewport=_PHONE if arguments.phone else _DESK,
            color_scheme='light' if arguments.light else 'dark',
        ).new_page()
        for _ in range(_PATIENCE // 500):
            with socket.socket() as probe:
                if probe.connect_ex(('127.0.0.1', port)) == 0:
                    break
            page.wait_for_timeout(500)
        page.goto(f'http://127.0.0.1:{port}/')
        page.wait_for_function(_TWO_TALKERS, timeout=_PATIENCE)
        page.wait_for_timeout(_HISTORY)
        page.wait_for_function(_TWO_TALKERS, timeout=_PATIENCE, polling=50)
        picture = Image.open(io.BytesIO(page.screenshot()))
        browser.close()
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    picture.convert('RGB').save(arguments.out, optimize=True)
    print(arguments.out)
    return 0


if __name__ == '__main__':
    sys.exit(main())
