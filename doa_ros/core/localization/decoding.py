# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""From class probabilities to directions finer than a class.

A window has a few dozen classes, of which a few around each peak count: Python's own numbers take
less time for them than calls of NumPy.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
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
    values = probability.tolist()
    azimuth, stddev = _refine(values, values.index(max(values)))
    near = sum(values[k] for k, _ in _around(len(values), azimuth, _NEAR))
    return azimuth, stddev, near / max(sum(values), 1e-9)


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
    values = probability.tolist()
    count = len(values)
    step = 2 * math.pi / count
    peak = values.index(max(values))
    top = _vertex(values[peak - 1], values[peak], values[peak + 1 - count], 0.0)
    azimuth = wrap_angle((peak + min(max(top, -0.5), 0.5)) * step)
    local = [(values[k], distance) for k, distance in _around(count, azimuth, _NEIGHBOURHOOD)]
    variance = sum(p * distance**2 for p, distance in local) / sum(p for p, _ in local)
    near = sum(values[k] for k, _ in _around(count, azimuth, WITHIN + step / 2))
    return azimuth, math.sqrt(variance), min(1.0, near / sum(values))


def _around(count: int, azimuth: float, limit: float) -> list[tuple[int, float]]:
    """Return the classes around an azimuth, and how far each is from it [rad].

    Args:
        count: of the classes around the circle.
        azimuth: [rad].
        limit: the farthest [rad].
    """
    step = 2 * math.pi / count
    # The tolerance keeps rounding errors from leaving a class out.
    first, last = (azimuth - limit) / step - 1e-9, (azimuth + limit) / step + 1e-9
    return [
        (number % count, number * step - azimuth)
        for number in range(math.ceil(first), math.floor(last) + 1)
    ]


def _vertex(left: float, centre: float, right: float, otherwise: float) -> float:
    """Return where the parabola through three logarithms has its top, from the middle [classes].

    Args:
        left, centre, right: probabilities of neighbours, above 0.
        otherwise: the result where there is none.
    """
    left, centre, right = math.log(left), math.log(centre), math.log(right)
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
    values = probability.tolist()
    count = len(values)
    step = 2 * math.pi / count
    # The tolerance keeps rounding errors from adding a class.
    apart = math.ceil(separation / step - 1e-9)
    kept: list[int] = []
    # The index before the first class is that of the last.
    peaks = [k for k in range(count) if values[k - 1] <= values[k] >= values[k + 1 - count]]
    for peak in sorted(peaks, key=lambda k: -values[k]):
        if all(apart <= (peak - k) % count <= count - apart for k in kept):
            kept.append(peak)
        if len(kept) == _MOST_SOURCES:
            break
    return [(*_refine(values, peak), values[peak]) for peak in kept]


def _refine(values: Sequence[float], peak: int) -> tuple[float, float]:
    """Return mean direction and standard deviation [rad] of the classes around a peak."""
    count = len(values)
    step = 2 * math.pi / count
    reach = max(1, round(_NEIGHBOURHOOD / step))
    total = ahead = aside = 0.0
    for offset in range(-reach, reach + 1):
        value = values[(peak + offset) % count]
        total += value
        ahead += value * math.cos(offset * step)
        aside += value * math.sin(offset * step)
    azimuth = wrap_angle(peak * step + math.atan2(aside, ahead))
    length = math.hypot(ahead, aside) / max(total, 1e-9)
    return azimuth, math.sqrt(2 * math.log(1 / min(max(length, 1e-6), 1.0)))


def decode_elevation(probability: np.ndarray, elevation_min: float = 0.0) -> tuple[float, float]:
    """Refine the strongest elevation class by a parabola through the log-probabilities.

    Unlike a mean, the parabola has no bias towards the middle at the ends of the scale.

    Args:
        probability: per class, shape (classes,), at least three.
        elevation_min: that of the first class [rad]; that of the last is pi/2.

    Returns:
        Elevation [rad] from there to pi/2 and its standard deviation [rad].
    """
    values = probability.tolist()
    count = len(values)
    step = elevation_step(count, elevation_min)
    peak = values.index(max(values))
    middle = min(max(peak, 1), count - 2)
    left, centre, right = (value + HALF_STEP for value in values[middle - 1 : middle + 2])
    position = middle + _vertex(left, centre, right, peak - middle)
    # The parabola may place the vertex anywhere; the peak's own class is a bound.
    position = min(max(position, peak - 0.5, 0.0), peak + 0.5, count - 1.0)
    spread = sum(value * (number - position) ** 2 for number, value in enumerate(values))
    stddev = math.sqrt(spread / max(sum(values), 1e-9))
    return elevation_min + position * step, stddev * step


def logit(probability, least: float = HALF_STEP):
    """Return the log-odds of probabilities, finite for 0 and 1.

    Args:
        probability: 0..1.
        least: smallest distance from 0 and 1; that of the filter is far finer than int8.
    """
    if isinstance(probability, float):
        likely = min(max(probability, least), 1 - least)
        return math.log(likely / (1 - likely))
    # In two steps: np.clip takes longer than both for a window.
    return special.logit(np.minimum(np.maximum(probability, least), 1 - least))
