# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""SRP-PHAT finds simulated sources, without and with a room around them."""

import math

from hypothesis import assume, given, settings
from hypothesis import strategies as st
import numpy as np
import pytest
from scipy import signal
from scipy.spatial.distance import pdist
from scipy.spatial.transform import Rotation

from doa_ros.core.ambiguity import Line, MirrorPlane, NoAmbiguity, ambiguity_of
from doa_ros.core.features.config import FeatureConfig
from doa_ros.core.features.gcc_phat import GccPhat
from doa_ros.core.geometry import direction_of, unit_vector, wrap_angle
from doa_ros.core.localization.srp_phat import SrpPhat
from doa_ros.simulation.acoustics import Room, image_sources, impulse_responses

_ROOM = np.array([5.0, 4.0, 2.7])
_CENTRE = np.array([2.3, 1.9, 0.8])
# Four microphones each.
_UPRIGHT = np.array([[0, 0.03, 0.03], [0, -0.03, 0.03], [0, -0.03, -0.03], [0, 0.03, -0.03]])
_ALONG = np.array([[x, 0, 0] for x in (-0.06, -0.02, 0.02, 0.06)])


@pytest.fixture(scope='module')
def at_array(uma8):
    """Return a function that renders noise from a place around the array, in a room or not."""
    noise = np.random.default_rng(1).standard_normal(24000)

    def render(offset, rt60=0.0):
        reflection = Room(_ROOM, rt60).reflection(343.0)
        reach = np.linalg.norm(offset) + (0.15 * 343 if rt60 else 0)
        images, amplitudes = image_sources(_ROOM, _CENTRE + offset, reflection, _CENTRE, reach)
        length = round(reach / 343 * 48000) + 64
        responses = impulse_responses(
            images, amplitudes, _CENTRE + uma8.positions, 48000, length, 343.0
        )
        return signal.fftconvolve(noise[None], responses, axes=1)[:, length:24000].T

    return render


@pytest.fixture(scope='module')
def srp_phat(uma8):
    return SrpPhat(GccPhat(uma8, FeatureConfig()))


@pytest.mark.parametrize(
    ('offset', 'limit'),
    [
        ((1.5, 0.0, 0.4), 1),
        ((0.0, 1.5, 0.4), 1),
        ((-1.4, -0.7, 0.7), 1),
        ((0.3, -1.2, 1.2), 1),
    ],
)
def test_source_in_the_free_field(uma8, at_array, locate, offset, limit):
    azimuth, elevation = direction_of(np.array(offset))
    found = locate(uma8, at_array(np.array(offset)))
    assert abs(wrap_angle(found.azimuth - azimuth)) < math.radians(limit)
    assert found.elevation == pytest.approx(elevation, abs=math.radians(8))


@pytest.mark.parametrize('degrees', [-170, -100, -35, 20, 80, 135])
def test_source_in_a_room(uma8, at_array, locate, degrees):
    azimuth = math.radians(degrees)
    offset = np.array([1.2 * math.cos(azimuth), 1.2 * math.sin(azimuth), 0.6])
    found = locate(uma8, at_array(offset, rt60=0.3))
    assert abs(wrap_angle(found.azimuth - azimuth)) < math.radians(5)
    assert found.confidence > 0.3


@settings(max_examples=30)
@given(st.floats(-math.pi, math.pi), st.floats(0.2, 1.4))
def test_response_of_an_ideal_gcc_peaks_at_its_direction(uma8, srp_phat, azimuth, elevation):
    features = FeatureConfig()
    delays = uma8.tdoa(unit_vector(azimuth, elevation))
    gcc = np.sinc((features.lags - delays[:, None]) * 14000).astype(np.float32)
    spectrum = srp_phat.spectrum(gcc)
    assert 0.8 < spectrum.azimuth.max() <= 1
    np.testing.assert_allclose(spectrum.elevation.sum(axis=1), 1, atol=1e-4)
    nearest = SrpPhat.grid.azimuths[spectrum.azimuth.argmax()]
    if elevation < 1.2:
        assert abs(wrap_angle(nearest - azimuth)) < math.radians(5)


def test_nothing_heard_is_every_direction_alike(uma8):
    silence = np.zeros((15, 13), dtype=np.float32)
    spectrum = SrpPhat(GccPhat(uma8, FeatureConfig())).spectrum(silence)
    np.testing.assert_allclose(spectrum.azimuth, spectrum.azimuth[0])
    assert spectrum.azimuth[0] < 0.05
    np.testing.assert_allclose(spectrum.elevation, 1 / 10, rtol=1e-4)


