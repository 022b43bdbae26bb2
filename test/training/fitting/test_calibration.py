# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Fitting the HMM filter and the calibration to made-up outputs of a network."""

from dataclasses import replace

import numpy as np
import pytest

from doa_ros.core.ambiguity import HORIZONTAL, NoAmbiguity
from doa_ros.core.directions import DirectionGrid
from doa_ros.core.errors import ConfigError
from doa_ros.core.geometry import wrap_angle
from doa_ros.core.localization.calibration import Calibration
from doa_ros.core.localization.hmm_filter import HmmFilter, HmmFilterConfig
from doa_ros.core.localization.localizer import LocalizerConfig
from doa_ros.core.localization.spectrum import (
    MultiSourceSpectrum,
    SingleSourceSpectrum,
    WindowSpectra,
)
from training.fitting import hmm
from training.fitting.calibration import fit_calibration, within_bounds
from training.fitting.hmm import filtered, fit_hmm, negative_log_likelihood
from training.fitting.labelled_outputs import LabelledOutputs

GRID = DirectionGrid(36, 10)
HOP = 0.05
CLIPS, WINDOWS = 30, 100


@pytest.fixture(scope='module')
def labelled() -> LabelledOutputs:
    """Return 2 s of silence and 3 s of a source each, seen by a network that errs by 8 degrees.

    In every other clip, of less coherence, it errs twice as much.
    """
    rng = np.random.default_rng(1)
    voiced = np.tile(np.arange(WINDOWS) >= 40, (CLIPS, 1))
    azimuth = np.repeat(rng.uniform(-np.pi, np.pi, (CLIPS, 1)), WINDOWS, axis=1)
    elevation = np.repeat(rng.uniform(0, 1.2, (CLIPS, 1)), WINDOWS, axis=1)
    shape = CLIPS, WINDOWS
    coherence = np.where(np.arange(CLIPS) % 2, 0.8, 0.4)[:, None]

    def bumps(centres, angles, error, kappa):
        seen = angles + rng.normal(0, error, shape) * 0.8 / coherence
        values = np.exp(kappa * (np.cos(centres - seen[..., None]) - 1))
        values = np.where(voiced[..., None], values, rng.uniform(0.5, 1, values.shape))
        return values / values.sum(axis=-1, keepdims=True)

    odds = rng.normal(np.where(voiced, 1.5, -1.5), 1.5)
    outputs = SingleSourceSpectrum(
        bumps(GRID.azimuths, azimuth, np.radians(8), 40.0),
        bumps(GRID.elevations, elevation, np.radians(8), 40.0),
        1 / (1 + np.exp(-odds))[..., None],
        coherence=np.broadcast_to(coherence, shape),
    )
    level = np.where(voiced, 0.3, 0.03)[..., None]
    truth = (values[..., None] for values in (azimuth, elevation, voiced, ~voiced))
    brief = np.zeros(CLIPS, dtype=bool)
    flat, time = np.full(CLIPS, HORIZONTAL), HOP * np.arange(WINDOWS)
    return LabelledOutputs(outputs, level, *truth, ~voiced, brief, flat, time)


@pytest.fixture(scope='module')
def two_talkers() -> LabelledOutputs:
    """Return clips of two talkers who take turns and overlap; windows stand for 0.5 s each."""
    rng = np.random.default_rng(2)
    azimuth = rng.uniform(-np.pi, np.pi, (CLIPS, 1, 1)) + np.array([0.0, 1.5])
    azimuth = wrap_angle(np.repeat(azimuth, WINDOWS, axis=1))
    elevation = np.repeat(rng.uniform(0, 1.2, (CLIPS, 1, 2)), WINDOWS, axis=1)
    time = np.arange(WINDOWS)[:, None]
    voiced = np.tile((time >= [30, 60]) & (time < [80, 100]), (CLIPS, 1, 1))
    seen = azimuth + rng.normal(0, np.radians(6), azimuth.shape)
    heights = np.exp(40.0 * (np.cos(GRID.azimuths - seen[..., None]) - 1))
    heights = np.where(voiced[..., None], heights * rng.uniform(0.4, 1, seen.shape)[..., None], 0)
    noise = rng.uniform(0, 0.25, (CLIPS, WINDOWS, len(GRID.azimuths)))
    nearest = np.abs(wrap_angle(GRID.azimuths - azimuth[..., None])).argmin(axis=2)
    angles = np.take_along_axis(elevation, nearest, axis=2)
    rises = np.exp(40.0 * (np.cos(GRID.elevations - angles[..., None]) - 1))
    outputs = MultiSourceSpectrum(
        np.maximum(heights.max(axis=2), noise),
        rises / rises.sum(axis=-1, keepdims=True),
        np.where(voiced.any(axis=2), 0.9, 0.1)[..., None],
        coherence=np.where(voiced.any(axis=2), 0.5, 0.1),
    )
    silent = ~voiced.any(axis=2)
    level = np.where(silent, 0.03, 0.3)[..., None]
    brief, time = np.zeros(CLIPS, dtype=bool), HOP * np.arange(WINDOWS)
    # Elevations are so exact that the uncertain size of a flat array would hide their errors.
    solid = np.full(CLIPS, NoAmbiguity())
    return LabelledOutputs(
        outputs, level, azimuth, elevation, voiced, ~voiced, silent, brief, solid, time
    )


