# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The recurrent filter: several sources from window to window."""

import math

from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest

from doa_ros.core.directions import DirectionGrid
from doa_ros.core.errors import ModelError
from doa_ros.core.geometry import wrap_angle
from doa_ros.core.localization.calibration import Calibration
from doa_ros.core.localization.classifier import Classifier
from doa_ros.core.localization.model_card import load_card
from doa_ros.core.localization.recurrent_filter import (
    CHANNELS,
    RecurrentFilter,
    RecurrentFilterConfig,
    filter_input,
)
from doa_ros.core.localization.spectrum import MultiSourceSpectrum, ResidualSpectrum, WindowSpectra
from doa_ros.resources import find_resource

HOP = 0.05
GRID = DirectionGrid(72, 10)
EVERYWHERE = np.ones(72, dtype=bool)


class Echo:
    """A network that says what the rest shows, or half of what it said before."""

    input_shape = (72, CHANNELS + 1)
    output_sizes = (144,)

    def __call__(self, values):
        shown = 1 / (1 + np.exp(-values[:, 1] / 0.25))
        said = np.maximum(shown, values[:, CHANNELS] / 2)
        return [np.stack([said, said], axis=1).ravel()]


def echoing(network=None, **settings) -> RecurrentFilter:
    """Return a filter with a made-up network."""
    config = RecurrentFilterConfig(**settings)
    return RecurrentFilter(network or Echo(), GRID, HOP, config, Calibration())


@pytest.fixture
def recurrent_filter():
    return echoing()


def spectrum(*azimuths, height=0.9, rise=3, activity=0.9):
    """Return what a classifier says of sources, all in one elevation class."""
    bumps = [height * np.exp(80 * (np.cos(GRID.azimuths - azimuth) - 1)) for azimuth in azimuths]
    elevation = np.tile(0.9 * np.eye(10)[rise] + 0.01, (72, 1))
    azimuth = np.max([np.full(72, 0.004), *bumps], axis=0)
    return MultiSourceSpectrum(azimuth, elevation, np.array([activity]))


def window(whole, rest, uncancelled=EVERYWHERE, above_floor=1.0, sound_age=0.0):
    return WindowSpectra(whole, above_floor, sound_age, ResidualSpectrum(rest, uncancelled))


def test_the_network_sees_the_window():
    whole, rest = spectrum(1.0, activity=0.8), spectrum(-1.0, activity=0.3)
    uncancelled = GRID.azimuths > math.pi
    seen = filter_input(window(whole, rest, uncancelled, above_floor=0.2, sound_age=0.15))
    assert seen.shape == (72, CHANNELS) and seen.dtype == np.float32
    assert wrap_angle(GRID.azimuths[seen[:, 0].argmax()] - 1.0) == pytest.approx(0, abs=0.05)
    assert wrap_angle(GRID.azimuths[seen[:, 1].argmax()] + 1.0) == pytest.approx(0, abs=0.05)
    np.testing.assert_array_equal(seen[:, 2], uncancelled)
    # Of the whole window, and so the same everywhere.
    assert (seen[:, 3:] == seen[0, 3:]).all()
    assert seen[0, 3] > 0 > seen[0, 6]
    assert seen[0, 5] == pytest.approx(0.15)


@pytest.mark.parametrize('above_floor', [0.0, 1.0])
def test_certain_outputs_stay_finite(recurrent_filter, above_floor):
    certain = MultiSourceSpectrum(np.eye(72)[3], np.eye(10)[np.full(72, 2)], np.array([1.0]))
    none = MultiSourceSpectrum(np.zeros(72), np.eye(10)[np.full(72, 9)], np.array([0.0]))
    for seen in [certain] * 5 + [none] * 100 + [certain] * 5:
        found = recurrent_filter.update(window(seen, seen, above_floor=above_floor))
        for estimate in found.estimates:
            assert 0 <= estimate.confidence <= 1
            assert math.isfinite(estimate.azimuth) and math.isfinite(estimate.elevation)
            assert math.isfinite(estimate.azimuth_stddev + estimate.elevation_stddev)


def test_the_state_is_kept_and_forgotten(recurrent_filter):
    talking, silence = spectrum(1.0), spectrum()
    heard = [recurrent_filter.posterior(window(s, s)) for s in [talking, silence, silence]]
    peaks = [posterior.azimuth.max() for posterior in heard]
    np.testing.assert_allclose(peaks, peaks[0] * np.array([1, 0.5, 0.25]), rtol=1e-4)
    recurrent_filter.reset()
    assert recurrent_filter.posterior(window(silence, silence)).azimuth.max() < 0.01


def test_the_activity_is_that_of_any_source(recurrent_filter):
    posterior = recurrent_filter.posterior(window(spectrum(1.0), spectrum(1.0, -2.0)))
    assert posterior.activity == pytest.approx(posterior.azimuth.max())


