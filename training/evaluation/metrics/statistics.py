# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Accuracy of methods with confidence intervals, from the table of frames."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
import math

import numpy as np

from doa_ros.core.localization.localizer import LocalizerConfig

from .bootstrap import Bootstrap, Figure, mean
from .frames import Frames, nearest_class

_CONFIDENCE_BINS = 10
_SENSITIVITIES = np.linspace(0, 1, 101)
# What is shown of the sensitivity.
SHOWN_SENSITIVITIES = np.array([0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95])
# Weights of so many frames are held at a time.
_CHUNK = 4_000_000


@dataclass(frozen=True)
class Metric:
    """A figure of merit.

    Attributes:
        name: column of results.csv.
        title: for people.
        values: a value, or several, per frame; NaN where the frame does not count.
        statistic: from the values that count, shape (frames, ...), their rooms, shape (frames,),
            and weights, shape (resamples, rooms), to the figure of each resample.
    """

    name: str
    title: str
    values: Callable[[Frames], np.ndarray]
    statistic: Callable


def _median(values, rooms, weights):
    order = np.argsort(values)
    ordered, rooms = values[order], rooms[order]
    result = []
    for chunk in np.array_split(weights, math.ceil(len(weights) * len(order) / _CHUNK)):
        below = np.cumsum(chunk[:, rooms], axis=1)
        half = below[:, -1:] / 2
        middle = ordered[(below >= half).argmax(axis=1)] + ordered[(below > half).argmax(axis=1)]
        result.append(np.where(half[:, 0] > 0, middle / 2, np.nan))
    return np.concatenate(result)


def _calibration_error(values, rooms, weights):
    """Expected calibration error of pairs (confidence, hit), shape (frames, 2)."""
    confidence, hit = values.T
    excess = np.zeros((weights.shape[1], _CONFIDENCE_BINS))
    np.add.at(excess, (rooms, confidence_bin(confidence)), confidence - hit)
    numbers = np.bincount(rooms, minlength=weights.shape[1])
    with np.errstate(invalid='ignore'):
        return np.abs(weights @ excess).sum(axis=1) / (weights @ numbers)


def _where(mask: np.ndarray, values: np.ndarray) -> np.ndarray:
    return np.where(mask, values, np.nan)


def _within(limit_deg: float):
    return lambda frames: _where(
        frames.guessed, frames.azimuth_error <= math.radians(limit_deg) + 1e-12
    )


def _class_hits(frames: Frames) -> np.ndarray:
    hits = np.full(len(frames), np.nan)
    counted, classes = frames.guessed, frames.azimuth_classes[frames.guessed]
    hits[counted] = nearest_class(frames.answer_azimuth[counted], classes) == nearest_class(
        frames.azimuth[counted], classes
    )
    return hits


def _confidence_and_hit(frames: Frames) -> np.ndarray:
    """Return confidences and whether there was a source within 10 degrees: not so in silence."""
    hit = np.where(frames.silent, 0.0, _within(10)(frames))
    return np.stack([frames.confidence, hit], axis=1)


def _answered(values: Callable[[Frames], np.ndarray]) -> Callable[[Frames], np.ndarray]:
    return lambda frames: _where(frames.voiced & frames.heard, values(frames))


def _covered(error: str, stddev: str) -> Callable[[Frames], np.ndarray]:
    def values(frames: Frames) -> np.ndarray:
        given = getattr(frames, stddev)
        # A method that says nothing about its errors has 0 or NaN.
        return _where(given > 0, getattr(frames, error) <= given)

    return _answered(values)


