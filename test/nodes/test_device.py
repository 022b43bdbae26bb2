# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""From a sound card, through PortAudio, to estimates in another process."""

from pathlib import Path
import re
import signal
import subprocess

from ament_index_python import get_package_prefix
import numpy as np
import pytest

from doa_ros.conversions import stamp_of
from doa_ros.core.geometry import wrap_angle
from doa_ros.msg import AudioFrame, DoaEstimateArray

# Direction of the sound of the fixture `samples` [rad].
AZIMUTH = np.radians(70)


@pytest.fixture
def playing(virtual_uma8, samples, tmp_path):
    """A UMA-8 that hears the sound of `samples` again and again."""
    path = tmp_path / 'uma8.raw'
    np.tile(samples, (10, 1)).tofile(path)
    with virtual_uma8(path) as card:
        yield card


def test_a_uma8_gives_directions(playing, start, listener):
    estimates = listener.collect(DoaEstimateArray, 'estimates')
    audio = listener.collect(AudioFrame, 'audio')
    process = start('doa_pipeline', source='device', publish_audio=True)
    listener.spin_until(lambda: sum(bool(m.estimates) for m in estimates) > 20, 'an answer')
    assert process.stop() == 0
    assert audio[-1].channel_count == 8
    assert audio[-1].format == AudioFrame.FORMAT_SIGNED_32
    found = [message.estimates[0].azimuth for message in estimates if message.estimates]
    assert abs(wrap_angle(np.median(found) - AZIMUTH)) < np.radians(5)


def test_a_uma8_that_is_unplugged_is_waited_for(playing, start, listener):
    estimates = listener.collect(DoaEstimateArray, 'estimates')
    audio = listener.collect(AudioFrame, 'audio')
    process = start('doa_pipeline', source='device', method='srp_phat', publish_audio=True)
    listener.spin_until(lambda: estimates, 'an estimate')
    playing.unplug()
    process.wait_for('check its cable; capture goes on when it is back')
    listener.spin(1.5)
    playing.plug()
    process.wait_for("device 'micArray RAW SPK' is back after ", 'averaging starts anew')
    until_then = len(estimates)
    listener.spin_until(lambda: len(estimates) > until_then + 5, 'an estimate')
    assert process.stop() == 0
    # Each is said once; a busy machine may have more of them.
    said = re.findall('capture goes on when|is back after', process.output)
    assert said == (['capture goes on when', 'is back after'] * len(said))[: len(said)]
    assert 'Traceback' not in process.output
    ends = [m.first_sample_index + m.frame_sample_count for m in audio]
    missing = [m.first_sample_index - end for m, end in zip(audio[1:], ends, strict=False)]
    assert max(missing) > 1.5 * 48000
    # Nobody invents a direction of nothing.
    gap = int(np.argmax(missing))
    before, after = stamp_of(audio[gap].header), stamp_of(audio[gap + 1].header)
    assert not [m for m in estimates if before < stamp_of(m.header) < after]


def test_nothing_is_left_of_a_process_that_was_killed(playing, start, listener):
    estimates = listener.collect(DoaEstimateArray, 'estimates')
    process = start('doa_pipeline', source='device', method='srp_phat')
    listener.spin_until(lambda: estimates, 'an estimate')
    (child,) = process.children()
    process.send(signal.SIGKILL)
    process.end()
    listener.spin_until(lambda: not Path('/proc', str(child)).exists(), 'the end of the child')


def test_devices_are_listed(playing):
    path = Path(get_package_prefix('doa_ros'), 'lib', 'doa_ros', 'audio_capture')
    listed = subprocess.run([path, '--list-devices'], capture_output=True, text=True, timeout=60)
    assert listed.returncode == 0, listed.stderr
    assert re.search(r'^\d+: micArray RAW SPK \(\d+ channels\)$', listed.stdout, re.MULTILINE)
