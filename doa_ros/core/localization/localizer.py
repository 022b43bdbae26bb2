# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Features in, directions out: the chosen method, its decoding and the gate."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
import math
from pathlib import Path
from typing import NamedTuple

import numpy as np

from doa_ros.core.ambiguity import ambiguity_of
from doa_ros.core.config import Config, setting
from doa_ros.core.errors import ConfigError
from doa_ros.core.features.extractor import CLEAR_ACTIVITY, FeatureConfig, WindowFeatures
from doa_ros.core.geometry import MicArray
from doa_ros.core.localization.classifier import Classifier
from doa_ros.core.localization.decoding import (
    DirectionGrid,
    Estimate,
    Spectrum,
    decode_azimuth,
    decode_azimuths,
)
from doa_ros.core.localization.hmm_filter import HmmFilter
from doa_ros.core.localization.recurrent_filter import RecurrentFilter
from doa_ros.core.localization.srp_phat import SrpPhat

# From this confidence on a direction may be of use to a tracker.
_LEAST_DETECTION = 0.15
# How far the sensitivity weighs the odds of a source. Confidences are nearly all near 0 or 1; with
# this power most settings change a few answers in noisy rooms, and none of them all.
_SENSITIVITY_POWER = 1.5
# Error of a direction over the spread of the classes around its peak [1].
_PRECISION = 0.5


@dataclass(frozen=True)
class MethodConfig(Config):
    """How directions are found."""

    method: str = setting(
        'cnn',
        'cnn: the trained network; srp_phat: steered response power, which needs no training.',
        choices=('cnn', 'srp_phat'),
    )


