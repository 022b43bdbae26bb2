# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Recordings to simulate with: any format in, one channel of known level and rate out."""

import numpy as np
import pytest
import soundfile

from doa_ros.audio.recordings.mono import read_mono
from doa_ros.audio.recordings.resampling import resample
from doa_ros.core.errors import AudioError


def _tone(rate, frequency=440.0):
    return 0.2 * np.sin(2 * np.pi * frequency * np.arange(rate) / rate)


@pytest.mark.parametrize('rate', [16000, 44100, 48000])
def test_a_tone_keeps_its_frequency_and_gets_an_rms_of_one(tmp_path, rate):
    path = tmp_path / 'tone.flac'
    soundfile.write(path, np.stack([_tone(rate), _tone(rate)], axis=1), rate)
    mono = read_mono(path, 48000)
    assert mono.shape == (48000,)
    assert mono.dtype == np.float32
    assert np.sqrt(np.mean(mono**2)) == pytest.approx(1, rel=1e-3)
    assert np.abs(np.fft.rfft(mono)).argmax() == 440


def test_a_part_of_a_recording(tmp_path):
    path = tmp_path / 'steps.wav'
    soundfile.write(path, np.repeat([0.1, 0.2, 0.3, 0.4], 1000), 1000, subtype='FLOAT')
    # Two seconds from the second on: 0.2 and 0.3, with an RMS of one.
    part = read_mono(path, 1000, 1.0, 2.0)
    assert part.shape == (2000,)
    assert part[-1] / part[0] == pytest.approx(1.5)


def test_resample_works_along_time():
    samples = np.stack([_tone(48000), _tone(48000, 100.0)], axis=1)
    low = resample(samples, 48000, 16000)
    assert low.shape == (16000, 2)
    np.testing.assert_allclose(low[1000:-1000, 1], _tone(16000, 100.0)[1000:-1000], atol=1e-3)
    assert resample(samples, 48000, 48000) is samples


@pytest.mark.parametrize(
    ('samples', 'message'),
    [
        (np.zeros(100), 'holds no sound'),
        (np.zeros(0), 'holds no samples'),
        (np.full(100, np.nan), 'holds no sound'),
    ],
)
def test_no_sound_is_refused(tmp_path, samples, message):
    path = tmp_path / 'none.wav'
    soundfile.write(path, samples, 16000, subtype='FLOAT')
    with pytest.raises(AudioError, match=message):
        read_mono(path, 16000)


def test_what_is_no_audio_is_refused(tmp_path):
    with pytest.raises(AudioError, match='cannot be read as audio'):
        read_mono(tmp_path / 'missing.wav', 16000)
