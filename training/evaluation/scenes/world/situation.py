# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What kinds of scenes are told by."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
import math

from ....simulation.scenes import Sound
from ....simulation.surroundings import Walls


@dataclass(frozen=True)
class DirectionalNoise:
    """Noises from directions of their own.

    Attributes:
        sounds: what makes them; each scene takes the next ones.
        level_db: power of all of them over that of all sources, or over the diffuse noise where
            there is no source [dB].
        count: how many are heard at a time.
        begin: when they begin [s]; 0 where they are there from the beginning.
    """

    sounds: Sequence[Sound]
    level_db: float
    count: int = 1
    begin: float = 0.0


@dataclass(frozen=True)
class Situation:
    """A kind of scene; pairs are ranges that values are drawn from.

    Attributes:
        name: for people; its scenes are others where the name changes.
        goals: values of metrics by name.
        size: smallest and largest room [m].
        rt60: reverberation time [s], unless the room has walls of materials.
        walls: draws those; None for walls that all reflect alike.
        beside_walls: how many walls the array is beside: 1, or 2 in a corner.
        on_table: whether the array lies on a table.
        furniture: whether there are cupboards and the like around the array.
        snr: power of all sources over the diffuse noise [dB].
        diffuse: what makes the diffuse noise; None for a random one.
        noise: from directions of their own; None for none.
        talkers: how many there are.
        apart_deg: azimuth from one talker to the next [deg].
        distance: of talkers and noises [m].
        elevation_deg: of talkers and noises [deg].
        hard_wall: of `Scene`.
        direct_db: of `Place`: less than 0 for talkers who are turned away.
        speed_deg: angular velocity of the talker [deg/s].
        speech: of `Scene`.
        voice: what makes the sound of a talker; None for recordings of speech.
        kind: of `clips.SOURCE_KINDS`, what talkers are labelled as.
        slam: what makes the sound of a door, which is a source, too; None for none.
        slam_db: its power over that of the talker [dB].
        lead, talk, tail: time before, of and after the sound of the talkers [s].
        peak_dbfs: highest level of a clip [dB of full scale].
        clipped_db: how far the peaks exceed what the microphones can give [dB].
        array: name of another array that listens; empty for the one that is given. It is listened
            to by methods that need no training.
        array_scale: how much larger the array is than methods know.
    """

    name: str
    goals: Mapping[str, float] = field(default_factory=dict)
    size: tuple[tuple[float, ...], tuple[float, ...]] = ((3.5, 3.5, 2.4), (9.0, 7.0, 3.6))
    rt60: float = 0.4
    walls: Walls | None = None
    beside_walls: int = 0
    on_table: bool = False
    furniture: bool = False
    snr: tuple[float, float] = (20.0, 20.0)
    diffuse: Sound | None = None
    noise: DirectionalNoise | None = None
    talkers: int = 1
    apart_deg: tuple[float, float] = (45.0, 120.0)
    distance: tuple[float, float] = (0.8, 3.0)
    elevation_deg: tuple[float, float] = (0.0, 45.0)
    hard_wall: float = 0.0
    direct_db: float = 0.0
    speed_deg: float = 0.0
    speech: str = 'steady'
    voice: Sound | None = None
    kind: str = 'speech'
    slam: Sound | None = None
    slam_db: float = 15.0
    lead: float = 1.5
    talk: float = 4.5
    tail: float = 1.5
    peak_dbfs: float = -30.0
    clipped_db: float = 0.0
    array: str = ''
    array_scale: float = 1.0

    @property
    def directions(self) -> int:
        """How many directions sound comes from: talkers and noises."""
        return self.talkers + (self.noise.count if self.noise else 0)

    @property
    def noise_begin(self) -> float:
        """When a noise begins [s]; NaN where none does."""
        return self.noise.begin if self.noise and self.noise.begin else math.nan


@dataclass(frozen=True)
class Family:
    """Kinds of scenes that are shown in one table.

    Attributes:
        title: of the table.
        situations: in the order of the table.
        metrics: names of those that the table has.
    """

    title: str
    situations: Sequence[Situation]
    metrics: Sequence[str]