def test_noise_is_no_source_with_fewer_pairs_either(uma8, srp_phat):
    noise = 0.05 * np.random.default_rng(4).standard_normal((200, 15, 13)).astype(np.float32)
    for dead in range(3):
        noise[:, (uma8.pairs < dead).any(axis=1)] = 0
        assert np.mean([srp_phat.spectrum(gcc).azimuth.max() for gcc in noise]) < 0.35


def test_steering_interpolates_between_taps(uma8):
    # A band-limited GCC sampled on the taps is read off at delays between them.
    features = FeatureConfig(lag_count=25)
    azimuths = np.radians(np.arange(0, 360, 7))
    directions = unit_vector(azimuths, 0.1)
    matrix = GccPhat(uma8, features).steering_matrix(directions)
    assert matrix.shape == (len(azimuths), 15 * 25)
    assert matrix.dtype == np.float32
    # Any sum of sounds within the band.
    frequencies = np.linspace(300, 5000, 30)
    weights = np.random.default_rng(1).standard_normal((15, 30)) / 30

    def gcc(lags):
        return np.einsum('pf,...pf->...p', weights, np.cos(2 * np.pi * frequencies * lags))

    taps = np.stack([gcc(np.full((15, 1), lag)) for lag in features.lags], axis=1)
    expected = gcc(uma8.tdoa(directions)[..., None]).mean(axis=1)
    np.testing.assert_allclose(matrix @ taps.ravel(), expected, atol=0.01)


def test_works_on_the_fine_axis_too(uma8, extract, plane_wave):
    features = FeatureConfig(lag_rate=48000.0, lag_count=39)
    window = extract(uma8, plane_wave(uma8, -2.0), features)[-1]
    spectrum = SrpPhat(GccPhat(uma8, features)).spectrum(window.features)
    assert abs(wrap_angle(SrpPhat.grid.azimuths[spectrum.azimuth.argmax()] + 2)) < 0.05


@pytest.mark.parametrize('direction', [(40, -30), (10, 70), (-120, 0), (170, -60)])
def test_array_that_fills_space(tetrahedron, plane_wave, locate, direction):
    azimuth, elevation = np.radians(direction)
    found = locate(tetrahedron, plane_wave(tetrahedron, azimuth, elevation))
    assert abs(wrap_angle(found.azimuth - azimuth)) < math.radians(3)
    assert found.elevation == pytest.approx(elevation, abs=math.radians(3))
    assert found.confidence > 0.7


@pytest.mark.parametrize(
    ('source', 'answer'),
    [((40, -30), (40, -30)), ((140, 20), (40, 20)), ((-60, 0), (-60, 0)), ((180, -50), (0, -50))],
)
@pytest.mark.parametrize('rotation', [0, 130])
def test_upright_array(make_array, plane_wave, locate, source, answer, rotation):
    array = make_array(_UPRIGHT, rotation=math.radians(rotation))
    heard = plane_wave(array, math.radians(source[0] + rotation), math.radians(source[1]))
    found = locate(array, heard)
    error = wrap_angle(found.azimuth - math.radians(answer[0] + rotation))
    assert abs(error) < math.radians(3)
    assert found.elevation == pytest.approx(math.radians(answer[1]), abs=math.radians(3))
    assert found.confidence > 0.7


@pytest.mark.parametrize(
    ('source', 'answer'),
    [
        ((150, 0), 150),
        ((-150, 0), 150),
        ((90, 0), 90),  # Broadside, where all pairs hear the same.
        ((90, 80), 90),
        ((5, 0), 5),
        ((180, 0), 180),
    ],
)
@pytest.mark.parametrize('positions', [_ALONG, _ALONG[[0, 3]]])
def test_line(make_array, plane_wave, locate, positions, source, answer):
    array = make_array(positions)
    found = locate(array, plane_wave(array, *np.radians(source)))
    # Along the line, delays hardly change with the angle.
    limit = 3 if 20 < answer < 160 else 7
    assert abs(wrap_angle(found.azimuth - math.radians(answer))) < math.radians(limit)
    assert math.isnan(found.elevation)
    assert math.isnan(found.elevation_stddev)
    assert found.confidence > 0.9


