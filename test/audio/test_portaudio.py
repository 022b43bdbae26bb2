# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What the process that captures does with what PortAudio delivers."""

import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest

from doa_ros.audio.capture_wire import CaptureSettings
from doa_ros.audio.portaudio import _Recording
from doa_ros.core.errors import AudioError

PIECE = 480


@pytest.fixture
def run():
    """Return a function that delivers pieces at their pace and gives the blocks that came out."""

    def deliver(pieces, send=lambda block: None, block=2400):
        blocks = []

        def take(captured):
            blocks.append(captured)
            send(captured)

        recording = _Recording(CaptureSettings('', 48000, 1, block), take)
        thread = threading.Thread(target=recording.run)
        thread.start()
        begin = time.monotonic()
        for number in range(pieces):
            time.sleep(max(0.0, begin + (number + 1) * 0.01 - time.monotonic()))
            samples = np.arange(number * PIECE, (number + 1) * PIECE, dtype=np.int32)
            status = SimpleNamespace(input_overflow=False)
            recording.callback(memoryview(samples.tobytes()), PIECE, None, status)
        recording.finish()
        thread.join()
        return blocks, begin

    return deliver


def _samples(block):
    return np.frombuffer(block.samples, dtype=np.int32)


@pytest.mark.parametrize('block', [100, 480, 2399])
def test_blocks_of_any_length_are_cut(run, block):
    blocks, begin = run(100, block=block)
    assert len(blocks) > 40 * PIECE // block
    for captured in blocks:
        np.testing.assert_array_equal(_samples(captured), captured.index + np.arange(block))
        assert captured.time == pytest.approx(begin + captured.index / 48000, abs=0.05)


def test_a_parent_that_takes_nothing_loses_the_oldest(run):
    """As when it is stopped: nothing waits in PortAudio, and what comes out then is new."""
    stopped = []

    def send(captured):
        if not stopped:
            stopped.append(captured)
            time.sleep(1.0)

    blocks, begin = run(200, send)
    first, second = blocks[:2]
    missing = second.index - first.index - 2400
    assert 0.5 * 48000 < missing < 1.0 * 48000
    assert second.dropped >= missing - 2400
    # Of 1 s, the last 0.2 s were kept.
    assert second.time - first.time == pytest.approx(0.8, abs=0.15)
    for captured in blocks:
        np.testing.assert_array_equal(_samples(captured), captured.index + np.arange(2400))


def test_a_device_that_falls_silent():
    recording = _Recording(CaptureSettings('', 48000, 1, PIECE), lambda block: None)
    status = SimpleNamespace(input_overflow=False)
    recording.callback(memoryview(bytes(4 * PIECE)), PIECE, None, status)
    begin = time.monotonic()
    with pytest.raises(AudioError, match='has delivered nothing for 0.4 s; check its cable'):
        recording.run()
    assert time.monotonic() - begin >= 0.4