def test_estimates_of_several_sources_are_calibrated(two_talkers):
    config = fit_calibration(two_talkers)
    confidence, hit, covered, rises = [], [], [], []
    for clip, k in np.ndindex(CLIPS, WINDOWS):
        spectrum = MultiSourceSpectrum(
            *(
                getattr(two_talkers.outputs, name)[clip, k]
                for name in ('azimuth', 'elevation', 'activity')
            ),
            coherence=two_talkers.outputs.coherence[clip, k],
        )
        voiced = two_talkers.voiced[clip, k]
        azimuth, elevation = (
            angles[clip, k, voiced] for angles in (two_talkers.azimuth, two_talkers.elevation)
        )
        for estimate in config.estimates(spectrum):
            errors = np.abs(wrap_angle(azimuth - estimate.azimuth))
            confidence.append(estimate.confidence)
            hit.append(bool((errors <= np.radians(10)).any()))
            if len(errors) and errors.min() < np.radians(25) and estimate.confidence >= 0.5:
                rise = abs(elevation[errors.argmin()] - estimate.elevation)
                covered.append((errors.min() <= estimate.azimuth_stddev,
                                rise <= estimate.elevation_stddev))  # fmt: skip
                rises.append(rise)
    assert np.mean(confidence) == pytest.approx(np.mean(hit), abs=0.03)
    np.testing.assert_allclose(np.mean(covered, axis=0), 0.68, atol=0.04)
    assert np.mean(rises) < np.radians(3)


@pytest.fixture(scope='module')
def fitted(labelled) -> tuple[HmmFilterConfig, Calibration]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hmm, '_EVALUATIONS', 60)
        return fit_hmm(labelled, GRID, HOP)


def _estimates(labelled, config, calibration):
    hmm_filter = HmmFilter(GRID, HOP, config, calibration)
    for clip in range(CLIPS):
        hmm_filter.reset()
        for k in range(WINDOWS):
            spectrum = SingleSourceSpectrum(
                *(
                    getattr(labelled.outputs, name)[clip, k]
                    for name in ('azimuth', 'elevation', 'activity')
                ),
                coherence=labelled.outputs.coherence[clip, k],
            )
            window = WindowSpectra(spectrum, labelled.above_floor[clip, k])
            (estimate,) = hmm_filter.update(window).estimates
            # As a localizer gives it.
            yield clip, k, estimate.with_uncertain_size(labelled.ambiguity[clip])


def test_the_fit_explains_the_truth_better(labelled, fitted):
    def loss(config):
        return negative_log_likelihood(labelled, filtered(labelled, GRID, HOP, config).outputs)

    assert loss(fitted[0]) < loss(HmmFilterConfig()) - 0.01


def test_confidence_and_deviations_are_those_of_the_estimates(labelled, fitted):
    confidence, hit, covered = [], [], ([], [])
    for clip, k, estimate in _estimates(labelled, *fitted):
        error = abs(wrap_angle(estimate.azimuth - labelled.azimuth[clip, k, 0]))
        confidence.append(estimate.confidence)
        hit.append(labelled.voiced[clip, k, 0] and error <= np.radians(10))
        if labelled.voiced[clip, k, 0] and estimate.confidence >= 0.5:
            rise = abs(estimate.elevation - labelled.elevation[clip, k, 0])
            within = error <= estimate.azimuth_stddev, rise <= estimate.elevation_stddev
            covered[clip % 2].append(within)
    assert np.mean(confidence) == pytest.approx(np.mean(hit), abs=0.03)
    np.testing.assert_allclose(np.mean([*covered[0], *covered[1]], axis=0), 0.68, atol=0.02)
    for half in covered:
        np.testing.assert_allclose(np.mean(half, axis=0), 0.68, atol=0.05)
    answered = np.array(confidence) >= 0.5
    right = np.array(confidence)[answered & hit]
    least = LocalizerConfig(sensitivity=0.05).least_confidence(fitted[1].sensitivity_power)
    assert np.mean(right >= least) == pytest.approx(0.25, abs=0.03)
    assert answered[labelled.voiced.ravel()].mean() > 0.9
    assert answered[labelled.silent.ravel()].mean() < 0.05


def test_movement_is_that_of_outputs_and_truth(labelled):
    """Where the truth goes, the outputs go, too."""
    moving = labelled.with_movement(np.random.default_rng(2))
    peaks = GRID.azimuths[moving.outputs.azimuth.argmax(axis=-1)]
    errors = np.abs(wrap_angle(peaks - moving.azimuth[..., 0]))[moving.spoken]
    before = GRID.azimuths[labelled.outputs.azimuth.argmax(axis=-1)]
    expected = np.abs(wrap_angle(before - labelled.azimuth[..., 0]))[labelled.spoken]
    assert errors.mean() == pytest.approx(expected.mean(), abs=np.radians(0.5))
    travel = np.abs(wrap_angle(np.diff(moving.azimuth[..., 0], axis=1)))
    assert not travel[0::3].any()
    assert (travel[1::3].sum(axis=1) > np.radians(30)).all()
    # A jump in the middle.
    assert (np.count_nonzero(travel[2::3], axis=1) <= 1).all() and travel[2::3].any()


def test_settings_stay_within_their_bounds():
    for name in ('direction_share', 'offset', 'drift_deg'):
        usual = getattr(HmmFilterConfig(), name)
        low, high = (within_bounds(HmmFilterConfig, name, value) for value in (-1e9, 1e9))
        assert low < usual < high
        assert within_bounds(HmmFilterConfig, name, usual) == usual
        for bound, beyond in ((low, -1e9), (high, 1e9)):
            replace(HmmFilterConfig(), **{name: bound})
            with pytest.raises(ConfigError, match=name):
                replace(HmmFilterConfig(), **{name: beyond})
