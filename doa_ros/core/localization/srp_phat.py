# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""SRP-PHAT: direction probabilities from the steered response, without training.

The response of a direction is how much of the features a plane wave from there explains, beside
the waves from other directions, reflections and a diffuse field (`wave_model`).
"""

import math

import numpy as np
from scipy import special

from doa_ros.core.ambiguity import ambiguity_of
from doa_ros.core.features.extractor import WindowFeatures
from doa_ros.core.features.feature_type import FeatureType
from doa_ros.core.features.sound_fields import diffuse_field, plane_waves
from doa_ros.core.features.steered_response import SteeredResponse, response_grid
from doa_ros.core.geometry import wrap_angle
from doa_ros.core.localization.azimuth_probability import SHARPNESS
from doa_ros.core.localization.calibration import SENSITIVITY_POWER
from doa_ros.core.localization.source_filter import NoFilter
from doa_ros.core.localization.spectrum import MultiSourceSpectrum, WindowSpectra
from doa_ros.core.localization.wave_model import FoundWaves, WaveModel

# Most waves that are looked for.
_MOST_WAVES = 3
# Nearer waves are one [rad].
_SEPARATION = math.radians(30)
# Log-odds of a source at a wave: a constant, and weights of the logarithms of its height and of
# its height over the highest one's, and of the share that no wave explains. By logistic regression
# on simulated rooms with one to three talkers, with the UMA-8 and with four microphones; only the
# constant is 0.75 lower, because no answer is better than a wrong one.
_BIAS, _HEIGHT_WEIGHT, _RELATIVE_WEIGHT, _UNEXPLAINED_WEIGHT = 6.6, 6.4, 1.1, 13.6
_LEAST_HEIGHT = 1e-3


class SrpPhat:
    """Direction probabilities without training.

    Directions that the array cannot tell apart from others have no probability.

    Attributes:
        grid: the classes of azimuth and elevation. They cover what the array can tell apart.

    Args:
        feature_type: of the features.
        azimuth_count: how many azimuths are looked at.

    Raises:
        ConfigError: the array resolves no azimuth.
    """

    sensitivity_power = SENSITIVITY_POWER
    # Of a horizontal array.
    grid = SteeredResponse.grid

    def __init__(self, feature_type: FeatureType, azimuth_count: int = grid.azimuth_count):
        ambiguity = ambiguity_of(feature_type.array)
        self.grid = response_grid(azimuth_count, ambiguity.elevation_min)
        directions, answers = ambiguity.look_directions(self.grid.azimuths, self.grid.elevations)
        self._answers = answers.any(axis=0)
        self._outside = None if answers.all() else ~answers & self._answers
        self._columns = feature_type.shape[1]
        flat = directions.reshape(-1, 3)
        waves = plane_waves(feature_type, flat).reshape(*answers.shape, -1)
        self._waves = np.where(answers[..., None], waves, 0)
        diffuse = diffuse_field(feature_type)
        # On a line, a diffuse field looks much like a wave from the side.
        self._diffuse = diffuse if self.grid.elevation_count else diffuse[:0]
        turn = np.abs(wrap_angle(self.grid.azimuths - self.grid.azimuths[:, None]))
        self._beside = turn < _SEPARATION - 1e-6
        rows = len(answers)
        self._near = np.tile(self._beside, (rows, rows)) | (flat @ flat.T > math.cos(_SEPARATION))
        self._hear(np.ones(feature_type.shape[0], dtype=bool))

    def spectra(self, window: WindowFeatures) -> WindowSpectra:
        """Return what is found in a window."""
        return WindowSpectra(self.spectrum(window.features), window.activity, window.sound_age)

    def source_filter(self) -> NoFilter:
        """Return what joins the windows of one stream: nothing does."""
        return NoFilter()

    def spectrum(self, features: np.ndarray) -> MultiSourceSpectrum:
        """Return the probabilities of directions for features of shape (channels, columns)."""
        model = self._model_of(features)
        found = model.find(features.ravel(), _MOST_WAVES)
        probability = self._probability(model, found)
        elevation = None
        if self.grid.elevation_count:
            elevation = self._elevation(model, found, probability.argmax(axis=0))
        return MultiSourceSpectrum(
            azimuth=probability.max(axis=0),
            elevation=elevation,
            elevation_min=self.grid.elevation_min,
        )

    def _model_of(self, features: np.ndarray) -> WaveModel:
        """Return the waves as the living microphones hear them."""
        # The channels of dead microphones are 0.
        living = np.asarray(features.any(axis=1))
        if living.tobytes() != self._living and living.any():
            self._hear(living)
        return self._model

    def _hear(self, living: np.ndarray) -> None:
        """Take in which channels are those of living microphones."""
        self._living = living.tobytes()
        heard = np.repeat(living, self._columns)
        elevations = self.grid.elevations
        self._model = WaveModel(self._waves, self._diffuse, elevations, self._near, heard)

    def _probability(self, model: WaveModel, found: FoundWaves) -> np.ndarray:
        """Return how probable a source at each azimuth is by each wave, (found, azimuths)."""
        height = np.maximum(model.heights(found.correlations).max(axis=1), _LEAST_HEIGHT)
        beside = self._beside[np.array(found.directions) % self.grid.azimuth_count]
        peak = (beside * height).max(axis=1, keepdims=True)
        log_odds = (
            _BIAS
            + _HEIGHT_WEIGHT * np.log(peak)
            + _RELATIVE_WEIGHT * np.log(peak / peak.max())
            + _UNEXPLAINED_WEIGHT * found.unexplained
        )
        fall = np.exp(SHARPNESS * np.minimum(height - peak, 0))
        return self._answers * special.expit(log_odds) * fall

    def _elevation(self, model: WaveModel, found: FoundWaves, wave: np.ndarray) -> np.ndarray:
        """Return how probable elevations are at each azimuth, shape (azimuths, elevations).

        Args:
            model, found: the waves.
            wave: which of them is the one at each azimuth.
        """
        own = np.choose(wave, found.correlations)
        response = model.heights_with_reflections(own, found.unexplained**2)
        # Where no direction can be told apart, all elevations are equally probable.
        if self._outside is not None:
            response[self._outside] = -np.inf
        elevation = np.exp(SHARPNESS * (response - response.max(axis=0))).T
        return elevation / elevation.sum(axis=1, keepdims=True)
