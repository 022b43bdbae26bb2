# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Recordings at another sampling frequency, read piece by piece."""

import io

import numpy as np
import pytest
import soundfile

from doa_ros.audio.recordings.recording import Recording
from doa_ros.audio.recordings.resampling import Resampled, resample
from doa_ros.core.errors import AudioError


def _recording(samples, rate):
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format='WAV', subtype='FLOAT')
    file.seek(0)
    return Recording(file)


def _all(source, block):
    blocks = []
    while len(samples := source.read(block)):
        blocks.append(samples)
    assert all(len(samples) == block for samples in blocks[:-1])
    return np.concatenate(blocks)


@pytest.mark.parametrize(
    ('old', 'new'),
    [
        (44100, 48000),
        (16000, 48000),
        (8000, 44100),
        (96000, 48000),
        (48000, 16000),
        (22050, 16000),
        # No common divisor.
        (47999, 48000),
    ],
)
@pytest.mark.parametrize('count', [1, 1000, 8192, 70_001])
def test_pieces_are_as_the_whole(old, new, count):
    samples = np.random.default_rng(1).uniform(-0.5, 0.5, (count, 3)).astype(np.float32)
    heard = _all(Resampled(_recording(samples, old), new), 2400)
    whole = resample(samples, old, new)
    # The same length, no click at the edges of pieces, the same phases in all channels.
    assert heard.dtype == np.float32
    np.testing.assert_allclose(heard, whole, rtol=0, atol=1e-6)


def test_a_tone_stays_itself_and_memory_does_not_grow():
    rate, seconds = 44100, 20
    tone = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(rate * seconds) / rate)
    source = Resampled(_recording(np.stack([tone, -tone], axis=1), rate), 48000)
    heard = []
    while len(samples := source.read(2400)):
        heard.append(samples)
        assert len(source._input) + len(source._output) < 30_000
    heard = np.concatenate(heard)
    assert heard.shape == (48000 * seconds, 2)
    expected = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(len(heard)) / 48000)
    middle = slice(1000, -1000)
    np.testing.assert_allclose(heard[middle, 0], expected[middle], atol=2e-3)
    np.testing.assert_allclose(heard[:, 1], -heard[:, 0], atol=1e-6)


def test_it_can_begin_anew():
    samples = np.random.default_rng(1).uniform(-0.5, 0.5, (5000, 2))
    source = Resampled(_recording(samples, 16000), 48000)
    first = _all(source, 1000)
    source.seek(0)
    np.testing.assert_array_equal(_all(source, 1000), first)


@pytest.mark.parametrize('rate', [1, 999, 2_000_000_000])
def test_rates_that_are_not_of_sound(rate):
    with pytest.raises(AudioError, match='no sampling frequency of sound'):
        Resampled(_recording(np.zeros((10, 2)), rate), 48000)
