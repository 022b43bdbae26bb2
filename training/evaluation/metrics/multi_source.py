# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Several talkers at a time: all estimates of a frame against all talkers in it.

In every frame estimates and voiced talkers are matched one to one, as many as lie within 15
degrees of azimuth of each other. A second estimate of one talker is as spurious as one of nobody.
Estimates near a talker who is neither voiced nor clearly silent count as neither right nor
spurious.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
import math

import numpy as np
from scipy.optimize import linear_sum_assignment

from doa_ros.core.errors import ConfigError
from doa_ros.core.geometry import MicArray, wrap_angle
from doa_ros.core.localization.decoding import Estimate

from ...data.clips import Clip
from ..methods.inputs import MethodInput
from ..methods.method import DirectionMethod
from ..scenes.blocks import HOP
from .columns import Columns
from .ratios import RatioMetric

# How far an estimate may be off the talker it is of [rad].
NEAR = math.radians(15)
_TOO_FAR = 1e6


@dataclass(frozen=True)
class Sets(Columns):
    """One row per frame and method.

    Attributes:
        method, condition, room: names.
        time: end of the frame in its clip [s].
        talkers: how many are voiced.
        certain: whether all others are clearly silent.
        given: number of estimates.
        found: how many of the voiced talkers have one.
        spurious: how many estimates are of nobody; the others are found or count as neither.
        counted: how many estimates are found or spurious.
        azimuth_error, elevation_error: sum of the absolute errors of the found [rad].
        with_elevation: how many of the found have an elevation.
    """

    method: np.ndarray
    condition: np.ndarray
    room: np.ndarray
    time: np.ndarray
    talkers: np.ndarray
    certain: np.ndarray
    given: np.ndarray
    found: np.ndarray
    spurious: np.ndarray
    counted: np.ndarray
    azimuth_error: np.ndarray
    elevation_error: np.ndarray
    with_elevation: np.ndarray


def match(azimuths: np.ndarray, others: np.ndarray, within: float) -> list[tuple[int, int]]:
    """Pair directions one to one: as many as possible, then as near as possible.

    Args:
        azimuths, others: [rad], shape (n,) and (m,).
        within: largest angle of a pair [rad].

    Returns:
        Indices of each pair.
    """
    error = np.abs(wrap_angle(np.subtract.outer(azimuths, others)))
    # Rounding decides nothing.
    near = error <= within + 1e-9
    rows, columns = linear_sum_assignment(np.where(near, error, _TOO_FAR))
    return [(int(i), int(k)) for i, k in zip(rows, columns, strict=True) if near[i, k]]


def collect_sets(
    array: MicArray, methods: Sequence[DirectionMethod], clips: Iterable[tuple[str, Clip]]
) -> Sets:
    """Let every method answer the same frames.

    Args:
        array: the microphones, with z pointing up.
        methods: to be compared.
        clips: simulated audio and the name of the condition it stands for.

    Raises:
        ConfigError: no clip holds a frame.
    """
    rows = []
    for condition, clip in clips:
        inputs = MethodInput(array, clip)
        for method in methods:
            for block, estimates in zip(inputs.blocks, method.estimates(inputs), strict=True):
                scored = _score(clip, block, estimates)
                rows.append((method.name, condition, clip.room, (block + 1) * HOP, *scored))
    if not rows:
        raise ConfigError('nothing to evaluate: no clip is long enough')
    return Sets(*(np.array(column) for column in zip(*rows, strict=True)))


def _score(clip: Clip, block: int, estimates: Sequence[Estimate]) -> tuple:
    """Return the columns of a frame from `talkers` on."""
    voiced = [source for source in clip.sources if source.voiced[block]]
    unsure = [s for s in clip.sources if not s.voiced[block] and not s.silent[block]]
    azimuths = np.array([estimate.azimuth for estimate in estimates])
    pairs = match(azimuths, np.array([s.azimuth[block] for s in voiced]), NEAR)
    matched = {first for first, _ in pairs}
    spurious = sum(
        number not in matched
        and all(abs(wrap_angle(azimuth - s.azimuth[block])) > NEAR for s in unsure)
        for number, azimuth in enumerate(azimuths)
    )
    errors = np.array(
        [
            (
                abs(wrap_angle(estimates[i].azimuth - voiced[k].azimuth[block])),
                abs(estimates[i].elevation - voiced[k].elevation[block]),
            )
            for i, k in pairs
        ]
    ).reshape(-1, 2)
    return (
        len(voiced),
        not unsure,
        len(estimates),
        len(pairs),
        spurious,
        len(pairs) + spurious,
        errors[:, 0].sum(),
        np.nansum(errors[:, 1]),
        int(np.count_nonzero(~np.isnan(errors[:, 1]))),
    )


def _recall_of(count: int) -> tuple[Callable, Callable]:
    return (
        lambda sets: np.where(sets.talkers == count, sets.found, 0),
        lambda sets: np.where(sets.talkers == count, sets.talkers, 0),
    )


SET_METRICS = (
    RatioMetric('recall', 'found within 15 deg', lambda s: s.found, lambda s: s.talkers),
    RatioMetric('spurious', 'spurious estimates', lambda s: s.spurious, lambda s: s.counted),
    RatioMetric(
        'spurious_in_speech',
        'spurious, somebody speaking',
        lambda s: np.where(s.talkers > 0, s.spurious, 0),
        lambda s: np.where(s.talkers > 0, s.counted, 0),
    ),
    RatioMetric('recall_of_one', 'found, one speaking', *_recall_of(1)),
    RatioMetric('recall_of_two', 'found, two speaking', *_recall_of(2)),
    RatioMetric(
        'right_count',
        'right number',
        lambda s: s.certain & (s.given == s.talkers),
        lambda s: s.certain,
    ),
    RatioMetric(
        'silence_answered',
        'silence answered',
        lambda s: s.certain & (s.talkers == 0) & (s.given > 0),
        lambda s: s.certain & (s.talkers == 0),
    ),
    RatioMetric(
        'azimuth_mae_deg',
        'azimuth MAE [deg]',
        lambda s: np.degrees(s.azimuth_error),
        lambda s: s.found,
    ),
    RatioMetric(
        'elevation_mae_deg',
        'elevation MAE [deg]',
        lambda s: np.degrees(s.elevation_error),
        lambda s: s.with_elevation,
    ),
)
