# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Features in, directions out: the chosen method, its filter and the sensitivity."""

from dataclasses import dataclass, replace
import math
from pathlib import Path

import numpy as np

from doa_ros.core.ambiguity import ambiguity_of
from doa_ros.core.config import Config, setting
from doa_ros.core.directions import DirectionGrid
from doa_ros.core.errors import ConfigError
from doa_ros.core.features import feature_type_of
from doa_ros.core.features.config import FeatureConfig
from doa_ros.core.features.extractor import WindowFeatures
from doa_ros.core.geometry import MicArray
from doa_ros.core.localization.calibration import SENSITIVITY_POWER
from doa_ros.core.localization.classifier import Classifier
from doa_ros.core.localization.decoding import Estimate
from doa_ros.core.localization.source_filter import Localization
from doa_ros.core.localization.spectrum_estimator import SpectrumEstimator
from doa_ros.core.localization.srp_phat import SrpPhat

# From this confidence on a direction may be of use to a tracker.
_LEAST_DETECTION = 0.15

METHODS = ('cnn', 'srp_phat')
"""The ways to find directions. A trained network is one, the steered response power the other."""


@dataclass(frozen=True)
class MethodConfig(Config):
    """How directions are found."""

    method: str = setting(
        'cnn',
        'cnn: the trained network; srp_phat: steered response power, which needs no training.',
        choices=METHODS,
    )


@dataclass(frozen=True)
class LocalizerConfig(MethodConfig):
    """How directions are found and when they are given."""

    sensitivity: float = setting(
        0.5,
        'How readily estimates are published: 0 never, 0.5 from a confidence of 0.5 on, 1 always. '
        'The odds of a source are multiplied by (sensitivity / (1 - sensitivity)) ^ p. For '
        'estimates p is the sensitivity_power of the card of the model; without one and for '
        'detections it is 1.5: an estimate needs a confidence of 0.84 at 0.25 then, and of 0.16 '
        'at 0.75.',
        minimum=0.0,
        maximum=1.0,
        dynamic=True,
    )
    report_stationary: bool = setting(
        False,
        'Whether a steady sound, such as that of a fan, is reported as a source.',
        dynamic=True,
    )
    delegate: str = setting(
        '',
        'Library that runs the network of method cnn on an accelerator, a TFLite delegate: its '
        'name or path, as libedgetpu.so.1; empty runs it on the CPU.',
    )

    def prior_odds(self, power: float = SENSITIVITY_POWER) -> float:
        """Return what the odds of a source are multiplied by.

        Args:
            power: of the odds of the sensitivity.

        Returns:
            0 at the sensitivity 0, 1 at 0.5, infinite at 1.
        """
        if self.sensitivity == 1:
            return math.inf
        return (self.sensitivity / (1 - self.sensitivity)) ** power

    def least_confidence(self, power: float = SENSITIVITY_POWER) -> float:
        """Return the confidence from which on an estimate is given: with the prior, even odds.

        Args:
            power: as in `prior_odds`.
        """
        # A confidence can be exactly 1, and 0 answers never.
        return 1 / (1 + self.prior_odds(power)) if self.sensitivity else math.inf