def test_what_no_answer_looks_like_has_no_probability(make_array, plane_wave, extract):
    for positions in (_UPRIGHT, _ALONG):
        array = make_array(positions)
        srp = SrpPhat(GccPhat(array, FeatureConfig()))
        spectrum = srp.spectrum(extract(array, plane_wave(array, 0.9, 0.1))[-1].features)
        inside = ambiguity_of(array).inside(srp.grid.azimuths, 0.0)
        assert inside.sum() == 37
        assert not spectrum.azimuth[~inside].any()
        assert spectrum.azimuth[inside].all()
        if spectrum.elevation is not None:
            np.testing.assert_allclose(spectrum.elevation.sum(axis=1), 1, rtol=1e-4)
            np.testing.assert_allclose(spectrum.elevation[~inside], 1 / 19)


def test_line_has_no_elevations(make_array, plane_wave, extract):
    array = make_array(_ALONG)
    srp = SrpPhat(GccPhat(array, FeatureConfig()))
    assert srp.spectrum(extract(array, plane_wave(array, 0.9))[-1].features).elevation is None
    assert len(srp.grid.elevations) == 0


_seeds = st.integers(0, 10**6)


def _spread(seed, dimensions):
    """Return places of some microphones that are 2 cm or more apart, in so many dimensions."""
    rng = np.random.default_rng(seed)
    count = int(rng.integers(dimensions + 1, 7))
    while True:
        places = np.zeros((count, 3))
        places[:, :dimensions] = rng.uniform(-0.06, 0.06, (count, dimensions))
        centred = places - places.mean(axis=0)
        if np.linalg.svd(centred)[1][dimensions - 1] > 0.03 and pdist(places).min() > 0.02:
            return places


def _assert_answer(make_array, plane_wave, locate, positions, kind, direction):
    """Assert that a plane wave is found where the array can tell that it comes from."""
    array = make_array(positions)
    ambiguity = ambiguity_of(array)
    assert isinstance(ambiguity, kind)
    answer = ambiguity.fold(*direction)
    found = locate(array, plane_wave(array, *direction))
    vectors = [unit_vector(a, np.nan_to_num(e)) for a, e in (answer, _angles(found))]
    # What hardly changes the delays is hardly known: nearly along a plane or a line, which side.
    differences = np.abs(array.tdoa(vectors[0]) - array.tdoa(vectors[1]))
    assert differences.max() < 0.5 / 16000
    assert math.isnan(answer[1]) == math.isnan(found.elevation)
    assert ambiguity.inside(found.azimuth, np.nan_to_num(found.elevation))
    if ambiguity.side is None or vectors[0] @ ambiguity.side > 0.5:
        assert vectors[0] @ vectors[1] > math.cos(math.radians(10))


def _angles(found):
    return found.azimuth, found.elevation


@settings(max_examples=30)
@given(_seeds, st.floats(-math.pi, math.pi), st.floats(-1.0, 1.0))
def test_random_arrays_that_fill_space(make_array, plane_wave, locate, seed, azimuth, elevation):
    direction = azimuth, elevation
    _assert_answer(make_array, plane_wave, locate, _spread(seed, 3), NoAmbiguity, direction)


@settings(max_examples=30)
@given(_seeds, st.floats(-math.pi, math.pi), st.floats(-1.0, 1.0))
def test_random_arrays_in_a_plane(make_array, plane_wave, locate, seed, azimuth, elevation):
    places = Rotation.random(None, np.random.default_rng(seed)).apply(_spread(seed, 2))
    direction = azimuth, elevation
    _assert_answer(make_array, plane_wave, locate, places, MirrorPlane, direction)


@settings(max_examples=30)
@given(
    _seeds,
    st.floats(-math.pi, math.pi),
    st.just(0.0) | st.floats(-0.7, 0.7),
    st.floats(-math.pi, math.pi),
    st.floats(-1.0, 1.0),
)
def test_random_arrays_on_a_line(
    make_array, plane_wave, locate, seed, heading, slope, azimuth, elevation
):
    line = unit_vector(heading, slope)
    # What lies farther up or down than the line is slanted is given as its direction.
    assume(abs(line @ unit_vector(azimuth, elevation)) <= math.cos(slope))
    places = np.outer(_spread(seed, 1)[:, 0], line)
    _assert_answer(make_array, plane_wave, locate, places, Line, (azimuth, elevation))


def test_end_of_a_slanted_line_stands_for_what_is_above(make_array, plane_wave, locate):
    array = make_array(np.outer([-0.05, 0, 0.05], unit_vector(0.5, 0.6)))
    for elevation in (0.3, 0.6, 0.9):
        found = locate(array, plane_wave(array, 0.5, elevation))
        assert abs(wrap_angle(found.azimuth - 0.5)) < math.radians(10)
        assert found.confidence > 0.7
