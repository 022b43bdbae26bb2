# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What PortAudio delivers is cut into blocks, whatever is lost or late."""

from contextlib import contextmanager
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest

from doa_ros.audio.capture import block_stream
from doa_ros.audio.capture.block_stream import BlockStream
from doa_ros.audio.capture.device_selection import Wanted
from doa_ros.audio.capture.protocol import CapturedBlock, CaptureSettings
from doa_ros.core.errors import AudioError

PIECE = 480


def _deliver(recording, number):
    samples = np.arange(number * PIECE, (number + 1) * PIECE, dtype=np.int32)
    status = SimpleNamespace(input_overflow=False)
    recording.callback(memoryview(samples.tobytes()), PIECE, None, status)


@contextmanager
def _running(recording):
    thread = threading.Thread(target=recording.run)
    thread.start()
    yield
    recording.finish()
    thread.join()


def _samples(block):
    return np.frombuffer(block.samples, dtype=np.int32)


@pytest.mark.parametrize('block', [100, 480, 2399])
def test_blocks_of_any_length_are_cut(block, monkeypatch):
    # A clock of its own, on which every piece is in time however busy the machine is.
    now = [0.0]
    monkeypatch.setattr(block_stream, 'time', SimpleNamespace(monotonic=lambda: now[0]))
    blocks = []
    recording = BlockStream(CaptureSettings(Wanted('', 1), 48000, block), blocks.append)
    with _running(recording):
        for number in range(100):
            now[0] += 0.01
            _deliver(recording, number)
            while recording._pieces:
                time.sleep(0.001)
    # It takes a third of a second until the time is known.
    assert len(blocks) >= 60 * PIECE // block
    for captured in blocks:
        np.testing.assert_array_equal(_samples(captured), captured.index + np.arange(block))
        assert captured.time == pytest.approx(captured.index / 48000, abs=1e-6)
    np.testing.assert_array_equal(np.diff([captured.index for captured in blocks]), block)


@pytest.mark.real_time
def test_a_parent_that_takes_nothing_loses_the_oldest():
    """As when it is stopped: nothing waits in PortAudio, and what comes out then is new."""
    blocks = []

    def send(captured):
        blocks.append(captured)
        if len(blocks) == 1:
            time.sleep(1.0)

    recording = BlockStream(CaptureSettings(Wanted('', 1), 48000, 2400), send)
    with _running(recording):
        begin = time.monotonic()
        for number in range(200):
            time.sleep(max(0.0, begin + (number + 1) * 0.01 - time.monotonic()))
            _deliver(recording, number)
    # A machine that is too slow is told about, too.
    blocks = [captured for captured in blocks if isinstance(captured, CapturedBlock)]
    first, second = blocks[:2]
    missing = second.index - first.index - 2400
    assert 0.5 * 48000 < missing < 1.0 * 48000
    assert second.dropped >= missing - 2400
    # Of 1 s, the last 0.2 s were kept.
    assert second.time - first.time == pytest.approx(0.8, abs=0.15)
    for captured in blocks:
        np.testing.assert_array_equal(_samples(captured), captured.index + np.arange(2400))


def test_a_device_that_falls_silent():
    recording = BlockStream(CaptureSettings(Wanted('', 1), 48000, PIECE), lambda block: None)
    status = SimpleNamespace(input_overflow=False)
    recording.callback(memoryview(bytes(4 * PIECE)), PIECE, None, status)
    begin = time.monotonic()
    with pytest.raises(AudioError, match='has delivered nothing for 0.4 s; check its cable'):
        recording.run()
    assert time.monotonic() - begin >= 0.4