METRICS = (
    Metric('class_accuracy', 'right class', _class_hits, mean),
    Metric(
        'azimuth_mae_deg',
        'azimuth MAE [deg]',
        lambda f: _where(f.guessed, np.degrees(f.azimuth_error)),
        mean,
    ),
    Metric(
        'azimuth_median_deg',
        'azimuth median [deg]',
        lambda f: _where(f.guessed, np.degrees(f.azimuth_error)),
        _median,
    ),
    Metric('within_5', 'within 5 deg', _within(5), mean),
    Metric('within_10', 'within 10 deg', _within(10), mean),
    Metric('within_15', 'within 15 deg', _within(15), mean),
    Metric(
        'elevation_mae_deg',
        'elevation MAE [deg]',
        lambda f: _where(f.guessed, np.degrees(f.elevation_error)),
        mean,
    ),
    Metric(
        'great_circle_mean_deg',
        'great circle mean [deg]',
        lambda f: _where(f.guessed, np.degrees(f.great_circle_error)),
        mean,
    ),
    Metric(
        'great_circle_median_deg',
        'great circle median [deg]',
        lambda f: _where(f.guessed, np.degrees(f.great_circle_error)),
        _median,
    ),
    Metric('unanswered', 'unanswered', lambda f: _where(f.voiced, ~f.heard), mean),
    Metric(
        'answered_azimuth_mae_deg',
        'azimuth MAE of the answers [deg]',
        _answered(lambda f: np.degrees(f.azimuth_error)),
        mean,
    ),
    Metric(
        'answered_elevation_mae_deg',
        'elevation MAE of the answers [deg]',
        _answered(lambda f: np.degrees(f.elevation_error)),
        mean,
    ),
    Metric(
        'answered_within_10',
        'answers within 10 deg',
        lambda f: np.where(f.heard, _within(10)(f), np.nan),
        mean,
    ),
    Metric('silence_answered', 'silence answered', lambda f: _where(f.silent, f.heard), mean),
    Metric('calibration_error', 'calibration error', _confidence_and_hit, _calibration_error),
    Metric(
        'azimuth_covered',
        'azimuth within its standard deviation',
        _covered('azimuth_error', 'azimuth_stddev'),
        mean,
    ),
    Metric(
        'elevation_covered',
        'elevation within its standard deviation',
        _covered('elevation_error', 'elevation_stddev'),
        mean,
    ),
    Metric(
        'azimuth_stddev_median_deg',
        'median standard deviation of the azimuth [deg]',
        _answered(lambda f: np.degrees(f.azimuth_stddev)),
        _median,
    ),
    Metric(
        'elevation_stddev_median_deg',
        'median standard deviation of the elevation [deg]',
        _answered(lambda f: np.degrees(f.elevation_stddev)),
        _median,
    ),
)


def summarise(frames: Frames) -> dict[str, Figure]:
    """Return every metric of the frames of one method, by name."""
    bootstrap = Bootstrap(frames.room)
    return {
        metric.name: bootstrap.figure(metric.values(frames), metric.statistic)
        for metric in METRICS
    }


@dataclass(frozen=True)
class Binning:
    """Classes of frames that a figure is looked at over.

    Attributes:
        name: a column of Frames.
        title: for people, with the unit.
        edges: of the classes, in the unit of the title; the lower edge belongs to its class.
        scale: the unit of the column over that of the title.
    """

    name: str
    title: str
    edges: tuple[float, ...]
    scale: float = 1.0

    def index(self, frames: Frames) -> np.ndarray:
        """Return the class of each frame, -1 where it lies in none."""
        values = getattr(frames, self.name) / self.scale
        # Labels in [rad] or in float32 may lie a rounding error below an edge.
        found = np.searchsorted(self.edges, values + 1e-6, side='right') - 1
        inside = (found >= 0) & (found < len(self.edges) - 1) & ~np.isnan(values)
        return np.where(inside, found, -1)

    @property
    def labels(self) -> list[str]:
        """Names of the classes."""
        return [_label(low, high) for low, high in zip(self.edges, self.edges[1:], strict=False)]


def _label(low: float, high: float) -> str:
    if math.isinf(low):
        return f'< {high:g}'
    return f'>= {low:g}' if math.isinf(high) else f'{low:g}..{high:g}'


BINNINGS = (
    Binning('snr', 'SNR [dB]', (-math.inf, 0, 5, 10, 15, 20, 25, math.inf)),
    Binning('rt60', 'RT60 [s]', (0, 0.2, 0.4, 0.6, 0.8, math.inf)),
    Binning('distance', 'distance [m]', (0, 1, 2, 3, math.inf)),
    Binning(
        'elevation',
        'elevation [deg]',
        (-math.inf, 0, 15, 30, 45, 60, 75, math.inf),
        math.pi / 180,
    ),
    Binning('sources', 'talkers', (1, 2, 3, math.inf)),
)


