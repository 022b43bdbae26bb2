# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The methods of `evaluate --bench voices` on one scene."""

from dataclasses import replace

import numpy as np
import pytest

from doa_ros.core.separation.config import SeparationConfig
from training.deployment.costs import separation_cost, steady_track
from training.evaluation.methods.separation import (
    CentreMicrophone,
    SeparatedDirections,
    SeparatedTracks,
    TrueMask,
)
from training.evaluation.metrics.separation.si_sdr import si_sdr
from training.evaluation.scenes import voices
from training.evaluation.scenes.rooms import demo_corpus

RATE = 16000


@pytest.fixture(scope='module')
def array(uma8):
    return replace(uma8, sampling_frequency=RATE)


@pytest.fixture(scope='module')
def clip(array):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(voices, 'CONDITIONS', voices.CONDITIONS[:1])
        ((_, clip),) = voices.voices_clips(array, demo_corpus(RATE), 'val', 1, 'fast')
    return clip


def _gains(method, clip):
    """Return the gain over the centre microphone for each talker [dB]."""
    return [
        si_sdr(np.nan_to_num(sound), talker.early) - si_sdr(clip.centre, talker.early)
        for sound, talker in zip(method.sounds(clip), clip.talkers, strict=True)
    ]


def test_the_centre_microphone_gains_nothing(clip):
    assert _gains(CentreMicrophone(), clip) == [0, 0]


def test_our_separation_gains_and_the_true_mask_bounds_it(array, clip):
    ours = _gains(SeparatedDirections(array, SeparationConfig()), clip)
    bound = _gains(TrueMask(array), clip)
    assert min(ours) > 2
    assert all(best > gain for best, gain in zip(bound, ours, strict=True))


class Tracks:
    """Gives a track of the first talker from one second on, as a localizer does."""

    name = 'tracks'

    def __init__(self, azimuth):
        self._azimuth = azimuth

    def confirmed_tracks(self, clip, config):
        track = steady_track(7, self._azimuth, 0.1)
        return [[track] if block >= 20 else [] for block in range(clip.block_count)]


def test_a_talker_has_the_sound_of_the_track_that_is_near(array, clip):
    first, second = clip.talkers
    config = replace(SeparationConfig(), pre_roll=0.2)
    method = SeparatedTracks('ours', array, Tracks(first.azimuth + 0.1), config)
    sound, nothing = method.sounds(clip)
    assert np.isnan(nothing).all()
    given = np.flatnonzero(np.isfinite(sound))
    assert given[0] == pytest.approx(0.8 * RATE, abs=640)
    # As in a node, the last frame is not complete.
    assert given[-1] >= len(sound) - 1280
    assert np.isfinite(sound[given[0] : given[-1]]).all()


def test_the_separation_has_its_cost(uma8):
    assert 0 < separation_cost(uma8, 1)
