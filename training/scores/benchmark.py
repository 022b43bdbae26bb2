# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Simulated clips to compare methods on: fixed ones, the same for everyone, and random ones."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
import math

import numpy as np
from tqdm import tqdm

from doa_ros.core.geometry import MicArray
from doa_ros.resources import config_directory

from ..examples.clips import Clip
from ..rooms.engines import Room
from ..rooms.material import SPLITS, Material
from ..rooms.simulator import Place, Scene, Simulator
from ..settings import SimulateConfig
from .frames import HOP

DIRECTIONS = 20
_SEED = 7
# The array and the imperfections; the scenes are fixed below.
_CONFIG = SimulateConfig(
    engine='pyroomacoustics', length=4.5, lead=1.5, gain_db=1.0, phase_deg=0.0, position=0.0005
)


@dataclass(frozen=True)
class Condition:
    """A room and a noise level, with the least we ask of ourselves in it."""

    name: str
    rt60: float
    snr: float
    goal_mae_deg: float


CONDITIONS = (
    Condition('anechoic, 20 dB', 0.0, 20.0, 2.5),
    Condition('RT60 0.45 s, 10 dB', 0.45, 10.0, 5.0),
)


def demo_material(rate: int) -> Material:
    """Return the recordings that come with the demo scene, at a rate [Hz]."""
    folder = config_directory() / 'scenes'
    files = {'speech': [folder / 'speech.flac'], 'noise': [folder / 'noise.flac']}
    return Material(files, rate)


def fixed_clips(
    array: MicArray, material: Material, numbers=range(DIRECTIONS)
) -> Iterator[tuple[str, Clip]]:
    """Yield the directions of every condition, with the condition's name.

    Args:
        array: the microphones.
        material: the sounds, at the array's rate.
        numbers: which of the DIRECTIONS; each counts as a room of its own.
    """
    config = replace(_CONFIG, sampling_frequency=array.sampling_frequency)
    simulator = Simulator(array, config, material, HOP)
    for condition in CONDITIONS:
        for number in tqdm(numbers, desc=condition.name, unit='clip'):
            rng = np.random.default_rng([_SEED, number])
            scene = Scene(
                room=Room(np.array([6.0, 5.0, 3.0]), condition.rt60),
                centre=np.array([2.8, 2.3, 1.0]),
                heading=rng.uniform(-math.pi, math.pi),
                sources=(
                    Place(
                        # The golden angle spreads any number of directions evenly.
                        azimuth=math.remainder(number * math.pi * (3 - math.sqrt(5)), 2 * math.pi),
                        elevation=math.radians(60) * number / (DIRECTIONS - 1),
                        distance=1.5,
                    ),
                ),
                snr=condition.snr,
            )
            yield condition.name, simulator.clip(rng, scene, f'direction {number}')


def random_clips(
    array: MicArray, config: SimulateConfig, material: Material, count: int
) -> Iterator[tuple[str, Clip]]:
    """Yield random scenes, none of which `simulate` ever draws, with the engine's name.

    Args:
        array: the microphones.
        config: what scenes are drawn from.
        material: the sounds, at the rate of `config`.
        count: how many.
    """
    simulator = Simulator(array, config, material, HOP)
    for number in tqdm(range(count), desc='random scenes', unit='clip'):
        # After the splits of simulate, a seed space of its own.
        rng = np.random.default_rng([config.seed, len(SPLITS), number])
        yield f'random scenes ({config.engine})', simulator.random_clip(rng, f'room {number}')
