# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Finding the settings with which a network's outputs are followed from frame to frame.

First those of the hidden Markov model, by maximum likelihood of what was there, with sources that
move, too. Then, with those that do not: the confidence, by Platt scaling (J. Platt,
"Probabilistic outputs for support vector machines and comparisons to regularized likelihood
methods", 1999); a straight line that makes the elevation error smallest; and the standard
deviations, so that 68 % of the errors lie within.
"""

from dataclasses import astuple, dataclass, fields, replace

import numpy as np
from scipy import optimize
from tqdm import tqdm

from doa_ros.core.decoding import WITHIN, DirectionGrid, Spectrum
from doa_ros.core.geometry import wrap_angle
from doa_ros.core.memory import Memory, MemoryConfig, logit

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
_SEED = 3
# Keeps the settings near their defaults where a few noises alone would speak for others.
_PRIOR = 0.03
# What is tried for the elevation.
_ELEVATION_SHARES = (0.1, 0.2, 0.4, 0.7, 1.0)
# How fast a source goes around the array in some of the streams [rad/s].
_SPEED = np.radians([10.0, 60.0])
_LEAST = 1e-4
_ONE_SIGMA = 0.6827


@dataclass(frozen=True)
class Streams:
    """What a network said frame by frame in clips of one length, and what was there.

    Attributes:
        outputs: of the network; all arrays begin with the axes clips, frames.
        above_floor: how much of the sound stands above the noise floor, shape (clips, frames, 1).
        azimuth, elevation: true directions [rad], shape (clips, frames).
        voiced, silent: whether a source is heard, or nothing may be, shape (clips, frames).
        time: of the frames [s], shape (frames,).
    """

    outputs: Spectrum
    above_floor: np.ndarray
    azimuth: np.ndarray
    elevation: np.ndarray
    voiced: np.ndarray
    silent: np.ndarray
    time: np.ndarray

    def stirred(self, rng: np.random.Generator) -> 'Streams':
        """Return the same with more movement: sources that never move would teach never to let go.

        A third of the clips stays, in another the source goes around the array, and in the last
        another one takes over halfway.
        """
        clips, frames = self.voiced.shape
        classes = self.outputs.azimuth.shape[-1]
        step = 2 * np.pi / classes
        kind = np.arange(clips) % 3
        speed = rng.uniform(*_SPEED, clips) * rng.choice([-1, 1], clips) * (kind == 1)
        turns = np.round(speed[:, None] * self.time / step).astype(int)
        columns = (np.arange(classes) - turns[..., None]) % classes
        outputs = (
            np.take_along_axis(self.outputs.azimuth, columns, axis=-1),
            self.outputs.elevation,
            self.outputs.activity,
        )
        azimuth = wrap_angle(self.azimuth + step * turns)
        truth = (self.above_floor, azimuth, self.elevation, self.voiced, self.silent)
        # The last third goes on as the next clip of its kind does.
        next_one = np.arange(clips)
        next_one[kind == 2] = np.roll(next_one[kind == 2], 1)
        second_half = np.arange(frames) >= frames // 2
        rows = np.where(second_half, next_one[:, None], np.arange(clips)[:, None])
        chosen = rows, np.arange(frames)
        return Streams(
            Spectrum(*(part[chosen] for part in outputs)),
            *(part[chosen] for part in truth),
            self.time,
        )


def fit_memory(streams: Streams, grid: DirectionGrid, hop: float) -> MemoryConfig:
    """Return the settings that suit a network best.

    Args:
        streams: its outputs on clips it has not learnt from.
        grid: its classes.
        hop: time between frames [s].
    """
    config = MemoryConfig()
    moving = streams.stirred(np.random.default_rng(_SEED))

    def changed(values) -> MemoryConfig:
        found = {
            name: float(value if step is None else np.exp(value))
            for (name, step), value in zip(_FREE.items(), values, strict=True)
        }
        return replace(config, **{name: _bounded(name, value) for name, value in found.items()})

    start = np.array(
        [
            getattr(config, name) if step is None else np.log(getattr(config, name))
            for name, step in _FREE.items()
        ]
    )
    with tqdm(total=_EVALUATIONS, desc='fit memory', unit='pass') as progress:

        def loss(values) -> float:
            known = _follow(moving, grid, hop, changed(values))
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
    return _with_spreads(streams, grid, hop, best)


def _bounded(name: str, value: float) -> float:
    (field,) = (field for field in fields(MemoryConfig) if field.name == name)
    low, high = field.metadata['minimum'], field.metadata['maximum']
    value = value if low is None else max(value, low)
    return value if high is None else min(value, high)


def _follow(streams: Streams, grid: DirectionGrid, hop: float, config: MemoryConfig) -> Spectrum:
    """Return what is known after every frame, as the outputs of `streams`."""
    memory = Memory(grid, hop, config)
    outputs = streams.outputs
    known = [
        memory.update(
            Spectrum(outputs.azimuth[:, k], outputs.elevation[:, k], outputs.activity[:, k]),
            streams.above_floor[:, k],
        )
        for k in range(streams.voiced.shape[1])
    ]
    return Spectrum(
        *(
            np.stack([getattr(spectrum, head) for spectrum in known], axis=1)
            for head in ('azimuth', 'elevation', 'activity')
        )
    )


def _negative_log_likelihood(streams: Streams, known: Spectrum) -> float:
    """Return the mean over the voiced frames plus that over the silent ones."""
    count = known.azimuth.shape[-1]
    azimuths = DirectionGrid(count, 0).azimuths
    distance = np.abs(wrap_angle(azimuths - streams.azimuth[..., None]))
    near = np.where(distance <= WITHIN + np.pi / count, known.azimuth, 0).sum(axis=-1)
    activity = known.activity[..., 0]
    right = np.log(np.maximum(activity * near, _LEAST))[streams.voiced]
    quiet = np.log(np.maximum(1 - activity, _LEAST))[streams.silent]
    return -float(right.mean() + quiet.mean())


def _estimates(streams: Streams, grid: DirectionGrid, hop: float, config: MemoryConfig, where):
    """Return the estimates of some frames: azimuth, elevation, both deviations, confidence."""
    memory = Memory(grid, hop, config)
    known = _follow(streams, grid, hop, config)
    estimates = [
        memory.estimate(Spectrum(known.azimuth[i, k], known.elevation[i, k], known.activity[i, k]))
        for i, k in np.argwhere(where)
    ]
    return np.array([astuple(estimate) for estimate in estimates]).T


def _with_confidence(
    streams: Streams, grid: DirectionGrid, hop: float, config: MemoryConfig
) -> MemoryConfig:
    counted = streams.voiced | streams.silent
    azimuth, *_, confidence = _estimates(streams, grid, hop, config, counted)
    error = np.abs(wrap_angle(azimuth - streams.azimuth[counted]))
    hit = streams.voiced[counted] & (error <= WITHIN)
    odds = logit(confidence)

    def loss(values):
        scaled = values[0] + values[1] * odds
        return float(np.mean(np.logaddexp(0, np.where(hit, -scaled, scaled))))

    bias, weight = optimize.minimize(loss, [0.0, 1.0], method='Nelder-Mead').x
    return replace(
        config, confidence_bias=float(bias), confidence_weight=max(float(weight), 0.0)
    )


def _answered(confidence: np.ndarray) -> np.ndarray:
    """Return which voiced frames are answered; all where a network is never sure."""
    answered = confidence >= 0.5
    return answered if answered.any() else np.ones_like(answered)


def _with_elevation(
    streams: Streams, grid: DirectionGrid, hop: float, config: MemoryConfig
) -> tuple[float, MemoryConfig]:
    """Return the mean error of the elevation [rad] and the settings with its line."""
    voiced = streams.voiced
    _, seen, _, _, confidence = _estimates(streams, grid, hop, config, voiced)
    answered = _answered(confidence)
    seen, true = seen[answered], streams.elevation[voiced][answered]

    def loss(values):
        return float(np.mean(np.abs(np.clip(values[0] * seen + values[1], 0, np.pi / 2) - true)))

    found = optimize.minimize(loss, [1.0, 0.0], method='Nelder-Mead')
    line = {'elevation_scale': found.x[0], 'elevation_shift_deg': np.degrees(found.x[1])}
    return found.fun, replace(config, **{n: _bounded(n, float(v)) for n, v in line.items()})


def _with_spreads(
    streams: Streams, grid: DirectionGrid, hop: float, config: MemoryConfig
) -> MemoryConfig:
    voiced = streams.voiced
    azimuth, elevation, *stddevs, confidence = _estimates(streams, grid, hop, config, voiced)
    answered = _answered(confidence)
    errors = {
        'azimuth': np.abs(wrap_angle(azimuth - streams.azimuth[voiced])),
        'elevation': np.abs(elevation - streams.elevation[voiced]),
    }
    found = {}
    for (name, error), stddev in zip(errors.items(), stddevs, strict=True):
        log_error = np.log(np.maximum(error, _LEAST)[answered])
        log_stddev = np.log(np.maximum(stddev, _LEAST)[answered])
        power, offset = _quantile_line(log_stddev, log_error, _ONE_SIGMA)
        found[f'{name}_spread'] = float(np.exp(offset))
        found[f'{name}_power'] = _bounded(f'{name}_power', power)
    return replace(config, **found)


def _quantile_line(x: np.ndarray, y: np.ndarray, quantile: float) -> tuple[float, float]:
    """Return slope and offset of the line with that share of the values below it everywhere.

    R. Koenker and G. Bassett, "Regression quantiles", Econometrica 46(1), 1978.
    """
    middle = float(np.median(x))

    def loss(values):
        rest = y - values[0] * (x - middle) - values[1]
        return float(np.mean(np.maximum(quantile * rest, (quantile - 1) * rest)))

    start = [1.0, float(np.quantile(y, quantile))]
    slope, height = optimize.minimize(loss, start, method='Nelder-Mead').x
    return float(slope), float(height - slope * middle)
