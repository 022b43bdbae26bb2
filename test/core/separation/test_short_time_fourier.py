# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Frames: what comes out is what went in, at 16 kHz."""

import numpy as np
import pytest

from doa_ros.core.errors import ConfigError
from doa_ros.core.separation.short_time_fourier import HOP, RATE, Analysis, Synthesis, input_hop


def _resynthesised(samples, rate):
    """Return what becomes of the samples of one microphone."""
    hop, analysis, synthesis = input_hop(rate), Analysis(rate), Synthesis()
    frames = [samples[k : k + 2 * hop, None] for k in range(0, len(samples) - hop, hop)]
    return np.concatenate([synthesis.samples(analysis.spectra(frame)[0]) for frame in frames])


def _tone(rate, frequency, seconds=0.5):
    return np.cos(2 * np.pi * frequency * np.arange(round(seconds * rate)) / rate).astype('f4')


@pytest.mark.parametrize('rate', [16000, 22050, 44100, 48000, 96000])
def test_a_tone_of_any_rate_is_the_same_tone_at_16_khz(rate):
    out = _resynthesised(_tone(rate, 1234.5), rate)
    assert np.abs(out[HOP:] - _tone(RATE, 1234.5)[HOP : len(out)]).max() < 2e-3


def test_what_is_above_8_khz_is_left_out():
    assert np.abs(_resynthesised(_tone(48000, 9000), 48000)).max() < 0.02


def test_an_array_of_8_khz_gives_what_it_hears():
    out = _resynthesised(_tone(8000, 1000), 8000)
    assert np.abs(out[HOP:] - _tone(RATE, 1000)[HOP : len(out)]).max() < 2e-3


def test_a_rate_whose_frames_are_no_whole_samples_is_refused():
    with pytest.raises(ConfigError, match='must be a multiple of 50 Hz .* not 11025 Hz'):
        Analysis(11025)