def test_what_does_not_stand_above_the_noise_is_no_source(recurrent_filter):
    for above_floor, low, high in ((0.002, 0.0, 0.02), (0.3, 0.8, 1.0)):
        recurrent_filter.reset()
        seen = window(spectrum(1.0), spectrum(1.0), above_floor=above_floor)
        assert low < recurrent_filter.posterior(seen).activity < high


@given(first=st.integers(0, 71), apart=st.integers(8, 64))
def test_each_has_the_elevation_of_where_it_shows(first, apart):
    """The loudest of the whole sound, others of what is left of it."""
    recurrent_filter = echoing(elevation_share=1.0)
    here, there = GRID.azimuths[first], GRID.azimuths[(first + apart) % 72]
    uncancelled = np.abs(wrap_angle(GRID.azimuths - here)) > math.radians(22)
    whole, rest = spectrum(here, rise=2), spectrum(here, there, rise=5)
    for _ in range(20):
        found = recurrent_filter.update(window(whole, rest, uncancelled))
    by_distance = sorted(
        (abs(wrap_angle(e.azimuth - here)), math.degrees(e.elevation))
        for e in found.estimates
        if e.confidence > 0.5
    )
    assert [elevation for _, elevation in by_distance] == pytest.approx([20, 50], abs=3)


def test_who_walks_takes_the_elevation_along():
    recurrent_filter = echoing(elevation_share=0.3)
    for step in range(60):
        azimuth = math.radians(60) * HOP * step
        # From then on windows say nothing about how high it is.
        seen = spectrum(azimuth, rise=6)
        if step > 20:
            seen.elevation[:] = 0.1
        found = recurrent_filter.update(window(seen, seen))
    (walker,) = (e for e in found.estimates if e.confidence > 0.5)
    assert math.degrees(walker.elevation) == pytest.approx(60, abs=10)


@pytest.mark.parametrize(
    'shapes', [((36, 8), (72,)), ((72, 8), (72,)), ((72, 7), (72,)), ((72, 8), (144, 72))]
)
def test_a_network_of_another_shape_is_refused(shapes):
    network = Echo()
    network.input_shape, network.output_sizes = shapes
    with pytest.raises(ModelError, match='does not suit 72 azimuths'):
        echoing(network)


@pytest.fixture(scope='module')
def shipped(uma8):
    """Return a function that filters scenes with the network that is shipped."""
    model = find_resource('models', 'uma8_several_int8')
    recurrent = Classifier.load(model, uma8, load_card(model).features).source_filter()

    def run(scenes):
        """Return what is known after scenes of azimuths, the loudest first."""
        recurrent.reset()
        for azimuths in scenes:
            loudest = azimuths[:1]
            uncancelled = np.ones(72, dtype=bool)
            for azimuth in loudest:
                uncancelled = np.abs(wrap_angle(GRID.azimuths - azimuth)) > math.radians(22)
            activity, above_floor = (0.9, 0.5) if azimuths else (0.1, 0.05)
            whole = spectrum(*loudest, activity=activity)
            rest = spectrum(*azimuths[1:], activity=activity)
            found = recurrent.update(window(whole, rest, uncancelled, above_floor, 0.15))
        return found.spectrum, found.estimates

    return run


@given(turn=st.integers(0, 71), apart=st.integers(8, 64))
@settings(max_examples=10, deadline=None)
def test_turning_the_scene_turns_what_is_known(shipped, turn, apart):
    one, other = GRID.azimuths[turn], GRID.azimuths[(turn + apart) % 72]
    known, _ = shipped([[one, other]] * 15)
    straight, _ = shipped([[0.0, GRID.azimuths[apart]]] * 15)
    np.testing.assert_allclose(known.azimuth, np.roll(straight.azimuth, turn), atol=1e-3)


def test_talkers_who_take_turns_are_both_kept(shipped):
    _, found = shipped(([[0.0]] * 6 + [[2.0]] * 6) * 4)
    heard = sorted(round(e.azimuth, 1) + 0.0 for e in found if e.confidence > 0.5)
    assert heard == pytest.approx([0, 2], abs=0.1)


def test_one_who_has_finished_is_given_up(shipped):
    talking = [[1.0]] * 20
    assert shipped(talking)[0].activity > 0.8
    assert shipped([*talking, *[[]] * 40])[0].activity < 0.2


@pytest.mark.parametrize('speed_deg', [-60, 30, 60])
def test_a_walking_talker_is_found_past_another(shipped, speed_deg):
    walk = np.radians(speed_deg) * HOP * np.arange(-40, 30)
    _, found = shipped([[1.0, 1.0 + azimuth] for azimuth in walk])
    heard = [e.azimuth for e in found if e.confidence > 0.5]
    errors = [min(abs(wrap_angle(a - true)) for a in heard) for true in (1.0, 1.0 + walk[-1])]
    assert max(errors) < np.radians(8)
