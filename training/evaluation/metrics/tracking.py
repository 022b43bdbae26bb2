# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Talkers that are followed: tracks against the paths of those who walk.

In every frame, tracks and voiced talkers are matched one to one, as many as lie within 30 degrees
of azimuth of each other (K. Bernardin and R. Stiefelhagen, "Evaluating multiple object tracking
performance", EURASIP J. Image and Video Processing, 2008). Beside tracks stand the estimates of
the same method, and their OSPA distance (D. Schuhmacher, B.-T. Vo and B.-N. Vo, "A consistent
metric for performance evaluation of multi-object filters", IEEE Trans. Signal Processing 56(8),
2008), with a cut-off of 30 degrees and of order 1.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
import math

import numpy as np
from scipy.optimize import linear_sum_assignment

from doa_ros.core.errors import ConfigError
from doa_ros.core.geometry import MicArray, wrap_angle

from ...data.clips import Clip, Source
from ..methods.inputs import MethodInput
from ..methods.method import TrackingMethod, Tracks
from ..scenes.blocks import FIRST_BLOCK, HOP
from .columns import Columns
from .multi_source import match
from .ratios import RatioMetric

# How far a track may be off the talker it is of, and the cut-off of OSPA [rad].
_WITHIN = math.radians(30)
# Whose track it is counts while all others are so far away [rad].
_CLEAR = math.radians(45)
# A talker is followed if he is for this share of the frames that count.
_FOLLOWED = 0.5
# A track is to be confirmed so long after its talker is first expected [s].
PROMPT = 0.3


@dataclass(frozen=True)
class TrackScores(Columns):
    """One row per clip and method.

    Attributes:
        method, condition, room: names.
        minutes: length of the clip.
        talkers: how many there are.
        pairs: voiced frames times talkers.
        found: how many of these have a track or an estimate.
        squared_error: sum over the found [rad^2].
        changes: how often a talker gets another identity while all others are far away; NaN
            where there are no identities, as are the next six.
        met: whether two talkers meet.
        through: whether both have the same track just before and after they meet.
        kept: whether all talkers are followed, each by one and the same track all the time.
        confirmed: how many talkers have a track some time.
        prompt: how many have it within 0.3 s of the first frame they are expected in.
        delay: sum of the times until then [s].
        false: how many tracks are never near anybody who is not silent.
        frames: how many have a voiced talker, and no other who is not clearly silent.
        ospa: sum over these [rad].
        answered: how many silent frames have any output.
        silent: how many silent frames there are.
    """

    method: np.ndarray
    condition: np.ndarray
    room: np.ndarray
    minutes: np.ndarray
    talkers: np.ndarray
    pairs: np.ndarray
    found: np.ndarray
    squared_error: np.ndarray
    changes: np.ndarray
    met: np.ndarray
    through: np.ndarray
    kept: np.ndarray
    confirmed: np.ndarray
    prompt: np.ndarray
    delay: np.ndarray
    false: np.ndarray
    frames: np.ndarray
    ospa: np.ndarray
    answered: np.ndarray
    silent: np.ndarray


@dataclass(frozen=True)
class Trace:
    """A clip and what a method made of it, for plots."""

    condition: str
    method: str
    sources: tuple[Source, ...]
    outputs: list[Tracks]


def collect_tracks(
    array: MicArray,
    methods: Sequence[TrackingMethod],
    clips: Iterable[tuple[str, Clip]],
    traces: list[Trace],
    traced: int = 3,
) -> TrackScores:
    """Let every method follow the talkers of the same clips.

    Args:
        array: the microphones, with z pointing up.
        methods: to be compared.
        clips: simulated audio and the name of the condition it stands for.
        traces: where the first clips of every condition are put.
        traced: how many of them.

    Raises:
        ConfigError: there is no clip.
    """
    rows = []
    seen: dict[tuple[str, str], int] = {}
    for condition, clip in clips:
        inputs = MethodInput(array, clip)
        for method in methods:
            outputs = method.tracks(inputs)
            scored = _score(clip, outputs, method.has_identities)
            rows.append((method.name, condition, clip.room, *scored))
            key = condition, method.name
            seen[key] = seen.get(key, 0) + 1
            if seen[key] <= traced:
                traces.append(Trace(condition, method.name, clip.sources, outputs))
    if not rows:
        raise ConfigError('nothing to evaluate: there is no clip')
    return TrackScores(*(np.array(column) for column in zip(*rows, strict=True)))


def _score(clip: Clip, outputs: list[Tracks], tracks: bool) -> tuple:
    """Return the columns of a clip from `minutes` on."""
    errors, ospa = [], []
    pairs = answered = 0
    # The track of every talker in each frame that tells whose it is: 0 for none.
    identities: list[list[int]] = [[] for _ in clip.sources]
    # In which of these frames they have yet to meet.
    before: list[list[bool]] = [[] for _ in clip.sources]
    meeting = _meeting(clip.sources)
    first_found: dict[int, int] = {}
    near_somebody: set[int] = set()
    for block in range(FIRST_BLOCK, len(clip.silent)):
        numbers = [number for number, _ in outputs[block]]
        azimuths = np.array([azimuth for _, azimuth in outputs[block]])
        heard = [k for k, source in enumerate(clip.sources) if source.voiced[block]]
        true = np.array([clip.sources[k].azimuth[block] for k in heard])
        found = match(azimuths, true, _WITHIN)
        errors += [abs(wrap_angle(azimuths[i] - true[k])) for i, k in found]
        pairs += len(heard)
        answered += bool(clip.silent[block] and numbers)
        names = {heard[k]: numbers[i] for i, k in found}
        for k in heard:
            if _is_clear(clip.sources, k, block):
                identities[k].append(names.get(k, 0))
                before[k].append(block < meeting)
            if k in names:
                first_found.setdefault(k, block)
        around = [s.azimuth[block] for s in clip.sources if not s.silent[block]]
        near = np.abs(wrap_angle(np.subtract.outer(azimuths, around))) <= _WITHIN
        near_somebody |= {number for number, row in zip(numbers, near, strict=True) if row.any()}
        if heard and len(heard) + sum(s.silent[block] for s in clip.sources) == len(clip.sources):
            ospa.append(_ospa(azimuths, true))
    minutes = len(clip.silent) * HOP / 60
    delays = _delays(clip, first_found)
    of_tracks: tuple = (math.nan,) * 8
    if tracks:
        all_numbers = {number for output in outputs[FIRST_BLOCK:] for number, _ in output}
        of_tracks = (
            sum(_changes(ids) for ids in identities),
            meeting > 0,
            meeting > 0 and all(map(_is_through, identities, before)),
            all(_is_kept(ids) for ids in identities) and bool(identities),
            len(delays),
            sum(delay <= PROMPT + 1e-9 for delay in delays),
            sum(delays),
            len(all_numbers - near_somebody),
        )
    return (
        minutes,
        len(clip.sources),
        pairs,
        len(errors),
        float(np.sum(np.square(errors))),
        *of_tracks,
        len(ospa),
        float(np.sum(ospa)),
        answered,
        int(np.count_nonzero(clip.silent[FIRST_BLOCK:])),
    )


def _is_clear(sources: Sequence[Source], number: int, block: int) -> bool:
    """Return whether a track near one talker cannot be that of another."""
    own = sources[number].azimuth[block]
    others = [s.azimuth[block] for k, s in enumerate(sources) if k != number]
    return all(abs(wrap_angle(own - other)) >= _CLEAR for other in others)


def _changes(ids: list[int]) -> int:
    followed = [number for number in ids if number]
    return sum(a != b for a, b in zip(followed, followed[1:], strict=False))


def _meeting(sources: Sequence[Source]) -> int:
    """Return the block in which two talkers are nearest to each other; 0 unless there are two."""
    if len(sources) != 2:
        return 0
    return int(np.argmin(np.abs(wrap_angle(sources[0].azimuth - sources[1].azimuth))))


def _is_through(ids: list[int], before: list[bool]) -> bool:
    """Return whether the last track before the meeting is the first one after it."""
    earlier = [number for number, early in zip(ids, before, strict=True) if number and early]
    later = [number for number, early in zip(ids, before, strict=True) if number and not early]
    return bool(earlier and later) and earlier[-1] == later[0]


def _is_kept(ids: list[int]) -> bool:
    followed = [number for number in ids if number]
    return len(set(followed)) == 1 and len(followed) >= _FOLLOWED * len(ids)


def _delays(clip: Clip, first_found: dict[int, int]) -> list[float]:
    """Return how long every talker who is found had to wait for it [s]."""
    return [
        (block - max(FIRST_BLOCK, int(np.argmax(clip.sources[k].voiced)))) * HOP
        for k, block in first_found.items()
    ]


def _ospa(azimuths: np.ndarray, true: np.ndarray) -> float:
    """Return the OSPA distance of order 1 [rad] of two sets, the second not empty."""
    errors = np.abs(wrap_angle(np.subtract.outer(azimuths, true))).clip(max=_WITHIN)
    assigned = linear_sum_assignment(errors)
    largest, smallest = max(errors.shape), min(errors.shape)
    return float(errors[assigned].sum() + _WITHIN * (largest - smallest)) / largest


def _one(tracks: TrackScores) -> np.ndarray:
    return (~np.isnan(tracks.kept) & (tracks.talkers > 0)).astype(float)


TRACK_METRICS = (
    RatioMetric(
        'azimuth_rmse_deg',
        'azimuth RMSE [deg]',
        lambda t: np.degrees(np.degrees(t.squared_error)),
        lambda t: t.found,
        rooted=True,
    ),
    RatioMetric('found', 'followed', lambda t: t.found, lambda t: t.pairs),
    RatioMetric(
        'through',
        'identity kept through the meeting',
        lambda t: np.nan_to_num(t.through),
        lambda t: np.nan_to_num(t.met),
    ),
    RatioMetric('kept', 'identity kept all the time', lambda t: t.kept, _one),
    RatioMetric('changes', 'changes of identity per scene', lambda t: t.changes, _one),
    RatioMetric('prompt', 'confirmed in 0.3 s', lambda t: t.prompt, lambda t: _one(t) * t.talkers),
    RatioMetric(
        'delay',
        'confirmed after [s]',
        lambda t: t.delay,
        lambda t: np.nan_to_num(t.confirmed),
    ),
    RatioMetric('ospa_deg', 'OSPA [deg]', lambda t: np.degrees(t.ospa), lambda t: t.frames),
    RatioMetric(
        'false_tracks',
        'false tracks in 10 min',
        lambda t: 10 * t.false,
        lambda t: np.where(np.isnan(t.false), 0, t.minutes),
    ),
    RatioMetric('silence_answered', 'silence answered', lambda t: t.answered, lambda t: t.silent),
)
