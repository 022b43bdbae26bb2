# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Fitting the calibration of the outputs of a filter.

With sources that stand still: the confidence, by Platt scaling (J. Platt, "Probabilistic outputs
for support vector machines and comparisons to regularized likelihood methods", 1999), and how far
the sensitivity moves it; and, of talkers, a straight line that makes the elevation error smallest,
and the standard deviations, so that 68 % of the errors lie within.
"""

from dataclasses import dataclass, fields, replace

import numpy as np
from scipy import optimize

from doa_ros.core.config import Config
from doa_ros.core.directions import PEAK_SEPARATION
from doa_ros.core.geometry import wrap_angle
from doa_ros.core.localization.calibration import LEAST_PROBABILITY, Calibration
from doa_ros.core.localization.decoding import WITHIN, logit

from .labelled_outputs import LabelledOutputs, window_of

# Estimates follow each other so closely that some are enough.
_EVERY = 3
# Of several sources, countless peaks are so faint that they must not decide about the others.
_FAINT = 0.1
_LEAST = 1e-4
_ONE_SIGMA = 0.6827
# At the least sensitivity that is of use, this share of the voices that are answered remains.
_LEAST_SENSITIVITY, _LEAST_ANSWERED = 0.05, 0.25
# Of the deviations over what predicts them.
_STEEPEST = 5.0
# Those of the posterior as they are.
_RAW_DEVIATIONS = {
    f'{name}_{what}': getattr(Calibration(), f'{name}_{what}')
    for name in ('azimuth', 'elevation')
    for what in ('spread', 'power', 'fading')
}


def fit_calibration(labelled: LabelledOutputs) -> Calibration:
    """Return the calibration that suits the outputs of a filter best.

    Args:
        labelled: its outputs in clips that nothing has learnt from.
    """
    confident = fit_confidence(labelled, Calibration())
    _, best = fit_elevation(labelled, confident)
    return fit_sensitivity(labelled, fit_deviations(labelled, best))


def fit_confidence(labelled: LabelledOutputs, calibration: Calibration) -> Calibration:
    """Return a calibration with confidences that are right as often as they say.

    Args:
        labelled: outputs of the filter.
        calibration: all other settings.
    """
    answers = _answers(labelled, calibration)
    multi_source = labelled.multi_source
    counted = answers.certain
    if multi_source:
        counted = counted & (answers.confidence >= _FAINT)
    hit = answers.hit[counted]
    odds = logit(answers.confidence[counted], LEAST_PROBABILITY)

    def loss(values):
        weight, bias = (*values, 0.0)[:2]
        scaled = bias + weight * odds
        return float(np.mean(np.logaddexp(0, np.where(hit, -scaled, scaled))))

    # Of several sources, a peak that the network is undecided about stays undecided, though it is
    # right more often than not: a robot turns its head to a false source, and finds a missed one
    # a moment later. On the split val, this halves the false sources and misses none.
    start = [1.0] if multi_source else [1.0, 0.0]
    weight, bias = (*optimize.minimize(loss, start, method='Nelder-Mead').x, 0.0)[:2]
    weight = max(float(weight), 0.0)
    return replace(calibration, confidence_bias=float(bias), confidence_weight=weight)


def fit_sensitivity(labelled: LabelledOutputs, calibration: Calibration) -> Calibration:
    """Return a calibration with which the whole range of the sensitivity trades answers.

    Args:
        labelled: outputs of the filter.
        calibration: all other settings, with true confidences.
    """
    answers = _answers(labelled, calibration)
    given = answers.hit & (answers.confidence >= 0.5)
    if not given.any():
        return calibration
    odds = logit(answers.confidence[given], LEAST_PROBABILITY)
    power = np.quantile(odds, 1 - _LEAST_ANSWERED) / -logit(_LEAST_SENSITIVITY)
    power = within_bounds(Calibration, 'sensitivity_power', round(float(power), 2))
    return replace(calibration, sensitivity_power=power)


def fit_elevation(
    labelled: LabelledOutputs, calibration: Calibration
) -> tuple[float, Calibration]:
    """Return the least mean error of the elevation [rad], and the calibration that gives it.

    Args:
        labelled: outputs of the filter.
        calibration: all other settings, with true confidences.
    """
    answers = _answers(labelled, calibration)
    chosen = answers.of_a_talker(labelled.multi_source)
    seen, true = answers.elevation[chosen], answers.true_elevation[chosen]

    def loss(values):
        line = np.clip(values[0] * seen + values[1], labelled.outputs.elevation_min, np.pi / 2)
        return float(np.mean(np.abs(line - true)))

    found = optimize.minimize(loss, [1.0, 0.0], method='Nelder-Mead')
    line = {'elevation_scale': found.x[0], 'elevation_shift_deg': np.degrees(found.x[1])}
    return found.fun, replace(
        calibration, **{n: within_bounds(Calibration, n, float(v)) for n, v in line.items()}
    )


def fit_deviations(labelled: LabelledOutputs, calibration: Calibration) -> Calibration:
    """Return a calibration with deviations that 68 % of the errors of talkers lie within.

    Args:
        labelled: outputs of the filter.
        calibration: all other settings.
    """
    calibration = replace(calibration, **_RAW_DEVIATIONS)
    answers = _answers(labelled, calibration)
    chosen = answers.of_a_talker(labelled.multi_source)
    # The localizer adds the uncertain size of the array in squares.
    rest = (answers.elevation - answers.true_elevation) ** 2 - answers.size_stddev**2
    errors = {
        'azimuth': (answers.azimuth_error, answers.azimuth_stddev),
        'elevation': (np.sqrt(np.maximum(rest, 0)), answers.elevation_stddev),
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
    return replace(calibration, **found)


def within_bounds(kind: type[Config], name: str, value: float) -> float:
    """Return the allowed value of a setting that is nearest to the given one."""
    (field,) = (field for field in fields(kind) if field.name == name)
    low, high = field.metadata['minimum'], field.metadata['maximum']
    value = value if low is None else max(value, low)
    return value if high is None else min(value, high)


@dataclass(frozen=True)
class _Answers:
    """Estimates beside the truth, an array each.

    Attributes:
        elevation, azimuth_stddev, elevation_stddev: of the estimate [rad].
        size_stddev: how uncertain the elevation is because the array's size is [rad].
        confidence: of the estimate, 0..1.
        azimuth_error: to the nearest voiced source [rad]; infinite in silence.
        true_elevation: of that source [rad].
        coherence: of the window.
        brief: whether the sounds of the clip are short ones.
        certain: whether it is sure that the estimate is of a voiced source, or that it is of none.
    """

    elevation: np.ndarray
    azimuth_stddev: np.ndarray
    elevation_stddev: np.ndarray
    size_stddev: np.ndarray
    confidence: np.ndarray
    azimuth_error: np.ndarray
    true_elevation: np.ndarray
    coherence: np.ndarray
    brief: np.ndarray
    certain: np.ndarray

    @property
    def hit(self) -> np.ndarray:
        return self.azimuth_error <= WITHIN

    def of_a_talker(self, multi_source: bool) -> np.ndarray:
        """Return which answers count for deviations and elevation: those given to a talker."""
        # Of several sources, an estimate that is far from all is of none.
        heard = self.azimuth_error <= (PEAK_SEPARATION if multi_source else np.pi)
        heard &= ~self.brief
        given = heard & (self.confidence >= 0.5)
        # All where a network is never sure.
        return given if given.any() else heard


def _answers(labelled: LabelledOutputs, calibration: Calibration) -> _Answers:
    """Return the estimates of some windows in which it is known whether a source is heard."""
    windows = np.argwhere(labelled.spoken | labelled.silent)[::_EVERY]
    rows = [
        (*estimate.numbers, i, k)
        for i, k in windows
        for estimate in calibration.estimates(window_of(labelled.outputs, (i, k)))
    ]
    *columns, clip, window = np.array(rows).T
    azimuth, elevation, azimuth_stddev, elevation_stddev, confidence = columns
    where = clip.astype(int), window.astype(int)
    distance = np.abs(wrap_angle(azimuth[:, None] - labelled.azimuth[where]))
    distance = np.nan_to_num(distance, nan=np.inf)
    to_voiced = np.where(labelled.voiced[where], distance, np.inf)
    nearest = to_voiced.argmin(axis=1)
    unsure = ~labelled.voiced[where] & ~labelled.quiet[where] & (distance <= PEAK_SEPARATION)
    error = to_voiced.min(axis=1)
    size_stddev = [
        ambiguity.elevation_stddev(*direction)
        for ambiguity, *direction in zip(
            labelled.ambiguity[where[0]], azimuth, elevation, strict=True
        )
    ]
    return _Answers(
        elevation=elevation,
        azimuth_stddev=azimuth_stddev,
        elevation_stddev=elevation_stddev,
        size_stddev=np.array(size_stddev),
        confidence=confidence,
        azimuth_error=error,
        true_elevation=labelled.elevation[where][np.arange(len(rows)), nearest],
        coherence=np.asarray(labelled.outputs.coherence)[where],
        brief=labelled.brief[where[0]],
        certain=(error <= WITHIN) | ~unsure.any(axis=1),
    )


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
