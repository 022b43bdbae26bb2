# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The HMM filter: one source from window to window."""

from dataclasses import replace
import math

from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import pytest

from doa_ros.core.directions import DirectionGrid
from doa_ros.core.geometry import wrap_angle
from doa_ros.core.localization.calibration import Calibration
from doa_ros.core.localization.hmm_filter import HmmFilter, HmmFilterConfig
from doa_ros.core.localization.spectrum import SingleSourceSpectrum, WindowSpectra

HOP = 0.05
GRID = DirectionGrid(72, 10)
CONFIG = HmmFilterConfig()


def window(azimuth=None, elevation=0.5, activity=0.95, sharpness=40.0):
    """Return what a network says of a source; without an azimuth it does not know from where."""
    if azimuth is None:
        bump = np.ones(GRID.azimuth_count)
    else:
        bump = np.exp(sharpness * (np.cos(GRID.azimuths - azimuth) - 1))
    height = np.exp(sharpness * (np.cos(GRID.elevations - elevation) - 1))
    return SingleSourceSpectrum(bump / bump.sum(), height / height.sum(), np.array([activity]))


def listen(windows, calibration=None, above_floor=0.3):
    hmm = HmmFilter(GRID, HOP, CONFIG, calibration or Calibration())
    return [hmm.update(WindowSpectra(one, above_floor)).estimates[0] for one in windows]


@given(st.floats(-math.pi, math.pi), st.floats(0.2, 1.3))
def test_a_steady_source_is_found_between_the_classes(azimuth, elevation):
    last = listen([window(azimuth, elevation)] * 20)[-1]
    assert abs(wrap_angle(last.azimuth - azimuth)) < np.radians(0.5)
    assert abs(last.elevation - elevation) < np.radians(2)
    assert last.confidence > 0.9


@given(st.integers(0, 71), st.integers(0, 2**32 - 1))
def test_turning_the_scene_turns_the_estimates(turn, seed):
    rng = np.random.default_rng(seed)
    windows = [window(rng.uniform(-3, 3), activity=rng.random()) for _ in range(10)]
    turned = [replace(f, azimuth=np.roll(f.azimuth, turn)) for f in windows]
    for one, other in zip(listen(windows), listen(turned), strict=True):
        difference = wrap_angle(other.azimuth - one.azimuth - turn * GRID.azimuth_step)
        assert abs(difference) < 1e-6
        assert other.confidence == pytest.approx(one.confidence)


def test_confidence_grows_with_agreeing_windows_and_falls_in_silence():
    heard = listen([window(1.0, activity=0.7, sharpness=4)] * 8)
    assert all(b.confidence > a.confidence for a, b in zip(heard, heard[1:], strict=False))
    windows = [window(1.0)] * 20 + [window(activity=0.02)] * 20
    after = [estimate.confidence for estimate in listen(windows)]
    assert after[19] > 0.9
    # Within the second after which no answer may come.
    assert max(after[-2:]) < 0.05


def test_a_stray_window_is_outvoted_and_a_new_source_is_not():
    windows = [window(1.0)] * 20 + [window(-2.0, sharpness=3)] + [window(1.0)] * 5
    for estimate in listen(windows)[20:]:
        assert abs(wrap_angle(estimate.azimuth - 1.0)) < np.radians(5)
    changed = listen([window(1.0)] * 20 + [window(-2.0)] * 6)
    assert abs(wrap_angle(changed[-1].azimuth + 2.0)) < np.radians(2)


def test_a_direction_is_kept_while_windows_say_nothing_new():
    estimates = listen([window(1.0)] * 20 + [window(activity=0.6)] * 6)
    assert abs(wrap_angle(estimates[-1].azimuth - 1.0)) < np.radians(2)
    assert estimates[-1].azimuth_stddev > estimates[19].azimuth_stddev


def test_what_does_not_stand_above_the_noise_floor_counts_less():
    heard, drowned = (listen([window(1.0)] * 5, above_floor=a)[-1] for a in (0.3, 0.02))
    assert heard.confidence > 2 * drowned.confidence


