# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""From audio to the features of its windows.

Each window's cross-spectra are weighted, bin by bin, by how far the power stands above the tracked
noise floor, and averaged recursively; the feature type says what is made of them.
"""

from dataclasses import dataclass

import numpy as np

from doa_ros.core.errors import ConfigError
from doa_ros.core.features import feature_type_of
from doa_ros.core.features.averaging import CrossSpectrumAverage, PhaseTransformAverage
from doa_ros.core.features.config import FeatureConfig
from doa_ros.core.features.dead_microphones import DeadMicrophones
from doa_ros.core.features.framing import Framer, Window
from doa_ros.core.features.source_cancellation import Residual, SourceCanceller
from doa_ros.core.features.spectra import BandSpectra
from doa_ros.core.features.whitening import WhitenedAverage
from doa_ros.core.geometry import MicArray

# An activity this much higher than before is an onset; noise alone swings less.
_STEADY = 0.02
# From this activity on a sound stands out clearly; a median of speech at 5 dB has more.
CLEAR_ACTIVITY = 0.2


@dataclass(frozen=True)
class WindowFeatures:
    """Features of one analysis window.

    Attributes:
        features: of the averaged sound, in -1..1, shape (channels, columns), float32; those of
            GCC-PHAT are pairs and lags.
        activity: share of the averaged sound above the noise floor, 0..1; the mean over a dozen
            frequency bands.
        hop_index: index, since stream start, of the first sample that was new in this window.
        gap: samples lost before this window; if there are any, averaging started anew. None in
            the first window of a stream.
        sound_age: mean age of the sound above the noise floor, relative to this window [s]. It
            grows in a pause, because the average still holds the earlier sound.
        residual: the same without the loudest direction, where it is computed.
        steered_response: of the features, as `SteeredResponse` gives it, where the residual needed
            it.
    """

    features: np.ndarray
    activity: float
    hop_index: int
    gap: int | None = 0
    sound_age: float = 0.0
    residual: Residual | None = None
    steered_response: np.ndarray | None = None


class FeatureExtractor:
    """Turns a stream of audio blocks into features.

    Args:
        array: the microphones.
        config: the settings.

    Raises:
        ConfigError: the settings do not fit the array or its sampling frequency.
    """

    def __init__(self, array: MicArray, config: FeatureConfig):
        rate = array.sampling_frequency
        if config.band_max > rate / 2:
            raise ConfigError(
                f'band_max {config.band_max:g} Hz lies above half the sampling frequency of '
                f'array {array.name!r} ({rate} Hz)'
            )
        self.config = config
        self._array = array
        self._framer = Framer(round(config.window * rate), round(config.hop * rate))
        self._spectra = BandSpectra.of_features(config, rate)
        feature_type = feature_type_of(array, config)
        self._canceller = SourceCanceller(feature_type) if config.residual else None
        self._average_type: type[CrossSpectrumAverage] = (
            WhitenedAverage if config.whitening else PhaseTransformAverage
        )
        if len(self._spectra.frequencies) == 0:
            raise ConfigError('no frequency bin lies between band_min and band_max')
        self._start_stream()

    def _start_stream(self) -> None:
        """Begin another stream."""
        self._feature_type = feature_type_of(self._array, self.config)
        self._dead = DeadMicrophones(len(self._array.positions), self.config.hop)
        self._average = self._average_type(self._feature_type)
        self._start_averages()

    def _start_averages(self) -> None:
        self._average.start()
        self._present = 0.0
        self._count = 0.0
        self._sound = self._aged_sound = 0.0

    @property
    def dead_microphones(self) -> tuple[str, ...]:
        """Labels of the microphones that are left out, as they hear nothing."""
        return tuple(np.array(self._array.labels)[~self._dead.alive].tolist())

    def push(self, first_sample_index: int, samples: np.ndarray) -> list[WindowFeatures]:
        """Append a block of audio and return the features it completes.

        Args:
            first_sample_index: index of the block's first sample since stream start.
            samples: all channels of the device, or one per microphone, shape
                (samples, channels), float32, finite.

        Raises:
            ConfigError: the number of channels is not the array's.
        """
        microphones = samples[:, self._array.microphone_channels(samples.shape[1])]
        return [self._features(w) for w in self._framer.push(first_sample_index, microphones)]

    def _features(self, window: Window) -> WindowFeatures:
        if window.gap is None:
            self._start_stream()
        elif window.gap:
            self._start_averages()
        spectra = self._spectra.of(window.samples)
        powers = spectra.real**2 + spectra.imag**2
        power = powers.sum(axis=0) / np.float32(len(powers))
        alive = self._dead.update(powers.sum(axis=1) / np.float32(powers.shape[1]))
        if not alive.all():
            # A spectrum of 0 has no phase, so that the pairs of a dead microphone do not count.
            spectra[~alive] = 0
        present = self._average.add(spectra, power)
        self._average_present(present)
        self._aged_sound = self._average.keep * (self._aged_sound + self.config.hop * self._sound)
        self._sound = self._average.keep * self._sound + present
        cross_spectra, weight = self._average.average()
        features = self._feature_type.features(cross_spectra, weight)
        response = residual = None
        if self._canceller is not None:
            response = self._canceller.response(features)
            rest, azimuth = self._canceller.cancel(cross_spectra, response)
            rest_features = self._feature_type.features(rest, weight)
            residual = Residual(np.clip(rest_features, -1, 1), azimuth)
        return WindowFeatures(
            features=features,
            # As precise as in the message: the same with and without it in between.
            activity=float(np.float32(self._present / self._count)),
            hop_index=window.hop_index,
            gap=window.gap,
            sound_age=float(np.float32(self._aged_sound / max(self._sound, 1e-9))),
            residual=residual,
            steered_response=response,
        )

    def _average_present(self, present: float):
        """Average what stands above the floor: shortly after an onset, long in steady sound.

        Otherwise a short sound would hardly count among half a second of noise. The cross-spectra
        need no such care: their weights are already small for the noise before an onset.
        """
        before = self._present / max(self._count, 1e-9)
        keep = self._average.keep * min(1.0, (before + _STEADY) / (present + _STEADY))
        self._present = keep * self._present + present
        self._count = keep * self._count + 1
