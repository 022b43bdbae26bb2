# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Finding the settings with which a network's outputs are followed from frame to frame.

First, of a single source, those of the hidden Markov model, by maximum likelihood of what was
there, with sources that move, too. Then, with those that do not: the confidence, by Platt scaling
(J. Platt, "Probabilistic outputs for support vector machines and comparisons to regularized
likelihood methods", 1999); and, of talkers, a straight line that makes the elevation error
smallest, and the standard deviations, so that 68 % of the errors lie within.
"""

from dataclasses import astuple, dataclass, fields, replace
from functools import cached_property

import numpy as np
from scipy import optimize
from tqdm import tqdm

from doa_ros.core.geometry import wrap_angle
from doa_ros.core.localization.calibration import Calibration
from doa_ros.core.localization.decoding import (
    PEAK_SEPARATION,
    WITHIN,
    DirectionGrid,
    Estimate,
    Spectrum,
    logit,
)
from doa_ros.core.localization.hmm_filter import HmmFilter, HmmFilterConfig

# What the maximum likelihood finds, on scales on which steps are alike.
_FREE = {
    'bias': None,
    'activity_weight': np.log,
    'level_weight': np.log,
    'direction_share': np.log,
    'onset': np.log,
    'offset': np.log,
    'change': np.log,
    'drift_deg': np.log,
}
_EVALUATIONS = 300
_START = HmmFilterConfig()
# Estimates follow each other so closely that some are enough.
_EVERY = 3
_SEED = 3
# Keeps the settings near their defaults where a few noises alone would speak for others. Fitted to
# one noise of the val split and measured on another, 0.03 is as likely as 0.003; 0.1 and 0.3 less.
_PRIOR = 0.03
# What is tried for the elevation.
_ELEVATION_SHARES = (0.1, 0.2, 0.4, 0.7, 1.0)
# How fast a source goes around the array in some of the streams [rad/s].
_SPEED = np.radians([10.0, 60.0])
# Of several sources, countless peaks are so faint that they must not decide about the others.
_FAINT = 0.1
_LEAST = 1e-4
_ONE_SIGMA = 0.6827
# Of the deviations over what predicts them.
_STEEPEST = 5.0
# Those of the posterior as they are.
_RAW_DEVIATIONS = {
    f'{name}_{what}': getattr(Calibration(), f'{name}_{what}')
    for name in ('azimuth', 'elevation')
    for what in ('spread', 'power', 'fading')
}


@dataclass(frozen=True)
class Streams:
    """What a network said frame by frame in clips of one length, and what was there.

    Attributes:
        outputs: of the network or, of several sources, what is known of them after every frame;
            all arrays begin with the axes clips, frames, the coherence too.
        above_floor: how much of the sound stands above the noise floor, shape (clips, frames, 1).
        azimuth, elevation: true directions [rad], shape (clips, frames, sources); NaN without a
            source.
        voiced, quiet: whether a source is heard, or surely is not, shape (clips, frames, sources).
        silent: whether nothing may be heard, shape (clips, frames).
        brief: whether the sounds are short ones, shape (clips,).
        time: of the frames [s], shape (frames,).
    """

    outputs: Spectrum
    above_floor: np.ndarray
    azimuth: np.ndarray
    elevation: np.ndarray
    voiced: np.ndarray
    quiet: np.ndarray
    silent: np.ndarray
    brief: np.ndarray
    time: np.ndarray

    def stirred(self, rng: np.random.Generator) -> 'Streams':
        """Return the same with more movement: sources that never move would teach never to let go.

        A third of the clips stays, in another the sources go around the array, and in the last
        others take over halfway.
        """
        clips, frames = self.silent.shape
        classes = self.outputs.azimuth.shape[-1]
        step = 2 * np.pi / classes
        kind = np.arange(clips) % 3
        speed = rng.uniform(*_SPEED, clips) * rng.choice([-1, 1], clips) * (kind == 1)
        turns = np.round(speed[:, None] * self.time / step).astype(int)
        columns = (np.arange(classes) - turns[..., None]) % classes
        azimuth = np.take_along_axis(self.outputs.azimuth, columns, axis=2)
        outputs = replace(self.outputs, azimuth=azimuth)
        azimuth = wrap_angle(self.azimuth + step * turns[..., None])
        truth = azimuth, self.elevation, self.voiced, self.quiet, self.silent
        # The last third goes on as the next clip of its kind does.
        next_one = np.arange(clips)
        next_one[kind == 2] = np.roll(next_one[kind == 2], 1)
        second_half = np.arange(frames) >= frames // 2
        rows = np.where(second_half, next_one[:, None], np.arange(clips)[:, None])
        chosen = rows, np.arange(frames)
        return Streams(
            _frame(outputs, chosen),
            *(part[chosen] for part in (self.above_floor, *truth)),
            self.brief,
            self.time,
        )

    @cached_property
    def spoken(self) -> np.ndarray:
        """Whether any source is heard, shape (clips, frames)."""
        return self.voiced.any(axis=2)

    @cached_property
    def near(self) -> np.ndarray:
        """Which azimuth classes are right, shape (clips, frames, sources, classes)."""
        azimuths = DirectionGrid(self.outputs.azimuth.shape[-1], 0).azimuths
        distance = np.abs(wrap_angle(azimuths - self.azimuth[..., None])).astype(np.float32)
        return np.nan_to_num(distance, nan=np.pi) <= WITHIN + np.pi / len(azimuths)


def fit_memory(streams: Streams, grid: DirectionGrid, hop: float) -> HmmFilterConfig:
    """Return the settings that suit a network of a single source best.

    Args:
        streams: its outputs on clips it has not learnt from.
        grid: its classes.
        hop: time between frames [s].
    """
    moving = streams.stirred(np.random.default_rng(_SEED))

    def changed(values) -> HmmFilterConfig:
        found = {
            name: float(value if step is None else np.exp(value))
            for (name, step), value in zip(_FREE.items(), values, strict=True)
        }
        return replace(_START, **{name: _bounded(name, value) for name, value in found.items()})

    start = np.array(
        [
            getattr(_START, name) if step is None else np.log(getattr(_START, name))
            for name, step in _FREE.items()
        ]
    )
    with tqdm(total=_EVALUATIONS, desc='fit memory', unit='pass') as progress:

        def loss(values) -> float:
            known = _follow(moving, grid, hop, changed(values), elevations=False)
            result = _negative_log_likelihood(moving, known)
            progress.update()
            progress.set_postfix(loss=f'{result:.4f}')
            return result + _PRIOR * float(np.sum((np.array(values) - start) ** 2))

        simplex = np.array([start, *(start + 0.5 * row for row in np.eye(len(start)))])
        found = optimize.minimize(
            loss,
            start,
            method='Nelder-Mead',
            options={'maxfev': _EVALUATIONS, 'initial_simplex': simplex, 'adaptive': True},
        )
    confident = _with_confidence(streams, grid, hop, changed(found.x))
    lines = [
        _with_elevation(streams, grid, hop, replace(confident, elevation_share=share))
        for share in _ELEVATION_SHARES
    ]
    _, best = min(lines, key=lambda line: line[0])
    return fit_deviations(streams, grid, hop, best)


def fit_worth(
    streams: Streams, grid: DirectionGrid, hop: float, config: Calibration
) -> Calibration:
    """Return what suits the outputs of a network of several sources best.

    Args:
        streams: what is known of the sources in clips it has not learnt from.
        grid, hop: see `fit_memory`.
        config: of the share of the elevation, with which they were followed.
    """
    confident = _with_confidence(streams, grid, hop, config)
    _, best = _with_elevation(streams, grid, hop, confident)
    return fit_deviations(streams, grid, hop, best)


def _bounded(name: str, value: float) -> float:
    (field,) = (field for field in fields(HmmFilterConfig) if field.name == name)
    low, high = field.metadata['minimum'], field.metadata['maximum']
    value = value if low is None else max(value, low)
    return value if high is None else min(value, high)


def _follow(
    streams: Streams,
    grid: DirectionGrid,
    hop: float,
    config: HmmFilterConfig,
    *,
    elevations: bool = True,
) -> Spectrum:
    """Return what is known after every frame, as the outputs of `streams`."""
    memory = HmmFilter(grid, hop, config)
    outputs = streams.outputs
    if not elevations:
        outputs = replace(outputs, elevation=None)
    known = [
        memory.update(_frame(outputs, np.s_[:, k]), streams.above_floor[:, k])
        for k in range(len(streams.time))
    ]

    def of_all(head: str):
        return np.stack([getattr(spectrum, head) for spectrum in known], axis=1)

    return replace(
        outputs,
        azimuth=of_all('azimuth'),
        elevation=None if outputs.elevation is None else of_all('elevation'),
        activity=of_all('activity'),
    )


def _frame(outputs: Spectrum, index) -> Spectrum:
    return replace(
        outputs,
        azimuth=outputs.azimuth[index],
        elevation=None if outputs.elevation is None else outputs.elevation[index],
        activity=outputs.activity[index],
        coherence=outputs.coherence[index],
    )


def _negative_log_likelihood(streams: Streams, known: Spectrum) -> float:
    """Return the mean over the voiced sources plus that over the silent frames."""
    azimuth = known.azimuth[:, :, None]
    right = known.activity * np.where(streams.near, azimuth, 0).sum(axis=3)
    hits = np.log(np.maximum(right, _LEAST))[streams.voiced]
    misses = np.log(np.maximum(1 - known.activity[..., 0], _LEAST))[streams.silent]
    return -float(hits.mean() + misses.mean())


@dataclass(frozen=True)
class _Answers:
    """Estimates beside the truth, an array each.

    Attributes:
        estimates: with arrays in the place of numbers.
        azimuth_error: to the nearest voiced source [rad]; infinite where nobody speaks.
        elevation: of that source [rad].
        coherence: of the frame.
        brief: whether the sounds of the clip are short ones.
        certain: whether the estimate is of a voiced source or of nobody who may be heard.
    """

    estimates: Estimate
    azimuth_error: np.ndarray
    elevation: np.ndarray
    coherence: np.ndarray
    brief: np.ndarray
    certain: np.ndarray

    @property
    def hit(self) -> np.ndarray:
        return self.azimuth_error <= WITHIN

    def of_a_talker(self, several: bool) -> np.ndarray:
        """Return which answers count for deviations and elevation: those given to a talker."""
        # Of several sources one that is far from all is nobody's.
        heard = self.azimuth_error <= (PEAK_SEPARATION if several else np.pi)
        heard &= ~self.brief
        given = heard & (self.estimates.confidence >= 0.5)
        # All where a network is never sure.
        return given if given.any() else heard


def _answers(streams: Streams, grid: DirectionGrid, hop: float, config: Calibration) -> _Answers:
    """Return the estimates of some frames in which it is known who is to be heard."""
    if streams.outputs.several:
        known, estimates = streams.outputs, config.estimates
    else:
        known = _follow(streams, grid, hop, config)
        estimates = HmmFilter(grid, hop, config).estimates
    frames = np.argwhere(streams.spoken | streams.silent)[::_EVERY]
    rows = [
        (*astuple(estimate), i, k)
        for i, k in frames
        for estimate in estimates(_frame(known, (i, k)))
    ]
    *columns, clip, frame = np.array(rows).T
    where = clip.astype(int), frame.astype(int)
    distance = np.abs(wrap_angle(columns[0][:, None] - streams.azimuth[where]))
    distance = np.nan_to_num(distance, nan=np.inf)
    to_voiced = np.where(streams.voiced[where], distance, np.inf)
    nearest = to_voiced.argmin(axis=1)
    unsure = ~streams.voiced[where] & ~streams.quiet[where] & (distance <= PEAK_SEPARATION)
    error = to_voiced.min(axis=1)
    return _Answers(
        Estimate(*columns),
        error,
        streams.elevation[where][np.arange(len(rows)), nearest],
        streams.outputs.coherence[where],
        streams.brief[where[0]],
        (error <= WITHIN) | ~unsure.any(axis=1),
    )


def _with_confidence(
    streams: Streams, grid: DirectionGrid, hop: float, config: Calibration
) -> Calibration:
    answers = _answers(streams, grid, hop, config)
    several = streams.outputs.several
    counted = answers.certain
    if several:
        counted = counted & (answers.estimates.confidence >= _FAINT)
    hit = answers.hit[counted]
    odds = logit(answers.estimates.confidence[counted])

    def loss(values):
        weight, bias = (*values, 0.0)[:2]
        scaled = bias + weight * odds
        return float(np.mean(np.logaddexp(0, np.where(hit, -scaled, scaled))))

    # Of several sources, a peak that the network is undecided about stays undecided, though it is
    # right more often than not: one too many turns a robot's head, and one who is missed is found
    # a moment later. On the split val, this halves the spurious and misses nobody.
    start = [1.0] if several else [1.0, 0.0]
    weight, bias = (*optimize.minimize(loss, start, method='Nelder-Mead').x, 0.0)[:2]
    return replace(config, confidence_bias=float(bias), confidence_weight=max(float(weight), 0.0))


def _with_elevation(
    streams: Streams, grid: DirectionGrid, hop: float, config: Calibration
) -> tuple[float, Calibration]:
    """Return the mean error of the elevation [rad] and the settings with its line."""
    answers = _answers(streams, grid, hop, config)
    chosen = answers.of_a_talker(streams.outputs.several)
    seen, true = answers.estimates.elevation[chosen], answers.elevation[chosen]

    def loss(values):
        line = np.clip(values[0] * seen + values[1], grid.elevation_min, np.pi / 2)
        return float(np.mean(np.abs(line - true)))

    found = optimize.minimize(loss, [1.0, 0.0], method='Nelder-Mead')
    line = {'elevation_scale': found.x[0], 'elevation_shift_deg': np.degrees(found.x[1])}
    return found.fun, replace(config, **{n: _bounded(n, float(v)) for n, v in line.items()})


def fit_deviations(
    streams: Streams, grid: DirectionGrid, hop: float, config: Calibration
) -> Calibration:
    """Return settings with deviations that 68 % of the errors of talkers lie within.

    Args:
        streams, grid, hop: see `fit_memory`.
        config: all other settings.
    """
    config = replace(config, **_RAW_DEVIATIONS)
    answers = _answers(streams, grid, hop, config)
    chosen = answers.of_a_talker(streams.outputs.several)
    estimates = answers.estimates
    errors = {
        'azimuth': (answers.azimuth_error, estimates.azimuth_stddev),
        'elevation': (
            np.abs(estimates.elevation - answers.elevation),
            estimates.elevation_stddev,
        ),
    }
    found = {}
    log_coherence = np.log(np.maximum(answers.coherence, _LEAST))[chosen]
    for name, (error, stddev) in errors.items():
        log_error = np.log(np.maximum(error, _LEAST)[chosen])
        log_stddev = np.log(np.maximum(stddev, _LEAST)[chosen])
        predictors = np.stack([log_stddev, -log_coherence], axis=1)
        (power, fading), offset = _quantile_plane(predictors, log_error, _ONE_SIGMA)
        found[f'{name}_spread'] = float(np.exp(offset))
        found[f'{name}_power'] = power
        found[f'{name}_fading'] = fading
    return replace(config, **found)


def _quantile_plane(
    x: np.ndarray, y: np.ndarray, quantile: float
) -> tuple[tuple[float, ...], float]:
    """Return the plane with that share of the values below it everywhere.

    R. Koenker and G. Bassett, "Regression quantiles", Econometrica 46(1), 1978.

    Args:
        x: predictors, shape (values, predictors).
        y: shape (values,).
        quantile: the share, 0..1.

    Returns:
        The slopes, none of which is negative, and the value at 0.
    """
    middle = np.median(x, axis=0)

    def loss(values):
        rest = y - (x - middle) @ values[1:] - values[0]
        return float(np.mean(np.maximum(quantile * rest, (quantile - 1) * rest)))

    start = np.array([np.quantile(y, quantile), *np.ones(x.shape[1])])
    bounds = [(None, None), *[(0.0, _STEEPEST)] * x.shape[1]]
    height, *slopes = optimize.minimize(loss, start, method='Nelder-Mead', bounds=bounds).x
    return tuple(map(float, slopes)), float(height - slopes @ middle)