@dataclass(frozen=True)
class LocalizerConfig(MethodConfig):
    """How directions are found and when they are given."""

    sensitivity: float = setting(
        0.5,
        'How readily estimates are given: 0 never, 0.5 from a confidence of 0.5 on, 1 always. In '
        'between it multiplies the odds of a source by (sensitivity / (1 - sensitivity)) ^ 1.5: '
        'at 0.25 a confidence of 0.84 is needed, at 0.75 one of 0.16.',
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

    @property
    def prior_odds(self) -> float:
        """What the odds of a source are multiplied by: 0 at the sensitivity 0, infinite at 1."""
        if self.sensitivity == 1:
            return math.inf
        return (self.sensitivity / (1 - self.sensitivity)) ** _SENSITIVITY_POWER

    @property
    def least_confidence(self) -> float:
        """The confidence from which on an estimate is given: with the prior, even odds."""
        # A confidence can be exactly 1, and 0 answers never.
        return 1 / (1 + self.prior_odds) if self.sensitivity else math.inf


class _Peak(NamedTuple):
    """A direction that may be one of a source: azimuth and standard deviation [rad], 0..1."""

    azimuth: float
    stddev: float
    confidence: float


@dataclass(frozen=True)
class Localization:
    """What was heard in one window.

    Attributes:
        estimates: sorted by confidence, highest first; empty when nothing was heard.
        spectrum: class probabilities in the array's mounted frame.
        detections: what may be a source, for a tracker to sort out; in the same order. Of one
            source, in the averaged sound of this window alone, without what is remembered of those
            before; of several, all that the recurrent filter knows of.
    """

    estimates: tuple[Estimate, ...]
    spectrum: Spectrum
    detections: tuple[Estimate, ...] = ()


class Localizer:
    """Finds the direction of a sound from features.

    Args:
        array: the microphones.
        features: settings the features are computed with.
        config: method and gate.
        model: the .tflite file of method cnn.

    Raises:
        ConfigError: method cnn without a model, or an array that tells no azimuth.
        ModelError: the model is not usable or does not fit.
    """

    def __init__(
        self,
        array: MicArray,
        features: FeatureConfig,
        config: LocalizerConfig,
        model: Path | None = None,
    ):
        self.configure(config)
        self._array = array
        self._ambiguity = ambiguity_of(array)
        self._method: SrpPhat | Classifier
        self._memory: HmmFilter | RecurrentFilter | None = None
        if config.method == 'srp_phat':
            self._method = SrpPhat(array, features.lags)
        elif model is None:
            raise ConfigError('method cnn needs a model')
        else:
            self._method = classifier = Classifier.load(model, array, features, config.delegate)
            self._memory = classifier.source_filter()
        self._mounting = _mounting(array, self._method.grid)

    @property
    def grid(self):
        """The directions that the classes of the spectrum stand for."""
        return self._method.grid

    def configure(self, config: LocalizerConfig) -> None:
        """Take over changed settings; the method stays."""
        self._least_confidence = config.least_confidence
        self._prior_odds = config.prior_odds
        self._report_stationary = config.report_stationary

    def reset(self) -> None:
        """Forget what was heard: another stream begins."""
        if self._memory is not None:
            self._memory.reset()

    def locate(self, frame: WindowFeatures) -> Localization:
        """Return the directions in one frame of features; successive calls are one stream."""
        if frame.gap != 0:
            self.reset()
        # What stands above the noise floor is not steady.
        above_floor = 1.0 if self._report_stationary else frame.activity
        if isinstance(self._memory, RecurrentFilter):
            seen = self._method.look_twice(frame)
            spectrum = self._memory.update(*seen, above_floor, frame.sound_age)
            estimates = self._memory.estimates(spectrum)
            detections = self._memory.detections(spectrum)
        else:
            spectrum = self._method.spectrum(frame.gcc)
            peaks = _peaks(spectrum, above_floor)
            detections = self._seen(spectrum, peaks)
            if self._memory is None:
                estimates = [_estimate(spectrum, peak) for peak in peaks]
            else:
                spectrum = self._memory.update(spectrum, above_floor)
                estimates = self._memory.estimates(spectrum)
        if not self._ambiguity.horizontal:
            # Between two classes, one may lie just behind the plane of the microphones.
            estimates, detections = (
                [one.folded(self._ambiguity) for one in found] for found in (estimates, detections)
            )
        heard = tuple(e for e in estimates if e.confidence >= self._least_confidence)
        return self._mounted(Localization(heard, spectrum, self._detections(detections)))

    def _seen(self, spectrum: Spectrum, peaks: list[_Peak]) -> list[Estimate]:
        """Return the directions in a window by itself, as a tracker takes them."""
        activity = 1.0 if spectrum.activity is None else float(spectrum.activity[0])
        estimates = [_estimate(spectrum, peak) for peak in peaks]
        return [
            Estimate(
                seen.azimuth,
                seen.elevation if self._memory is None else self._memory.corrected(seen.elevation),
                _PRECISION * seen.azimuth_stddev,
                _PRECISION * seen.elevation_stddev,
                activity * seen.confidence,
            )
            for seen in estimates
        ]

    def _detections(self, found: Iterable[Estimate]) -> tuple[Estimate, ...]:
        """Return those of the directions that a tracker should look at."""
        weighed = (
            replace(seen, confidence=_with_prior_odds(seen.confidence, self._prior_odds))
            for seen in found
        )
        return tuple(seen for seen in weighed if seen.confidence >= _LEAST_DETECTION)

    def _mounted(self, board: Localization) -> Localization:
        """Return in the mounted frame what was found in the board's."""
        if self._mounting is None:
            return board
        spectrum = board.spectrum
        elevation = spectrum.elevation
        if spectrum.several and elevation is not None:
            elevation = self._mounting @ elevation
        estimates, detections = (
            tuple(replace(e, azimuth=self._array.frame_azimuth(e.azimuth)) for e in found)
            for found in (board.estimates, board.detections)
        )
        azimuth = self._mounting @ spectrum.azimuth
        mounted = replace(spectrum, azimuth=azimuth, elevation=elevation)
        return Localization(estimates, mounted, detections)


def _peaks(spectrum: Spectrum, activity: float) -> list[_Peak]:
    """Return the peaks of the azimuths, less confident where hardly anything is heard."""
    if spectrum.several:
        peaks = decode_azimuths(spectrum.azimuth)
    else:
        peaks = [decode_azimuth(spectrum.azimuth)]
    present = min(1.0, activity / CLEAR_ACTIVITY)
    return [_Peak(azimuth, stddev, present * share) for azimuth, stddev, share in peaks]


def _estimate(spectrum: Spectrum, peak: _Peak) -> Estimate:
    """Return a peak with its elevation."""
    elevation, elevation_stddev = spectrum.elevation_at(peak.azimuth)
    return Estimate(peak.azimuth, elevation, peak.stddev, elevation_stddev, peak.confidence)


def _with_prior_odds(confidence: float, prior_odds: float) -> float:
    """Return a confidence with other prior odds of a source; 1 changes nothing."""
    if math.isinf(prior_odds):
        return 1.0 if confidence else 0.0
    likely, unlikely = prior_odds * confidence, 1 - confidence
    return likely / (likely + unlikely) if likely else 0.0


def _mounting(array: MicArray, grid: DirectionGrid) -> np.ndarray | None:
    """Return the matrix that moves azimuth classes to where they are in the mounted frame.

    What comes to lie between two classes is shared by both. None where nothing moves.
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
