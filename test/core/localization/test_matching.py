# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A network on an array of the same shape, but another size, order or orientation."""

from dataclasses import replace
import math

from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import pytest

from doa_ros.core.array_file import load_array
from doa_ros.core.errors import ConfigError
from doa_ros.core.features.extractor import FeatureExtractor
from doa_ros.core.geometry import MicArray, unit_vector, wrap_angle
from doa_ros.core.localization.classifier import Classifier
from doa_ros.core.localization.compatibility import adapted_array, default_features
from doa_ros.core.localization.localizer import Localizer, LocalizerConfig
from doa_ros.core.localization.matching import match
from doa_ros.core.localization.model_card import load_card
from doa_ros.resources import find_resource

# No rotation and no mirroring maps it onto itself.
_BENT = np.array([[0.03, 0, 0], [0.01, 0.035, 0], [-0.04, 0.01, 0], [-0.01, -0.02, 0]])
_MODELS = ('uma8_rooms_int8', 'uma8_several_int8', 'uma8_reference_int8')


def _array(positions, **fields) -> MicArray:
    count = len(positions)
    given = {
        'name': 'other',
        'positions': positions,
        'labels': tuple(f'm{k}' for k in range(count)),
        'channels': tuple(range(count)),
        'channel_count': count,
        'sampling_frequency': 48000,
    }
    return MicArray(**(given | fields))


def _moved(positions, scale, rotation, mirrored, order):
    """Return the positions mirrored, turned and scaled; the k-th becomes number order[k]."""
    moved = scale * positions * [1, -1 if mirrored else 1, 1]
    cos, sin = math.cos(rotation), math.sin(rotation)
    moved = moved @ np.array([[cos, sin, 0], [-sin, cos, 0], [0, 0, 1]])
    placed = np.empty_like(moved)
    placed[list(order)] = moved
    return placed


@st.composite
def _ways(draw, count):
    return (
        draw(st.floats(0.5, 2)),
        draw(st.floats(-math.pi, math.pi)),
        draw(st.booleans()),
        tuple(draw(st.permutations(range(count)))),
    )


@given(_ways(len(_BENT)), st.tuples(st.floats(-0.05, 0.05), st.floats(-0.05, 0.05)))
def test_any_way_is_found(way, centre):
    scale, rotation, mirrored, order = way
    found = match(_array(_moved(_BENT, *way) + [*centre, 0]), _BENT)
    assert found.scale == pytest.approx(scale)
    assert wrap_angle(found.rotation - rotation) == pytest.approx(0, abs=2e-6)
    assert found.mirrored == mirrored
    assert (found.order or (0, 1, 2, 3)) == order


@pytest.mark.parametrize('positions', [_BENT, 'uma8'])
@given(
    data=st.data(),
    azimuth=st.floats(-math.pi, math.pi),
    elevation=st.floats(0, 1.5),
    face_down=st.booleans(),
    mounted=st.floats(-6, 6),
)
def test_delays_are_those_that_the_network_knows(
    uma8, positions, data, azimuth, elevation, face_down, mounted
):
    # The ring of the file is not regular to the last digit.
    exact = 1e-9
    if isinstance(positions, str):
        positions, exact = uma8.positions, 5e-7
    way = data.draw(_ways(len(positions)))
    array = _array(_moved(positions, *way), face_down=face_down, rotation=mounted)
    found = match(array, positions)
    known = found.applied(array)
    # Every pair hears what the network's pair would hear, longer in proportion.
    direction = unit_vector(azimuth, elevation)
    np.testing.assert_allclose(
        known.tdoa(direction), found.scale * _array(positions).tdoa(direction), atol=exact
    )
    # What it takes for its own azimuth is the array's in the mounted frame: the sound came from
    # there.
    outside = unit_vector(known.frame_azimuth(azimuth), elevation)
    first, second = known.pairs.T
    delays = -array.frame_positions @ outside / array.speed_of_sound
    np.testing.assert_allclose(delays[first] - delays[second], known.tdoa(direction), atol=1e-9)
    np.testing.assert_allclose(known.frame_positions, array.frame_positions, atol=1e-9)
    # Nothing is left to do.
    again = match(known, positions)
    assert (again.rotation, again.mirrored, again.order) == (0.0, False, known.order)


def test_of_several_ways_the_one_that_turns_least(uma8):
    turned = _moved(uma8.positions, 1.05, math.radians(70), False, range(6))
    found = match(_array(turned), uma8.positions)
    assert math.degrees(found.rotation) == pytest.approx(10, abs=0.1)
    assert not found.mirrored
    assert match(_array(uma8.positions[::-1]), uma8.positions).rotation == 0


@pytest.mark.parametrize('model', _MODELS)
def test_its_own_array_stays_as_it_is(uma8, model):
    path = find_resource('models', model)
    near = replace(uma8, positions=uma8.positions + 1e-4)
    for array in (uma8, replace(uma8, rotation=1.0), near):
        known, difference = adapted_array(array, path)
        assert known is array
        assert difference == ''
        assert default_features(array, path) == load_card(path).features


