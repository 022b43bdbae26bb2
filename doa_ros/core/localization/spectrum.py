# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Spectra: the probabilities of directions, of a single source or of several at once."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
import math
from typing import NamedTuple, Self

import numpy as np

from doa_ros.core.directions import PEAK_SEPARATION
from doa_ros.core.features.extractor import CLEAR_ACTIVITY
from doa_ros.core.localization.decoding import (
    Estimate,
    decode_azimuth,
    decode_azimuths,
    decode_elevation,
    decode_posterior,
)
from doa_ros.core.localization.output_heads import OUTPUT_HEADS, SourceAttribute

# Standard deviation of the error of a direction over that of the classes around its peak [1].
_PRECISION = 0.5


class Peak(NamedTuple):
    """A direction that may be one of a source.

    Attributes:
        azimuth: [rad] in (-pi, pi].
        stddev: standard deviation of the probabilities around it [rad].
        probability: of a source there, 0..1.
    """

    azimuth: float
    stddev: float
    probability: float


@dataclass(frozen=True)
class Spectrum(ABC):
    """The probabilities of directions; None if not estimated.

    Attributes:
        azimuth: per class, shape (azimuths,).
        elevation: per class, the sum is 1; the subclasses say its shape.
        activity: probability of any source, shape (1,).
        coherence: height of the steered response, 1 for a single plane wave; 1 where it is
            not computed.
        elevation_min: elevation of the first elevation class [rad].
        attributes: other outputs of a network about the sources, by the names of its output heads.
    """

    azimuth: np.ndarray
    elevation: np.ndarray | None = None
    activity: np.ndarray | None = None
    coherence: float | np.ndarray = 1.0
    elevation_min: float = 0.0
    attributes: Mapping[str, np.ndarray] = field(default_factory=dict)

    @classmethod
    def from_outputs(
        cls, outputs: Mapping[str, np.ndarray], *, elevation_min: float = 0.0
    ) -> Self:
        """Return the outputs of a network, by the names of their heads, as a spectrum."""
        attributes = {
            name: values
            for name, values in outputs.items()
            if isinstance(OUTPUT_HEADS[name], SourceAttribute)
        }
        own = {name: values for name, values in outputs.items() if name not in attributes}
        return cls(**own, elevation_min=elevation_min, attributes=attributes)

    @abstractmethod
    def peaks(self) -> list[Peak]:
        """Return where sources may be, the most probable first; at least one."""

    @property
    @abstractmethod
    def azimuth_distribution(self) -> np.ndarray:
        """The azimuth probabilities as a message gives them, shape (azimuths,)."""

    @property
    @abstractmethod
    def overall_elevation(self) -> np.ndarray | None:
        """Probability per elevation class whatever the azimuth, shape (elevations,)."""

    @property
    def elevation_distribution(self) -> np.ndarray | None:
        """The overall elevation, shape (elevations,); the sum is 1."""
        return None if self.overall_elevation is None else _normalized(self.overall_elevation)

    @abstractmethod
    def elevation_classes(self, azimuth: float) -> np.ndarray | None:
        """Return the probabilities of the elevations at an azimuth [rad], (elevations,)."""

    @abstractmethod
    def redistributed(self, matrix: np.ndarray) -> Self:
        """Return the spectrum with other azimuth classes.

        Args:
            matrix: which share of each class (column) goes to each other (row).
        """

    @property
    def p_source(self) -> float:
        """Probability of any source; 1 where it is not estimated."""
        return 1.0 if self.activity is None else float(self.activity[0])

    def elevation_at(self, azimuth: float) -> tuple[float, float]:
        """Return elevation and standard deviation at an azimuth [rad]; NaN where not known."""
        classes = self.elevation_classes(azimuth)
        if classes is None:
            return math.nan, math.nan
        return decode_elevation(classes, self.elevation_min)

    def estimate(self, peak: Peak) -> Estimate:
        """Return a peak with its elevation and attributes."""
        elevation, elevation_stddev = self.elevation_at(peak.azimuth)
        return Estimate(
            peak.azimuth,
            elevation,
            peak.stddev,
            elevation_stddev,
            peak.probability,
            self.attributes_at(peak.azimuth),
        )

    def attributes_at(self, azimuth: float) -> dict[str, float]:
        """Return the other values of a source at an azimuth [rad], by the names of their heads."""
        return {
            name: head.decode(values, azimuth)
            for name, values in self.attributes.items()
            if isinstance(head := OUTPUT_HEADS[name], SourceAttribute)
        }


