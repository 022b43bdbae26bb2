# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""An hour of the live page at 20 frames per second: neither the page nor the node grows."""

import os
import re

import pytest

pytest.importorskip('aiohttp', reason='the live page needs aiohttp')

# GROWTH_MINUTES=5 is enough to see whether anything grows with every frame.
_MINUTES = float(os.environ.get('GROWTH_MINUTES', '60'))
# What is measured before this share of the time is the start; the history is full after 30 s.
_WARM_UP = 0.25
# Measured once in so many milliseconds.
_PERIOD = 10_000
# More than measurements differ by when nothing grows [MB]. A frame that stayed would be 100 MB of
# an hour in the node, and several times that in the page.
_MOST_GROWTH_NODE, _MOST_GROWTH_PAGE = 8.0, 8.0


@pytest.mark.nightly
@pytest.mark.alone
@pytest.mark.timeout(60 * _MINUTES + 300)
def test_neither_page_nor_node_grows(start, every_node, browser):
    process = every_node(start)
    process.wait_for('the page is at')
    page = browser.new_page()
    frames = []
    page.on('websocket', lambda s: s.on('framereceived', lambda _: frames.append(None)))
    page.goto(re.search(r'the page is at (\S+)', process.output)[1])
    page.wait_for_function("() => document.querySelector('[data-talker]')", timeout=60_000)
    session = page.context.new_cdp_session(page)
    session.send('HeapProfiler.enable')
    node_sizes, page_sizes = [], []
    for _ in range(round(60_000 * _MINUTES / _PERIOD)):
        page.wait_for_timeout(_PERIOD)
        session.send('HeapProfiler.collectGarbage')
        heap = session.send('Runtime.getHeapUsage')['usedSize'] / 2**20
        node_sizes.append(process.memory())
        page_sizes.append(heap)
    print(f'{len(frames)} frames; node {node_sizes} MB; page {page_sizes} MB')
    # As many as a computer that is busy gives, and no pause.
    assert len(frames) > 10 * 60 * _MINUTES
    for sizes, most in ((node_sizes, _MOST_GROWTH_NODE), (page_sizes, _MOST_GROWTH_PAGE)):
        warm = sizes[round(_WARM_UP * len(sizes)) :]
        assert max(warm[-3:]) - min(warm[:3]) < most
    assert page.inner_text('#connection') == 'Live'
