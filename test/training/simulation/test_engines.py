# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The fast engine against the reference, and both against physics."""

import numpy as np
import pytest
from scipy import signal

from doa_ros.simulation.acoustics import Room
from doa_ros.simulation.materials import (
    BRICKWORK,
    CARPET,
    CEILING_TILES,
    CURTAINS,
    GLASS,
    WOODEN_LINING,
)
from training.simulation.engine_check import compare_engines
from training.simulation.engines import ENGINES

RATE = 16000
SIZE = np.array([5.0, 4.0, 3.0])
CENTRE, SOURCE = np.array([2.0, 1.8, 1.0]), np.array([3.1, 2.8, 1.5])


def responses(name, array, rt60, seed=1):
    engine = ENGINES[name](array, RATE)
    rng = np.random.default_rng(seed)
    return engine.responses(rng, Room(SIZE, rt60), SOURCE, CENTRE + array.positions)


@pytest.mark.parametrize('rt60', [0.2, 0.6])
def test_fast_engine_is_as_good_as_the_reference(uma8, rt60):
    check = compare_engines(uma8, RATE, rt60, rooms=2)
    assert check.correlation > 0.999
    assert check.t20 == pytest.approx(check.reference_t20, rel=0.25)


def test_fast_engine_is_fast(uma8):
    check = compare_engines(uma8, RATE, 0.6, rooms=2)
    assert check.reference_seconds > 50 * check.seconds


@pytest.mark.parametrize('name', ENGINES)
def test_direct_sound_arrives_when_it_must(uma8, name):
    found = responses(name, uma8, 0.0)
    distance = np.linalg.norm(CENTRE + uma8.positions - SOURCE, axis=1)
    np.testing.assert_allclose(found.argmax(axis=1), distance / 343 * RATE, atol=1)
    # The peak of a pulse between two samples is at least 0.63 of its height.
    assert np.all(found.max(axis=1) > 0.6 / distance)
    assert np.all(found.max(axis=1) < 1.02 / distance)


def test_both_engines_are_equally_loud(uma8):
    energy = [np.sum(responses(name, uma8, 0.4) ** 2) for name in ENGINES]
    assert energy[0] == pytest.approx(energy[1], rel=0.05)


def test_tail_is_coherent_as_a_diffuse_field(uma8):
    """Tails of many seeds: the coherence of microphones 1 and 2, 43 mm apart."""
    tails = [responses('fast', uma8, 0.6, seed)[[1, 2], 3000:7000] for seed in range(12)]
    # The decay is undone, so that all of the tail counts.
    level = np.exp(6.91 / 0.6 * np.arange(4000) / RATE)
    x, y = np.concatenate(tails, axis=1) * np.tile(level, 12)
    frequencies, cross = signal.csd(x, y, RATE, nperseg=256)
    powers = [signal.welch(z, RATE, nperseg=256)[1] for z in (x, y)]
    coherence = (cross / np.sqrt(powers[0] * powers[1])).real
    distance = np.linalg.norm(uma8.positions[1] - uma8.positions[2])
    band = (frequencies > 300) & (frequencies < 7000)
    expected = np.sinc(2 * frequencies * distance / 343)
    assert np.abs(coherence - expected)[band].mean() < 0.06


def test_the_tail_depends_on_the_seed_and_on_nothing_else(uma8):
    first, again, other = (responses('fast', uma8, 0.3, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


WALLS = GLASS, CURTAINS, BRICKWORK, WOODEN_LINING, CARPET, CEILING_TILES


def test_both_engines_hear_the_same_walls(uma8):
    """The engines interpolate between bands each in their own way: they are alike, not equal."""
    room = Room.of_materials(SIZE, WALLS, scattering=0.0)
    microphones = CENTRE + uma8.positions
    rng = np.random.default_rng(1)
    found = [
        ENGINES[name](uma8, RATE).responses(rng, room, SOURCE, microphones)[:, :1400]
        for name in ENGINES
    ]
    assert np.corrcoef(*(response.ravel() for response in found))[0, 1] > 0.99
    energies = [np.sum(response**2) for response in found]
    assert energies[0] == pytest.approx(energies[1], rel=0.1)


def test_a_tail_between_walls_of_materials_goes_on_as_it_began(uma8):
    """Its level does not jump where images give way to what is diffuse."""
    room = Room.of_materials(np.array([6.0, 5.0, 3.0]), (BRICKWORK,) * 6, scattering=0.1)
    engine = ENGINES['fast'](uma8, RATE)
    microphones = CENTRE + uma8.positions
    found = engine.responses(np.random.default_rng(1), room, SOURCE, microphones)
    power = np.mean(np.square(found), axis=0)[800:]
    blocks = 10 * np.log10(power[: len(power) // 800 * 800].reshape(-1, 800).mean(axis=1))
    assert np.abs(np.diff(blocks[:20])).max() < 4