def test_another_shape_is_none(uma8, square):
    positions = uma8.positions.copy()
    positions[0, 0] += 0.002
    assert match(_array(positions), uma8.positions) is None
    assert match(square, uma8.positions) is None
    assert match(uma8, np.zeros((6, 3))) is None
    # A ring that is squeezed.
    assert match(_array(uma8.positions * [1, 0.95, 1]), uma8.positions) is None


@pytest.mark.parametrize(
    'positions',
    [
        [[0.03, 0, 0], [-0.01, 0.03, 0], [-0.02, -0.02, 0], [0, 0.01, 0.04]],
        [[0.03, 0, 0], [-0.01, 0, 0.03], [-0.02, 0, -0.02], [0.02, 0, -0.04]],
    ],
    ids=['tetrahedron', 'upright plane'],
)
def test_array_that_is_not_flat_and_horizontal_is_not_turned(positions):
    positions, order = np.array(positions), (1, 0, 2, 3)
    found = match(_array(_moved(positions, 1.1, 0.0, False, order)), positions)
    assert found.order == order and found.scale == pytest.approx(1.1)
    for rotation, mirrored in ((1.0, False), (0.5, True)):
        moved = _moved(positions, 1.1, rotation, mirrored, order)
        assert match(_array(moved), positions) is None


@pytest.mark.parametrize('order', [(0, 0, 1, 2), (0, 1, 2), (0, 1, 2, 4)])
def test_order_holds_every_microphone_once(order):
    with pytest.raises(ConfigError, match='order must hold every microphone once'):
        _array(_BENT, order=order)


def _hears(array, model, azimuth, elevation, plane_wave):
    """Return what a network says of a plane wave that begins after some silence."""
    known, _ = adapted_array(array, model)
    features = default_features(known, model)
    wave = plane_wave(array, azimuth, elevation, duration=1.2)
    noise = 1e-4 * np.random.default_rng(3).standard_normal((2 * array.sampling_frequency, 6))
    samples = np.concatenate([noise, wave]).astype(np.float32)
    localizer = Localizer(known, features, LocalizerConfig(), model)
    heard = [localizer.locate(f) for f in FeatureExtractor(known, features).push(0, samples)]
    return heard[-1]


@pytest.mark.parametrize('model', _MODELS)
@pytest.mark.parametrize(
    'array',
    [
        {'scale': 1.08, 'rotation': math.radians(30)},
        {'scale': 0.92, 'order': (3, 1, 4, 0, 5, 2)},
        {'scale': 1.0, 'mirrored': True, 'order': (5, 3, 1, 0, 2, 4), 'face_down': True},
        {'scale': 1.05, 'rotation': -2.0, 'order': (1, 2, 3, 4, 5, 0), 'turned': 0.7},
        {'scale': 1.0773, 'rotation': math.radians(30), 'rate': 16000},
    ],
    ids=['larger', 'smaller, numbered otherwise', 'face down', 'mounted', 'at 16 kHz'],
)
def test_directions_are_those_of_the_array(uma8, model, array, plane_wave):
    positions = _moved(
        uma8.positions,
        array['scale'],
        array.get('rotation', 0.0),
        array.get('mirrored', False),
        array.get('order', range(6)),
    )
    other = _array(
        positions,
        face_down=array.get('face_down', False),
        rotation=array.get('turned', 0.0),
        sampling_frequency=array.get('rate', 48000),
    )
    path = find_resource('models', model)
    for azimuth in (-2.6, 0.5):
        heard = _hears(other, path, azimuth, 0.6, plane_wave)
        for found in (heard.estimates[0], heard.detections[0]):
            assert abs(wrap_angle(found.azimuth - azimuth)) < math.radians(3)
            assert abs(found.elevation - 0.6) < math.radians(7)
        azimuths = heard.spectrum.azimuth
        peak = np.argmax(azimuths) * 2 * np.pi / len(azimuths)
        assert abs(wrap_angle(peak - azimuth)) < math.radians(360 / len(azimuths))


def test_what_is_not_as_trained_is_said():
    hat = load_array(find_resource('arrays', 'respeaker_6mic_hat'))
    model = find_resource('models', 'uma8_rooms_int8')
    known, difference = adapted_array(hat, model)
    for words in (
        "array 'respeaker_6mic_hat' has the shape of 'uma8'",
        '1.077 times as large',
        'turned by 30.0 deg',
        'its microphones in the order mic_4, mic_3, mic_2, mic_1, mic_6, mic_5',
        'at 16000 Hz instead of 48000 Hz',
    ):
        assert words in difference
    features = default_features(hat, model)
    assert features.lag_rate == pytest.approx(48000 / 1.07735, rel=1e-4)
    assert default_features(known, model) == features
    Classifier.load(model, known, features)
