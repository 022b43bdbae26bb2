# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A type of features is a class: here GCC-PHAT of spectra that are whitened by learnt noise."""

import numpy as np
import pytest

from doa_ros.core import features
from doa_ros.core.features.config import FeatureConfig
from doa_ros.core.features.extractor import FeatureExtractor
from doa_ros.core.features.gcc_phat import GccPhat
from doa_ros.core.geometry import wrap_angle
from doa_ros.core.localization.srp_phat import SrpPhat

CONFIG = FeatureConfig(lag_rate=48000.0, lag_count=39, band_max=2500.0)
NOISE, TALKER = 1.0, -1.5


class WhitenedGccPhat(GccPhat):
    """GCC-PHAT after spatial whitening; the noise is learnt where little is above its floor."""

    name = 'whitened_gcc_phat'

    def __init__(self, array, config):
        super().__init__(array, config)
        self._identity = np.eye(len(array.positions), dtype=np.complex64)
        self._noise = np.tile(1e-9 * self._identity, (len(self.frequencies), 1, 1))

    def cross_spectra(self, spectra, weight):
        heard = spectra.T[:, :, None]
        noisy = weight <= self.config.weight_min
        new = (heard @ heard.conj().swapaxes(1, 2))[noisy]
        self._noise[noisy] += 0.1 * (new - self._noise[noisy])
        trace = np.trace(self._noise, axis1=1, axis2=2)[:, None, None]
        powers, vectors = np.linalg.eigh(self._noise + 1e-4 * trace * self._identity)
        whitening = vectors / np.sqrt(powers)[:, None] @ vectors.conj().swapaxes(1, 2)
        whitened = (whitening @ heard)[:, :, 0].T
        # What is left of the noise has a power of 1 at each microphone.
        above = np.maximum(1 - 2 / np.mean(np.abs(whitened) ** 2, axis=0), 0)
        return super().cross_spectra(whitened, above.astype(np.float32))


@pytest.fixture
def sound(uma8, plane_wave):
    """Return a steady noise of one direction, in which bursts come from another after 1.5 s."""
    rate = uma8.sampling_frequency
    noise = plane_wave(uma8, NOISE, 0.3, duration=2.4, seed=1)
    voice = plane_wave(uma8, TALKER, 0.3, duration=2.4, seed=2)
    time = np.arange(len(voice)) / rate
    voice *= ((time > 1.5) & (time % 0.3 < 0.15))[:, None]
    rng = np.random.default_rng(3)
    return (3 * noise + voice + 1e-3 * rng.standard_normal(noise.shape)).astype(np.float32)


def _azimuths(array, sound):
    """Return where the windows of the last half second come from."""
    srp_phat = SrpPhat(GccPhat(array, CONFIG))
    windows = FeatureExtractor(array, CONFIG).push(0, sound)[-10:]
    found = [srp_phat.spectrum(window.features).azimuth.argmax() for window in windows]
    return srp_phat.grid.azimuths[found]


def test_whitened_features_show_a_talker_who_is_weaker_than_steady_noise(uma8, sound, monkeypatch):
    plain = _azimuths(uma8, sound)
    assert np.median(np.abs(wrap_angle(plain - TALKER))) > 1
    monkeypatch.setattr(features, 'FEATURE_TYPE', WhitenedGccPhat)
    whitened = _azimuths(uma8, sound)
    assert np.median(np.abs(wrap_angle(whitened - TALKER))) < 0.2


def test_what_a_type_learns_it_learns_of_one_stream(uma8, sound, monkeypatch):
    monkeypatch.setattr(features, 'FEATURE_TYPE', WhitenedGccPhat)
    extractor = FeatureExtractor(uma8, CONFIG)
    first, again = (extractor.push(0, sound[:24000])[-1] for _ in range(2))
    np.testing.assert_array_equal(again.features, first.features)