def test_the_calibration_scales_confidence_and_deviations():
    plain = listen([window(1.0)] * 5)[-1]
    changed = Calibration(
        confidence_bias=-1.0,
        azimuth_spread=2.0,
        elevation_spread=3.0,
        elevation_power=2.0,
        elevation_scale=1.2,
        elevation_shift_deg=-5.0,
    )
    scaled = listen([window(1.0)] * 5, changed)[-1]
    assert scaled.confidence < plain.confidence
    assert scaled.azimuth_stddev == pytest.approx(2 * plain.azimuth_stddev)
    assert scaled.elevation_stddev == pytest.approx(3 * plain.elevation_stddev**2)
    assert scaled.elevation == pytest.approx(1.2 * plain.elevation - math.radians(5))
    assert listen([window(1.0, 0.01)], replace(changed, elevation_scale=0.5))[-1].elevation == 0


def test_deviations_grow_as_coherence_fades():
    fading = Calibration(azimuth_fading=0.5, elevation_fading=1.0)
    clear, faint, lost = (
        listen([replace(window(1.0), coherence=c)] * 5, fading)[-1] for c in (0.8, 0.2, 0.0)
    )
    assert faint.azimuth_stddev == pytest.approx(2 * clear.azimuth_stddev)
    assert faint.elevation_stddev == pytest.approx(4 * clear.elevation_stddev)
    # Nothing was heard.
    assert faint.azimuth_stddev < lost.azimuth_stddev < math.inf


def test_reset_forgets():
    hmm = HmmFilter(GRID, HOP, CONFIG, Calibration())
    first = hmm.update(WindowSpectra(window(1.0, activity=0.6), 0.3)).estimates
    for _ in range(10):
        hmm.update(WindowSpectra(window(1.0), 0.3))
    hmm.reset()
    assert hmm.update(WindowSpectra(window(1.0, activity=0.6), 0.3)).estimates == first


def test_a_network_without_elevation():
    hmm = HmmFilter(DirectionGrid(72, 0), HOP, CONFIG, Calibration())
    (estimate,) = hmm.update(WindowSpectra(replace(window(1.0), elevation=None), 0.3)).estimates
    assert math.isnan(estimate.elevation) and math.isnan(estimate.elevation_stddev)


def test_several_streams_at_once_are_as_one_by_one():
    rng = np.random.default_rng(1)
    parallel = [
        [window(rng.uniform(-3, 3), activity=rng.random()) for _ in range(5)] for _ in 'abc'
    ]
    together = HmmFilter(GRID, HOP, CONFIG, Calibration())
    for k in range(5):
        stacked = SingleSourceSpectrum(
            *(
                np.stack([getattr(stream[k], name) for stream in parallel])
                for name in ('azimuth', 'elevation', 'activity')
            )
        )
        known = together.posterior(stacked, np.full((3, 1), 0.3))
    for k, stream in enumerate(parallel):
        hmm = HmmFilter(GRID, HOP, CONFIG, Calibration())
        for spectrum in stream:
            alone = hmm.posterior(spectrum, 0.3)
        np.testing.assert_allclose(known.azimuth[k], alone.azimuth)
        np.testing.assert_allclose(known.elevation[k], alone.elevation)
        np.testing.assert_allclose(known.activity[k], alone.activity)


def test_certain_outputs_stay_finite():
    """What int8 rounds to 0 or 1 must not end in NaN."""
    certain = SingleSourceSpectrum(np.eye(72)[3], np.eye(10)[2], np.array([1.0]))
    none = SingleSourceSpectrum(np.eye(72)[40], np.eye(10)[2], np.array([0.0]))
    for estimate in listen([certain] * 5 + [none] * 50 + [certain] * 5, above_floor=0.0):
        assert 0 <= estimate.confidence <= 1
        assert math.isfinite(estimate.azimuth) and math.isfinite(estimate.azimuth_stddev)
