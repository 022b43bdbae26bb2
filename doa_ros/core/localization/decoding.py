# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""From class probabilities to directions finer than a class."""

import cmath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
import math

import numpy as np
from scipy import special

from doa_ros.core.ambiguity import Ambiguity
from doa_ros.core.directions import PEAK_SEPARATION, elevation_step
from doa_ros.core.geometry import wrap_angle

# Classes within this angle of the peak take part in its refinement [rad].
_NEIGHBOURHOOD = math.radians(20)
# "Near the peak" in the confidence: half a class more than 10 degrees [rad].
_NEAR = math.radians(15)
# What counts as right [rad].
WITHIN = math.radians(10)
# Most peaks that are returned.
_MOST_SOURCES = 4
# Half a quantisation step of an int8 probability: it keeps the logarithm of 0 finite.
HALF_STEP = 1 / 512


@dataclass(frozen=True)
class Estimate:
    """One direction [rad] in the array's mounted frame.

    `elevation` and the standard deviations are NaN where they are not known; `confidence` is
    in 0..1. `attributes` holds other values of the source, by the names of a network's output
    heads.
    """

    azimuth: float
    elevation: float
    azimuth_stddev: float
    elevation_stddev: float
    confidence: float
    attributes: Mapping[str, float] = field(default_factory=dict, hash=False)

    @property
    def numbers(self) -> tuple[float, float, float, float, float]:
        """Azimuth, elevation, their standard deviations and the confidence."""
        return (
            self.azimuth,
            self.elevation,
            self.azimuth_stddev,
            self.elevation_stddev,
            self.confidence,
        )

    def folded(self, ambiguity: Ambiguity) -> 'Estimate':
        """Return how an array that cannot tell all directions apart gives this one."""
        azimuth, elevation = ambiguity.fold(self.azimuth, self.elevation)
        return replace(self, azimuth=float(azimuth), elevation=float(elevation))

    def with_uncertain_size(self, ambiguity: Ambiguity) -> 'Estimate':
        """Return it with the deviation that it has because the array's size is uncertain."""
        added = ambiguity.elevation_stddev(self.azimuth, self.elevation)
        if not added:
            return self
        return replace(self, elevation_stddev=math.hypot(self.elevation_stddev, added))


def decode_azimuth(probability: np.ndarray) -> tuple[float, float, float]:
    """Refine the strongest azimuth class by the mean direction of its neighbourhood.

    Args:
        probability: per class around the circle, shape (classes,).

    Returns:
        Azimuth [rad] in (-pi, pi], its standard deviation within the neighbourhood [rad], and
        the share of the probability that lies near the peak, 0..1.
    """
    probability = np.asarray(probability, dtype=float)
    azimuth, stddev = _refine(probability, int(probability.argmax()))
    near = _distances(len(probability), azimuth) <= _NEAR
    confidence = float(probability @ near) / max(float(probability.sum()), 1e-9)
    return azimuth, stddev, confidence


def decode_posterior(probability: np.ndarray) -> tuple[float, float, float]:
    """Refine the strongest azimuth class by a parabola through the log-probabilities.

    It suits probabilities that are too narrow for the mean of a neighbourhood, as after many
    windows.

    Args:
        probability: per class around the circle, shape (classes,), above 0.

    Returns:
        Azimuth [rad] in (-pi, pi], its standard deviation within the neighbourhood [rad], and
        the share of the probability within 10 degrees, 0..1.
    """
    count = len(probability)
    step = 2 * math.pi / count
    peak = int(probability.argmax())
    around = probability[[peak - 1, peak, (peak + 1) % count]].tolist()
    top = _vertex([math.log(p) for p in around], 0.0)
    azimuth = wrap_angle((peak + min(max(top, -0.5), 0.5)) * step)
    distance = _distances(count, azimuth)
    near = float(probability @ (distance <= WITHIN + step / 2)) / float(probability.sum())
    local = probability * (distance <= _NEIGHBOURHOOD)
    stddev = math.sqrt(float(local @ distance**2) / float(local.sum()))
    return azimuth, stddev, min(1.0, near)


@lru_cache(maxsize=8)
def _classes(count: int) -> np.ndarray:
    """Return the azimuths of so many classes around the circle [rad]."""
    return np.arange(count) * 2 * math.pi / count


