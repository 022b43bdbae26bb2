# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The order of the channels of all shipped arrays, from simulated noise of a room."""

from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest

from doa_ros.core.array_check.channel_order import (
    ChannelOrder,
    order_of_noise,
    pair_distances,
    reordered,
)
from doa_ros.core.array_file import load_array
from doa_ros.core.symmetry import symmetries
from doa_ros.resources import find_resource
from doa_ros.simulation.acoustics import DiffuseField

ARRAYS = ('uma8', 'respeaker_usb_4mic', 'respeaker_6mic_hat', 'matrix_creator', 'minidsp_uma16')
_SECONDS = 10


@pytest.fixture(scope='module', params=ARRAYS)
def room(request):
    """An array, and what its microphones, misplaced and noisy themselves, hear of a room."""
    array = load_array(find_resource('arrays', request.param))
    rng = np.random.default_rng(5)
    rate, count = array.sampling_frequency, len(array.positions)
    places = array.positions + rng.normal(0, 0.0007, array.positions.shape)
    field = DiffuseField(places, rate, array.speed_of_sound)
    heard = field.mix(rng.standard_normal((count, _SECONDS * rate)))
    heard += 0.2 * rng.standard_normal(heard.shape)
    heard *= 10 ** (rng.normal(0, 1, (count, 1)) / 20)
    return array, (1e-4 * heard.T).astype(np.float32)


def _distances(array, order):
    """Return the distances of all pairs in an order of the microphones."""
    first, second = array.positions[np.array(order)][array.pairs.T]
    return np.linalg.norm(first - second, axis=1)


def test_the_described_order(room):
    order = order_of_noise(*room)
    assert order.sure and order.as_described and order.moved == ()
    assert order.explained > 0.9


def test_every_swap_of_two(room):
    array, noise = room
    for first, second in array.pairs.tolist()[::5]:
        true = list(range(len(array.positions)))
        true[first], true[second] = second, first
        order = order_of_noise(array, noise[:, true])
        assert order.sure
        np.testing.assert_allclose(
            _distances(array, order.microphones), _distances(array, true), atol=1e-3
        )
        assert len(order.moved) in (0, 2)
        if order.moved == (first, second):
            assert reordered(array, order).channels == tuple(np.array(array.channels)[true])


def test_symmetric_orders_sound_as_described(room):
    array, noise = room
    for symmetry in symmetries(array):
        order = order_of_noise(array, noise[:, list(symmetry.permutation)])
        assert order.sure and order.as_described


def test_upright_array_that_is_turned_in_its_plane_sounds_as_described(make_array):
    # No turn about the vertical: as described is what moves the fewest.
    array = make_array([[0, 0.03, 0.03], [0, -0.03, 0.03], [0, -0.03, -0.03], [0, 0.03, -0.03]])
    rng = np.random.default_rng(5)
    field = DiffuseField(array.positions, 16000, array.speed_of_sound)
    noise = 1e-4 * field.mix(rng.standard_normal((4, _SECONDS * 16000))).T.astype(np.float32)
    for turn in range(4):
        order = order_of_noise(array, np.roll(noise, turn, axis=1))
        assert order.sure and order.as_described
    swapped = order_of_noise(array, noise[:, [1, 0, 2, 3]])
    assert swapped.sure and len(swapped.moved) == 2


@settings(max_examples=20)
@given(st.permutations(range(6)))
def test_reordered_gives_every_microphone_its_channel(uma8, heard):
    array = reordered(uma8, ChannelOrder(tuple(heard), 1.0, True))
    for described, microphone in enumerate(heard):
        assert array.channels[microphone] == uma8.channels[described]


def test_unrelated_noises_say_nothing(uma8):
    noise = np.random.default_rng(1).standard_normal((480000, 6)).astype(np.float32)
    assert not order_of_noise(uma8, noise).sure


def test_digital_silence_says_nothing(uma8):
    order = order_of_noise(uma8, np.zeros((48000, 8), dtype=np.float32))
    assert not order.sure and order.explained == 0


def test_pair_distances(uma8):
    np.testing.assert_allclose(
        sorted(set(np.round(pair_distances(uma8), 3))), [0.043, 0.074, 0.086], atol=1e-3
    )
