# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The multichannel Wiener filter: it lets the target pass and suppresses what is unlike it."""

import numpy as np

from doa_ros.core.geometry import unit_vector
from doa_ros.core.separation.directional_masks import DirectionalMasks
from doa_ros.core.separation.wiener_filter import Covariance, WienerFilter

_FREQUENCIES = np.arange(500.0, 4000.0, 50.0)
_HOP = 0.02


def _complex(rng, count):
    parts = rng.standard_normal((2, count))
    return (parts[0] + 1j * parts[1]).astype(np.complex64)


def _learnt(uma8, rng, waves):
    """Return a filter that has heard all waves and learns the first of them."""
    covariance = Covariance(6, len(_FREQUENCIES), _HOP)
    learner = WienerFilter(6, len(_FREQUENCIES), _HOP)
    for _ in range(100):
        sounds = [_complex(rng, len(_FREQUENCIES)) for _ in waves]
        spectra = sum(w * s for w, s in zip(waves, sounds, strict=True))
        covariance.add(spectra)
        learner.add(spectra, sounds[0])
    learner.solve(covariance.inverse())
    return learner


def test_a_wave_alone_passes_as_it_is(uma8):
    generator = np.random.default_rng(1)
    wave = DirectionalMasks(uma8, _FREQUENCIES).steering(unit_vector(0.7, 0.2))
    sound = _complex(generator, len(_FREQUENCIES))
    learner = _learnt(uma8, generator, [wave])
    assert np.abs(learner.output(wave * sound) / sound - 1).max() < 0.02


def test_a_wave_from_elsewhere_is_suppressed(uma8):
    generator = np.random.default_rng(1)
    masks = DirectionalMasks(uma8, _FREQUENCIES)
    target, other = (masks.steering(unit_vector(azimuth, 0.2)) for azimuth in (0.7, 2.0))
    learner = _learnt(uma8, generator, [target, other])
    assert 0.8 < np.abs(learner.output(target)).mean() < 1.1
    suppression = 20 * np.log10(np.abs(learner.output(other)))
    assert np.median(suppression) < -15
    assert suppression.max() < -6


def test_of_silence_nothing_comes(uma8):
    silence = np.zeros((6, len(_FREQUENCIES)), dtype=np.complex64)
    covariance, learner = (kind(6, len(_FREQUENCIES), _HOP) for kind in (Covariance, WienerFilter))
    covariance.add(silence)
    learner.solve(covariance.inverse())
    assert not learner.output(silence).any()


def test_a_dead_microphone_is_not_asked(uma8):
    generator = np.random.default_rng(1)
    masks = DirectionalMasks(uma8, _FREQUENCIES)
    wave, dead = masks.steering(unit_vector(0.7, 0.2)), np.arange(6) == 2
    learner = _learnt(uma8, generator, [wave])
    learner.leave_out(dead)
    alone = np.where(dead[:, None], wave, 0).astype(np.complex64)
    assert not learner.output(alone).any()
