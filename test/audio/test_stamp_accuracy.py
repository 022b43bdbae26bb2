# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How even stamps are, on a real PortAudio device without hardware.

`MINUTES=30 python3 -m pytest -s` of this file measures for as long and prints the figures.
"""

import os
import threading
import time

import numpy as np
import pytest

from doa_ros.audio.capture.device_source import DeviceSource

pytestmark = pytest.mark.real_time

MINUTES = float(os.environ.get('MINUTES', 0.2))


@pytest.mark.timeout(60 * MINUTES + 120)
def test_stamps_follow_the_sample_count(virtual_uma8, uma8, tmp_path):
    recording = tmp_path / 'silence.raw'
    recording.write_bytes(bytes(4 * 8 * 48000))
    with virtual_uma8(recording):
        source = DeviceSource(uma8, block_duration=0.05)
        threading.Timer(60 * MINUTES, source.close).start()
        blocks = [
            (b.first_sample_index, b.stamp, time.time_ns()) for b in source.blocks(time.time_ns)
        ]
    index, stamp, arrival = np.array(blocks).T
    seconds = (stamp - stamp[0]) / 1e9
    # The clocks of a device and of a computer differ a little for ever: that is no error.
    period, start = np.polyfit(index, seconds, 1)
    error = 1e3 * (seconds - start - index * period)
    jitter = 1e3 * np.abs(np.diff(seconds) - np.diff(index) * period)
    age = (arrival - stamp) / 1e6
    print(
        f'\n{len(blocks)} blocks in {seconds[-1] / 60:.1f} min, {1 / period:.2f} Hz'
        f'\nstamp error against the sample count: '
        f'{np.abs(error).max():.3f} ms at most, {np.percentile(np.abs(error), 99):.3f} ms p99'
        f'\njitter: {np.percentile(jitter, 99):.3f} ms p99, {jitter.max():.3f} ms at most'
        f'\nage of the first sample of a block: {np.median(age):.1f} ms median, '
        f'{np.percentile(age, 99):.1f} ms p99, {age.max():.1f} ms at most'
        f'\n{source.state}'
    )
    assert (np.diff(stamp) > 0).all()
    assert np.abs(error).max() < 2
    assert np.percentile(jitter, 99) < 1
