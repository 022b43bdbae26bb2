# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The rooms and noise levels that clips are simulated in, with our goals in each."""

from dataclasses import dataclass, replace

from doa_ros.core.geometry import MicArray

from ...sections import SimulateConfig
from ...simulation.scenes import Scene

# The errors of the microphones; each kind of scene says the rest.
ARRAY_ERRORS = SimulateConfig(
    engine='pyroomacoustics', length=4.5, lead=1.5, gain_db=1.0, phase_deg=0.0, position=0.0005
)
_ROOMS = replace(
    ARRAY_ERRORS,
    length=8.0,
    tail=1.5,
    position=0.0007,
    distance_min=0.8,
    distance_max=3.5,
    elevation_max_deg=60.0,
    noise_only=0.0,
    short_sounds=0.0,
    directional_noise=0.0,
    ego_noise=0.0,
)
# Of a real array: highest level of a clip [dBFS], and how far the microphones' own noise is below
# the speech [dB].
_SPEECH_PEAK, SENSOR_BELOW_SPEECH = -30.0, 35.0


@dataclass(frozen=True)
class Condition:
    """RT60 [s] and SNR [dB] of one fixed room, with our goal in it."""

    name: str
    rt60: float
    snr: float
    goal_mae_deg: float


CONDITIONS = (
    Condition('anechoic, 20 dB', 0.0, 20.0, 2.5),
    Condition('RT60 0.45 s, 10 dB', 0.45, 10.0, 5.0),
)


@dataclass(frozen=True)
class SingleSourceGoals:
    """Our goals with one talker: metrics by name; angles in [deg], shares in 0..1."""

    answered_azimuth_mae_deg: float
    answered_elevation_mae_deg: float
    answered_within_10: float
    unanswered: float
    silence_answered: float = 0.01


@dataclass(frozen=True)
class MultiSourceGoals:
    """Our goals with two talkers: metrics by name; shares in 0..1."""

    recall: float
    spurious: float


@dataclass(frozen=True)
class Difficulty:
    """RT60 [s] and SNR [dB] of random rooms, with our goals for one talker and for two."""

    name: str
    rt60: float
    snr: float
    goals: SingleSourceGoals
    multi_source_goals: MultiSourceGoals


DIFFICULTIES = (
    Difficulty(
        'easy: RT60 0.15 s, 20 dB',
        0.15,
        20.0,
        SingleSourceGoals(1.2, 3.0, 0.99, 0.03),
        MultiSourceGoals(0.98, 0.02),
    ),
    Difficulty(
        'room: RT60 0.45 s, 10 dB',
        0.45,
        10.0,
        SingleSourceGoals(3.0, 5.0, 0.96, 0.15),
        MultiSourceGoals(0.90, 0.05),
    ),
    Difficulty(
        'hard: RT60 0.7 s, 5 dB',
        0.7,
        5.0,
        SingleSourceGoals(5.0, 6.0, 0.93, 0.3),
        MultiSourceGoals(0.75, 0.08),
    ),
)


def rooms_of(difficulty: Difficulty, array: MicArray, engine: str) -> SimulateConfig:
    """Return the settings that rooms of a difficulty are drawn from."""
    return replace(
        _ROOMS,
        engine=engine,
        sampling_frequency=array.sampling_frequency,
        rt60_min=difficulty.rt60,
        rt60_max=difficulty.rt60,
        snr_min=difficulty.snr,
        snr_max=difficulty.snr,
    )


def at_levels_of(difficulty: Difficulty, scene: Scene) -> Scene:
    """Return a scene with the levels of a difficulty."""
    return replace(scene, sensor_db=difficulty.snr - SENSOR_BELOW_SPEECH, peak_dbfs=_SPEECH_PEAK)
