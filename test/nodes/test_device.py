# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""From a sound card, through PortAudio, to estimates in another process."""

import numpy as np

from doa_ros.core.geometry import wrap_angle
from doa_ros.msg import AudioFrame, DoaEstimateArray

# Direction of the sound of the fixture `samples` [rad].
AZIMUTH = np.radians(70)


def test_a_uma8_gives_directions(virtual_uma8, samples, start, listener, tmp_path, monkeypatch):
    path = tmp_path / 'uma8.raw'
    np.tile(samples, (10, 1)).tofile(path)
    estimates = listener.collect(DoaEstimateArray, 'estimates')
    audio = listener.collect(AudioFrame, 'audio')
    with virtual_uma8(path) as card:
        for name, value in card.environment.items():
            monkeypatch.setenv(name, value)
        process = start('doa_pipeline', source='device', publish_audio=True)
        listener.spin_until(lambda: sum(bool(m.estimates) for m in estimates) > 20, 'an answer')
        assert process.stop() == 0
    assert audio[-1].channel_count == 8
    assert audio[-1].format == AudioFrame.FORMAT_SIGNED_32
    found = [message.estimates[0].azimuth for message in estimates if message.estimates]
    assert abs(wrap_angle(np.median(found) - AZIMUTH)) < np.radians(5)


def test_a_uma8_that_is_unplugged_ends_the_node_with_a_sentence(
    virtual_uma8, samples, start, listener, tmp_path, monkeypatch
):
    path = tmp_path / 'uma8.raw'
    np.tile(samples, (10, 1)).tofile(path)
    estimates = listener.collect(DoaEstimateArray, 'estimates')
    with virtual_uma8(path) as card:
        for name, value in card.environment.items():
            monkeypatch.setenv(name, value)
        process = start('doa_pipeline', source='device', method='srp_phat')
        listener.spin_until(lambda: estimates, 'an estimate')
        assert card.pactl('unload-module', 'module-null-sink').returncode == 0
        assert process.end() == 1
    assert 'has delivered nothing for 3 s; check its cable' in process.output
    assert 'Traceback' not in process.output
