# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Rooms and diffuse noise against closed formulas."""

import math

import numpy as np
import pytest
from scipy import signal

from doa_ros.simulation.acoustics import (
    DiffuseField,
    Reflector,
    Room,
    image_sources,
    image_sources_of_walls,
    impulse_responses,
    impulse_responses_in_bands,
    reverberant_decay_in_bands,
)
from doa_ros.simulation.materials import BANDS, CARPET, CEILING_TILES, GLASS, Material

_ROOM = np.array([6.0, 4.5, 2.8])
_SOURCE = np.array([2.0, 1.0, 1.5])
_MICROPHONE = np.array([[4.0, 3.0, 1.2]])
_RATE, _SPEED = 16000, 343.0


def test_reflection_follows_eyring():
    reflection = Room(_ROOM, 0.4).reflection(_SPEED)
    absorption = 1 - reflection**2
    volume, surface = 6 * 4.5 * 2.8, 2 * (6 * 4.5 + 6 * 2.8 + 4.5 * 2.8)
    rt60 = 24 * math.log(10) * volume / (-_SPEED * surface * math.log(1 - absorption))
    assert rt60 == pytest.approx(0.4)
    assert Room(_ROOM, 0.0).reflection(_SPEED) == 0


def test_without_reflection_there_is_only_the_source():
    images, amplitudes = image_sources(_ROOM, _SOURCE, 0.0, _MICROPHONE[0], 30.0)
    np.testing.assert_allclose(images, [_SOURCE])
    np.testing.assert_allclose(amplitudes, [1])


def test_first_reflections_are_mirrored_at_the_six_walls():
    images, amplitudes = image_sources(_ROOM, _SOURCE, 0.5, _MICROPHONE[0], 9.0)
    first = {tuple(np.round(i, 6)) for i in images[np.isclose(amplitudes, 0.5)]}
    expected = set()
    for axis in range(3):
        for wall in (0.0, _ROOM[axis]):
            image = _SOURCE.copy()
            image[axis] = 2 * wall - image[axis]
            expected.add(tuple(np.round(image, 6)))
    assert first == expected


def test_direct_sound_arrives_in_time_and_falls_with_distance():
    responses = impulse_responses(
        np.array([[0.0, 0, 0]]), np.ones(1), np.array([[1.0, 0, 0], [2, 0, 0]]), _RATE, 256, _SPEED
    )
    for response, distance in zip(responses, (1.0, 2.0), strict=True):
        # The centre of gravity of a windowed sinc is its delay.
        delay = np.sum(np.arange(256) * response) / response.sum()
        assert delay == pytest.approx(distance * _RATE / _SPEED, abs=0.01)
        assert response.sum() == pytest.approx(1 / distance, rel=0.01)


def test_fractional_delay_is_a_plain_delay_in_the_band():
    place = np.array([[1.2345, 0, 0]])
    response = impulse_responses(np.zeros((1, 3)), np.ones(1), place, _RATE, 512, _SPEED)[0]
    frequencies = np.fft.rfftfreq(512, 1 / _RATE)
    spectrum = np.fft.rfft(response) * 1.2345
    expected = np.exp(-2j * np.pi * frequencies * 1.2345 / _SPEED)
    band = frequencies < 6500
    np.testing.assert_allclose(spectrum[band], expected[band], atol=0.02)


def test_reflections_after_the_end_are_left_out():
    places = np.array([[0.0, 0, 0], [0, 0, 100]])
    response = impulse_responses(places, np.ones(2), np.array([[1.0, 0, 0]]), _RATE, 100, _SPEED)
    assert np.isfinite(response).all()
    assert response.sum() == pytest.approx(1, rel=0.01)


def test_room_decays_as_fast_as_asked():
    rt60, length = 0.3, 4800
    # The formula is for rooms that mix well, which a flat box does not: a cube is closer.
    room = np.array([4.1, 4.0, 3.9])
    images, amplitudes = image_sources(
        room, _SOURCE, Room(room, rt60).reflection(_SPEED), _MICROPHONE[0], 0.3 * _SPEED
    )
    response = impulse_responses(images, amplitudes, _MICROPHONE, _RATE, length, _SPEED)[0]
    # The pulses of the images, all positive, pile up to a slow decay at the lowest frequencies.
    high_pass = signal.butter(4, 200, 'high', fs=_RATE, output='sos')
    response = signal.sosfilt(high_pass, response)
    energy = 10 * np.log10(np.cumsum(response[::-1] ** 2)[::-1] / np.sum(response**2))
    # From -5 to -25 dB, times three.
    begin, end = np.argmax(energy < -5), np.argmax(energy < -25)
    assert 3 * (end - begin) / _RATE == pytest.approx(rt60, rel=0.1)


@pytest.fixture(scope='module')
def field(uma8):
    """Return 30 s of diffuse noise at three microphones of the ring."""
    rng = np.random.default_rng(1)
    positions = uma8.positions[[0, 1, 3]]
    noise = DiffuseField(positions, _RATE, _SPEED).mix(rng.standard_normal((3, 30 * _RATE)))
    return positions, noise


def test_diffuse_noise_has_the_coherence_of_a_diffuse_field(field):
    positions, noise = field
    for i, j in [(0, 1), (0, 2), (1, 2)]:
        frequencies, cross = signal.csd(noise[i], noise[j], _RATE, nperseg=512)
        powers = [signal.welch(noise[k], _RATE, nperseg=512)[1] for k in (i, j)]
        coherence = (cross / np.sqrt(powers[0] * powers[1])).real
        distance = np.linalg.norm(positions[i] - positions[j])
        expected = np.sinc(2 * frequencies * distance / _SPEED)
        band = (frequencies > 100) & (frequencies < 7500)
        np.testing.assert_allclose(coherence[band], expected[band], atol=0.07)