class Localizer:
    """Finds the direction of a sound from features.

    Args:
        array: the microphones.
        features: settings the features are computed with.
        config: the method, and how confident estimates have to be.
        model: the .tflite file of method cnn.

    Raises:
        ConfigError: method cnn without a model, an array that resolves no azimuth, or features
            that do not fit the array.
        ModelError: the model is not usable or does not fit.
    """

    def __init__(
        self,
        array: MicArray,
        features: FeatureConfig,
        config: LocalizerConfig,
        model: Path | None = None,
    ):
        self._array = array
        self._ambiguity = ambiguity_of(array)
        self._horizontal = self._ambiguity.horizontal
        self._estimator: SpectrumEstimator
        if config.method == 'srp_phat':
            self._estimator = SrpPhat(feature_type_of(array, features))
        elif model is None:
            raise ConfigError('method cnn needs a model')
        else:
            self._estimator = Classifier.load(model, array, features, config.delegate)
        self.configure(config)
        self._filter = self._estimator.source_filter()
        self._mounting = _mounting(array, self._estimator.grid)

    @property
    def grid(self) -> DirectionGrid:
        """The directions that the classes of the spectrum stand for."""
        return self._estimator.grid

    @property
    def sensitivity_power(self) -> float:
        """The power of the odds of the sensitivity, for estimates."""
        return self._estimator.sensitivity_power

    def configure(self, config: LocalizerConfig) -> None:
        """Take over changed settings; the method stays."""
        self._least_confidence = config.least_confidence(self.sensitivity_power)
        self._prior_odds = config.prior_odds()
        self._report_stationary = config.report_stationary

    def reset(self) -> None:
        """Begin another stream."""
        self._filter.reset()

    def locate(self, window: WindowFeatures) -> Localization:
        """Return what is found up to a window, in the mounted frame.

        Successive calls are one stream. Estimates need the confidence that the sensitivity
        asks for; there are none in silence.
        """
        if window.gap != 0:
            self.reset()
        if self._report_stationary:
            # Steady sound is not above the noise floor: treat all sound as if it were.
            window = replace(window, activity=1.0)
        found = self._filter.update(self._estimator.spectra(window))
        return self._mounted(self._confident(self._folded(found)))

    def _folded(self, found: Localization) -> Localization:
        """Return only directions that the array can tell apart."""
        if self._horizontal and self.grid.elevation_min == 0:
            return found
        # Between two classes, one may lie just behind the plane of the microphones.
        return found.changed(lambda estimate: estimate.folded(self._ambiguity))

    def _confident(self, found: Localization) -> Localization:
        """Return the estimates and detections that are confident enough.

        The deviations of the estimates contain how uncertain the array's size is, then. Those of
        the detections do not: a tracker that averages them adds it afterwards.
        """
        estimates = (
            e.with_uncertain_size(self._ambiguity)
            for e in found.estimates
            if e.confidence >= self._least_confidence
        )
        detections = (
            d for d in map(self._with_prior, found.detections) if d.confidence >= _LEAST_DETECTION
        )
        return Localization(tuple(estimates), found.spectrum, tuple(detections))

    def _with_prior(self, detection: Estimate) -> Estimate:
        if self._prior_odds == 1:
            return detection
        return replace(
            detection, confidence=_with_prior_odds(detection.confidence, self._prior_odds)
        )

    def _mounted(self, found: Localization) -> Localization:
        """Return in the mounted frame what is found in the board's."""
        if self._mounting is None:
            return found
        mounted = found.changed(
            lambda estimate: replace(estimate, azimuth=self._array.frame_azimuth(estimate.azimuth))
        )
        return replace(mounted, spectrum=found.spectrum.redistributed(self._mounting))


def _with_prior_odds(confidence: float, prior_odds: float) -> float:
    """Return a confidence with other prior odds of a source; 1 changes nothing."""
    if math.isinf(prior_odds):
        return 1.0 if confidence else 0.0
    likely, unlikely = prior_odds * confidence, 1 - confidence
    return likely / (likely + unlikely) if likely else 0.0


def _mounting(array: MicArray, grid: DirectionGrid) -> np.ndarray | None:
    """Return the matrix that moves azimuth classes to where they are in the mounted frame.

    A direction between two classes is shared by both. None where nothing moves.
    """
    if not (array.face_down or array.rotation):
        return None
    count = grid.azimuth_count
    place = array.frame_azimuth(grid.azimuths) * count / (2 * np.pi)
    lower = np.floor(place + 1e-9)
    share = np.clip(place - lower, 0, 1)
    classes, lower = np.arange(count), lower.astype(int) % count
    matrix = np.zeros((count, count), dtype=np.float32)
    matrix[lower, classes] = 1 - share
    matrix[(lower + 1) % count, classes] += share
    return matrix