class SingleSourceSpectrum(Spectrum):
    """At most one source: the azimuths sum to 1; elevation of shape (elevations,)."""

    def peaks(self) -> list[Peak]:
        """Return the strongest azimuth, and the share of the probabilities near it."""
        return [Peak(*decode_azimuth(self.azimuth))]

    @property
    def azimuth_distribution(self) -> np.ndarray:
        """The azimuth probabilities, shape (azimuths,); the sum is 1."""
        return _normalized(self.azimuth)

    @property
    def overall_elevation(self) -> np.ndarray | None:
        """Probability per elevation class, shape (elevations,)."""
        return self.elevation

    def elevation_classes(self, azimuth: float) -> np.ndarray | None:
        """Return the probabilities of the elevations, whatever the azimuth."""
        return self.elevation

    def redistributed(self, matrix: np.ndarray) -> Self:
        """Return the spectrum with other azimuth classes."""
        return replace(self, azimuth=matrix @ self.azimuth)


class SingleSourcePosterior(SingleSourceSpectrum):
    """Of one source, after many windows: narrower than a class, and with its activity."""

    def peaks(self) -> list[Peak]:
        """Return the strongest azimuth, and the probability of a source within 10 degrees."""
        azimuth, stddev, near = decode_posterior(self.azimuth)
        return [Peak(azimuth, stddev, self.p_source * near)]


class MultiSourceSpectrum(Spectrum):
    """Of several sources at once: each azimuth class has a probability of its own.

    The elevations are those of a source at each azimuth class, shape (azimuths, elevations).
    """

    def peaks(self, separation: float = PEAK_SEPARATION) -> list[Peak]:
        """Return at most four azimuths, the most probable first.

        Args:
            separation: nearer peaks are one [rad].
        """
        return [Peak(*peak) for peak in decode_azimuths(self.azimuth, separation)]

    @property
    def azimuth_distribution(self) -> np.ndarray:
        """The probability of a source at each azimuth, shape (azimuths,)."""
        return self.azimuth

    @property
    def overall_elevation(self) -> np.ndarray | None:
        """Mean over the azimuths, weighted by their probabilities, shape (elevations,)."""
        if self.elevation is None:
            return None
        return self.azimuth @ self.elevation / max(float(self.azimuth.sum()), 1e-9)

    def elevation_classes(self, azimuth: float) -> np.ndarray | None:
        """Return the probabilities of the elevations of a source at an azimuth [rad]."""
        if self.elevation is None:
            return None
        count = len(self.elevation)
        return self.elevation[round(azimuth / (2 * math.pi / count)) % count]

    def redistributed(self, matrix: np.ndarray) -> Self:
        """Return the spectrum with other azimuth classes, each with all that belongs to it."""
        return replace(
            self,
            azimuth=matrix @ self.azimuth,
            elevation=None if self.elevation is None else matrix @ self.elevation,
            attributes={name: matrix @ values for name, values in self.attributes.items()},
        )


def spectrum_type(multi_source: bool) -> type[Spectrum]:
    """Return what the outputs of a network are: a spectrum of a single source or of several."""
    return MultiSourceSpectrum if multi_source else SingleSourceSpectrum


def _normalized(probability: np.ndarray) -> np.ndarray:
    # int8 networks sum to 1 within their rounding only.
    return probability / max(float(probability.sum()), 1e-9)


@dataclass(frozen=True)
class ResidualSpectrum:
    """The spectrum after source cancellation.

    Attributes:
        spectrum: of the residual.
        uncancelled: which azimuth classes are apart from the cancelled direction, shape
            (azimuths,), bool; peaks at the others are rests of the cancelled source.
    """

    spectrum: Spectrum
    uncancelled: np.ndarray


@dataclass(frozen=True)
class WindowSpectra:
    """What a spectrum estimator finds in one analysis window alone.

    Attributes:
        whole: of the sound.
        above_floor: share of the sound above the noise floor, 0..1.
        sound_age: mean age of the sound, relative to the window [s].
        residual: of the sound without its loudest direction; None where it is not computed.
    """

    whole: Spectrum
    above_floor: float
    sound_age: float = 0.0
    residual: ResidualSpectrum | None = None

    @property
    def audibility(self) -> float:
        """How clearly the sound stands above the noise floor, from 0, not at all, to 1."""
        return min(1.0, self.above_floor / CLEAR_ACTIVITY)

    @cached_property
    def estimates(self) -> tuple[Estimate, ...]:
        """The peaks of the whole; sound near the noise floor lowers their confidences."""
        return tuple(
            self.whole.estimate(peak._replace(probability=self.audibility * peak.probability))
            for peak in self.whole.peaks()
        )

    def detections(self) -> list[Estimate]:
        """Return the estimates as detections for a tracker.

        Their standard deviations are those of the errors, not those of the classes around a peak,
        and the probability that there is no source lowers their confidences.
        """
        return [
            replace(
                estimate,
                azimuth_stddev=_PRECISION * estimate.azimuth_stddev,
                elevation_stddev=_PRECISION * estimate.elevation_stddev,
                confidence=self.whole.p_source * estimate.confidence,
            )
            for estimate in self.estimates
        ]
