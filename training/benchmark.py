# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The fixed comparison: the same simulated rooms for everyone, with the recordings of the demo."""

from collections.abc import Iterator
from dataclasses import dataclass
import math

import numpy as np
from tqdm import tqdm

from doa_ros.core.geometry import MicArray
from doa_ros.core.scoring import silent_frames, voiced_frames
from doa_ros.resources import config_directory

from .clips import Clip, Source
from .frames import HOP
from .material import Material
from .rooms import Imperfections, Scene, simulate

DIRECTIONS = 20
_SEED = 7
_LENGTH, _LEAD = 4.5, 1.5


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


def demo_material(array: MicArray) -> Material:
    """Return the recordings that come with the demo scene."""
    folder = config_directory() / 'scenes'
    files = {'speech': [folder / 'speech.flac'], 'noise': [folder / 'noise.flac']}
    return Material(files, array.sampling_frequency)


def benchmark_clips(array: MicArray, material: Material) -> Iterator[tuple[str, Clip]]:
    """Yield every direction of every condition, with the condition's name."""
    for condition in CONDITIONS:
        for number in tqdm(range(DIRECTIONS), desc=condition.name, unit='clip'):
            yield condition.name, make_clip(array, material, condition, number)


def make_clip(array: MicArray, material: Material, condition: Condition, number: int) -> Clip:
    """Simulate one direction of a condition; each counts as a room of its own."""
    rng = np.random.default_rng([_SEED, number])
    scene = Scene(
        size=np.array([6.0, 5.0, 3.0]),
        centre=np.array([2.8, 2.3, 1.0]),
        heading=rng.uniform(-math.pi, math.pi),
        # The golden angle spreads any number of directions evenly.
        azimuth=math.remainder(number * math.pi * (3 - math.sqrt(5)), 2 * math.pi),
        elevation=math.radians(60) * number / (DIRECTIONS - 1),
        distance=1.5,
        rt60=condition.rt60,
        snr=condition.snr,
    )
    rate = array.sampling_frequency
    recording = material.draw('speech', rng)
    speech = np.roll(recording, -int(rng.integers(len(recording))))
    lead = np.zeros(round(_LEAD * rate), dtype=np.float32)
    voice = np.concatenate([lead, np.resize(speech, round((_LENGTH - _LEAD) * rate))])
    made = simulate(rng, array, scene, voice, material, HOP, Imperfections())
    blocks = len(made.active)
    source = Source(
        azimuth=np.full(blocks, scene.azimuth),
        elevation=np.full(blocks, scene.elevation),
        voiced=voiced_frames(made.active),
        distance=scene.distance,
    )
    return Clip(
        audio=made.audio,
        sampling_frequency=rate,
        sources=(source,),
        silent=silent_frames(made.active, HOP),
        room=f'direction {number}',
        rt60=condition.rt60,
        snr=condition.snr,
    )