@dataclass(frozen=True)
class Group:
    """Figures of a method over some of its frames.

    Attributes:
        method, condition: names; condition is empty where all of them are taken together.
        binning, label: which class of frames; empty where all are taken together.
        voiced, silent, rooms: how many frames there are, and of how many rooms.
        figures: by name of the metric.
    """

    method: str
    condition: str
    binning: str
    label: str
    voiced: int
    silent: int
    rooms: int
    figures: dict[str, Figure]


def groups(frames: Frames) -> Iterator[Group]:
    """Yield the figures of each method by condition, over all of them, and by each binning."""
    for method in dict.fromkeys(frames.method.tolist()):
        mine = frames.rows(frames.method == method)
        for condition in dict.fromkeys(mine.condition.tolist()):
            yield _group(mine.rows(mine.condition == condition), method, condition)
        yield _group(mine, method, '')
        for binning in BINNINGS:
            index = binning.index(mine)
            for number, label in enumerate(binning.labels):
                if np.any(index == number):
                    chosen = mine.rows(index == number)
                    yield _group(chosen, method, '', binning.name, label)


def _group(frames: Frames, method, condition, binning='', label='') -> Group:
    return Group(
        method,
        condition,
        binning,
        label,
        voiced=int(frames.voiced.sum()),
        silent=int(frames.silent.sum()),
        rooms=len(np.unique(frames.room)),
        figures=summarise(frames),
    )


def confidence_bin(confidence: np.ndarray) -> np.ndarray:
    """Return which of ten equal bins each confidence lies in."""
    return np.minimum((confidence * _CONFIDENCE_BINS).astype(int), _CONFIDENCE_BINS - 1)


@dataclass(frozen=True)
class TradeOff:
    """What the gate of a method trades for what; NaN where the method has no confidence.

    Attributes:
        sensitivity: the settings, shape (settings,).
        unanswered: share of the voiced frames that remain unanswered, shape (settings,).
        false: share of the voiced and silent frames with a false answer, where there is no source
            within 10 degrees, shape (settings,).
        silence: share of the silent frames that are answered, shape (settings,).
    """

    sensitivity: np.ndarray
    unanswered: np.ndarray
    false: np.ndarray
    silence: np.ndarray


def trade_off(frames: Frames, sensitivity: np.ndarray = _SENSITIVITIES) -> TradeOff:
    """Return what the gate trades for what.

    Args:
        frames: of one method.
        sensitivity: settings of the gate, shape (settings,).
    """
    values = _confidence_and_hit(frames)
    counted = ~np.isnan(values).any(axis=1)
    confidence, hit = values[counted].T
    voiced, silent = frames.voiced[counted], frames.silent[counted]
    least = [LocalizerConfig(sensitivity=float(s)).least_confidence for s in sensitivity]
    given = confidence >= np.array(least)[:, None]
    with np.errstate(invalid='ignore'):
        unanswered = (~given & voiced).sum(axis=1) / np.float64(voiced.sum())
        false = (given & (hit == 0)).sum(axis=1) / np.float64(len(hit))
        silence = (given & silent).sum(axis=1) / np.float64(silent.sum())
    return TradeOff(sensitivity, unanswered, false, silence)


def reliability(frames: Frames) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return how often a method is right as often as it says.

    Args:
        frames: of one method.

    Returns:
        Per bin of confidence its mean confidence, the share of the voiced and silent frames with
        a source within 10 degrees, and the number of frames; NaN in empty bins.
    """
    values = _confidence_and_hit(frames)
    confidence, hit = values[~np.isnan(values).any(axis=1)].T
    bins = confidence_bin(confidence)
    number = np.bincount(bins, minlength=_CONFIDENCE_BINS)
    with np.errstate(invalid='ignore'):
        mean = np.bincount(bins, confidence, _CONFIDENCE_BINS) / number
        right = np.bincount(bins, hit, _CONFIDENCE_BINS) / number
    return mean, right, number