def test_diffuse_noise_keeps_power_and_length(field):
    _, noise = field
    assert noise.shape == (3, 30 * _RATE)
    np.testing.assert_allclose(noise.std(axis=1), 1, atol=0.02)


def test_diffuse_noise_of_an_odd_length(uma8):
    independent = np.random.default_rng(1).standard_normal((6, 5001))
    noise = DiffuseField(uma8.positions, _RATE, _SPEED).mix(independent)
    assert noise.shape == (6, 5001)
    assert np.isfinite(noise).all()


def test_the_image_is_behind_the_nearest_upright_wall():
    room = Room(np.array([6.0, 5.0, 2.4]), 0.3)
    source = np.array([3.0, 2.0, 1.0])
    for listener, image in (
        ([1.0, 2.0, 0.1], [-3.0, 2.0, 1.0]),
        ([5.5, 2.0, 1.0], [9.0, 2.0, 1.0]),
        ([3.0, 0.9, 1.0], [3.0, -2.0, 1.0]),
        ([3.0, 4.5, 1.0], [3.0, 8.0, 1.0]),
    ):
        assert room.mirrored(source, np.array(listener)) == pytest.approx(image)


def uniform(absorption: float) -> tuple[Material, ...]:
    return (Material((absorption,) * len(BANDS)),) * 6


def test_walls_of_one_material_are_like_walls_that_reflect_alike():
    room = Room.of_materials(_ROOM, uniform(0.3), scattering=0.0)
    assert Room(_ROOM, room.rt60).reflection(_SPEED) == pytest.approx(math.sqrt(0.7))
    expected = image_sources(_ROOM, _SOURCE, math.sqrt(0.7), _MICROPHONE[0], 30.0)
    images, amplitudes = image_sources_of_walls(room, _SOURCE, _MICROPHONE[0], 30.0)
    np.testing.assert_array_equal(images, expected[0])
    np.testing.assert_allclose(amplitudes, np.tile(expected[1], (len(BANDS), 1)))
    arguments = _MICROPHONE, _RATE, 1200, _SPEED
    np.testing.assert_allclose(
        impulse_responses_in_bands(images, amplitudes, *arguments),
        impulse_responses(*expected, *arguments),
        atol=1e-5,
    )


def test_every_wall_has_a_reflection_of_its_own():
    walls = tuple(Material((k / 10, k / 20, 0.01)) for k in range(1, 7))
    room = Room.of_materials(_ROOM, walls, scattering=0.2)
    images, amplitudes = image_sources_of_walls(room, _SOURCE, _MICROPHONE[0], 9.0)
    for number, wall in enumerate(walls):
        image = _SOURCE.copy()
        axis = number // 2
        image[axis] = (2 * _ROOM[axis] if number % 2 else 0) - image[axis]
        (found,) = np.nonzero(np.linalg.norm(images - image, axis=1) < 1e-6)
        expected = math.sqrt(0.8) * wall.reflection[:, None]
        np.testing.assert_allclose(amplitudes[:, found], expected)


def test_bands_are_reflected_as_their_material_says():
    amplitudes = np.sqrt(1 - np.array(CARPET.absorption))[:, None]
    response = impulse_responses_in_bands(
        np.zeros((1, 3)), amplitudes, np.array([[1.0, 0, 0]]), _RATE, 2048, _SPEED
    )[0]
    spectrum = np.abs(np.fft.rfft(response))
    at_bands = np.interp(BANDS, np.fft.rfftfreq(2048, 1 / _RATE), spectrum)
    np.testing.assert_allclose(at_bands, CARPET.reflection, rtol=0.05)


def test_what_is_scattered_decays_after_eyring():
    room = Room.of_materials(_ROOM, uniform(0.2), scattering=0.9)
    times = np.linspace(0, 1, 1001)
    mirrored, scattered = reverberant_decay_in_bands(room, times, _SPEED)
    level = 10 * np.log10(mirrored + scattered)[1]
    slope = (level[600] - level[100]) / (times[600] - times[100])
    assert -60 / slope == pytest.approx(room.rt60, rel=0.02)
    # Nothing is gained or lost by scattering itself.
    assert scattered[1, 100] == pytest.approx(mirrored[1, 0] * 10 ** (-0.6 / room.rt60), rel=0.1)


def test_between_hard_walls_sound_outlives_the_formula():
    walls = (GLASS, GLASS, CARPET, CARPET, CARPET, CEILING_TILES)
    times = np.linspace(0, 1, 201)
    found = []
    for scattering in (0.02, 0.5):
        room = Room.of_materials(_ROOM, walls, scattering)
        power = np.sum(reverberant_decay_in_bands(room, times, _SPEED), axis=0)[1]
        found.append(3 * (times[power < power[0] * 1e-2][0]))
    assert found[0] > found[1] > room.rt60


def test_a_table_top_mirrors_what_is_seen_in_it():
    table = Reflector(np.array([2.0, 2.0, 0.7]), np.array([0.0, 0.0, 1.0]), 0.5, 0.9)
    listener = np.array([2.0, 2.0, 0.75])
    assert table.mirrored(np.array([3.0, 2.0, 1.5]), listener) == pytest.approx([3.0, 2.0, -0.1])
    # Too low: the reflection would be beyond the edge.
    assert table.mirrored(np.array([5.0, 2.0, 0.71]), np.array([2.4, 2.0, 0.9])) is None
    assert table.mirrored(np.array([3.0, 2.0, 0.5]), listener) is None