def _distances(count: int, azimuth: float) -> np.ndarray:
    """Return how far azimuth classes are from an azimuth in (-pi, pi] [rad], shape (classes,)."""
    apart = np.abs(_classes(count) - azimuth)
    return np.minimum(apart, np.abs(2 * math.pi - apart))


def _vertex(values: Sequence[float], otherwise: float) -> float:
    """Return where the parabola through three values has its top, from the middle one [classes].

    Args:
        values: three.
        otherwise: the result where there is none.
    """
    left, centre, right = values
    curvature = left - 2 * centre + right
    return 0.5 * (left - right) / curvature if curvature < -1e-6 else otherwise


def decode_azimuths(
    probability: np.ndarray, separation: float = PEAK_SEPARATION
) -> list[tuple[float, float, float]]:
    """Refine every peak of classes that were judged one by one.

    Args:
        probability: per class around the circle, shape (classes,); need not sum to 1.
        separation: nearer peaks are one [rad].

    Returns:
        Azimuth [rad], standard deviation [rad] and the probability of the peak's class, 0..1, of
        each of the highest peaks, the highest first; at least one, at most four.
    """
    probability = np.asarray(probability, dtype=float)
    count = len(probability)
    step = 2 * math.pi / count
    # The tolerance keeps rounding errors from adding a class.
    apart = math.ceil(separation / step - 1e-9)
    higher = probability >= np.maximum(np.roll(probability, 1), np.roll(probability, -1))
    kept: list[int] = []
    for peak in sorted(np.flatnonzero(higher).tolist(), key=lambda k: -probability[k]):
        if all(apart <= (peak - k) % count <= count - apart for k in kept):
            kept.append(peak)
        if len(kept) == _MOST_SOURCES:
            break
    return [(*_refine(probability, peak), float(probability[peak])) for peak in kept]


def _refine(probability: np.ndarray, peak: int) -> tuple[float, float]:
    """Return mean direction and standard deviation [rad] of the classes around a peak."""
    count = len(probability)
    offsets, phasors = _neighbourhood(count)
    local = probability[(peak + offsets) % count]
    resultant = complex(local @ phasors) / max(float(local.sum()), 1e-9)
    azimuth = wrap_angle(peak * 2 * math.pi / count + cmath.phase(resultant))
    length = min(max(abs(resultant), 1e-6), 1.0)
    return azimuth, math.sqrt(2 * math.log(1 / length))


@lru_cache(maxsize=8)
def _neighbourhood(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return which of so many classes are around a peak, from it on, and their unit phasors."""
    step = 2 * math.pi / count
    reach = max(1, round(_NEIGHBOURHOOD / step))
    offsets = np.arange(-reach, reach + 1)
    return offsets, np.exp(1j * step * offsets)


def decode_elevation(probability: np.ndarray, elevation_min: float = 0.0) -> tuple[float, float]:
    """Refine the strongest elevation class by a parabola through the log-probabilities.

    Unlike a mean, the parabola has no bias towards the middle at the ends of the scale.

    Args:
        probability: per class, shape (classes,), at least three.
        elevation_min: that of the first class [rad]; that of the last is pi/2.

    Returns:
        Elevation [rad] from there to pi/2 and its standard deviation [rad].
    """
    # Of so few numbers, Python takes less time than NumPy.
    classes: list[float] = probability.tolist()
    count = len(classes)
    step = elevation_step(count, elevation_min)
    peak = classes.index(max(classes))
    middle = min(max(peak, 1), count - 2)
    logs = [math.log(p + HALF_STEP) for p in classes[middle - 1 : middle + 2]]
    position = middle + _vertex(logs, peak - middle)
    # The parabola may place the vertex anywhere; the peak's own class is a bound.
    position = min(max(position, peak - 0.5, 0.0), peak + 0.5, count - 1.0)
    spread = sum(p * (number - position) ** 2 for number, p in enumerate(classes))
    variance = spread / max(sum(classes), 1e-9)
    return elevation_min + position * step, math.sqrt(variance) * step


def logit(probability, least: float = HALF_STEP):
    """Return the log-odds of probabilities, finite for 0 and 1.

    Args:
        probability: 0..1.
        least: smallest distance from 0 and 1; that of the filter is far finer than int8.
    """
    if isinstance(probability, float):
        likely = min(max(probability, least), 1 - least)
        return math.log(likely / (1 - likely))
    return special.logit(np.clip(probability, least, 1 - least))
