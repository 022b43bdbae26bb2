# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What is heard in random rooms: a talker, two of them, short sounds, or noise alone."""

from dataclasses import dataclass, replace
import math

import numpy as np

from doa_ros.core.ambiguity import Ambiguity
from doa_ros.core.geometry import wrap_angle

from ...sections import SimulateConfig
from ...simulation.scenes import Place, Scene, draw_scene

# Least distance of two talkers in azimuth [rad], and largest difference of their levels [dB].
_APART, _LEVEL_DB = math.radians(40), 3.0


@dataclass(frozen=True)
class Heard:
    """One source, or noise that no estimate is expected of.

    Attributes:
        kind: of the source, of `clips.SOURCE_KINDS`; empty without one.
        ego: of `Scene`.
        loud_noise: of `SimulateConfig`.
        seed: what has the same one is heard in the same rooms.
    """

    kind: str = 'speech'
    ego: str = ''
    loud_noise: float = 0.0
    seed: int = 11

    def draw(
        self, rng: np.random.Generator, config: SimulateConfig, ambiguity: Ambiguity
    ) -> Scene:
        """Return a random room in which it is heard.

        Args:
            rng, config, ambiguity: of `draw_scene`.
        """
        drawn = draw_scene(rng, replace(config, loud_noise=self.loud_noise), ambiguity)
        sources = tuple(replace(place, kind=self.kind) for place in drawn.sources if self.kind)
        return replace(drawn, sources=sources, ego=self.ego)


@dataclass(frozen=True)
class Conversation(Heard):
    """Two talkers who speak and pause.

    They are at least 40 degrees apart in azimuth, and their levels differ by at most 3 dB.
    """

    seed: int = 17

    def draw(
        self, rng: np.random.Generator, config: SimulateConfig, ambiguity: Ambiguity
    ) -> Scene:
        """Return a random room in which they are heard; see `Heard.draw`."""
        config = replace(config, sources_max=2, separation_deg=0.0)
        drawn = super().draw(rng, config, ambiguity)
        while not _two_apart(drawn.sources):
            drawn = super().draw(rng, config, ambiguity)
        first, second = (replace(place, level_db=0.0) for place in drawn.sources)
        second = replace(second, level_db=rng.uniform(-_LEVEL_DB, _LEVEL_DB))
        return replace(drawn, sources=(first, second), speech='turns')


SPEECH = Heard()
SHORT_SOUNDS = Heard('impulse')
"""Each is under 100 ms long."""
FAN = Heard('', ego='fan')
"""It is at the array, and never stops."""
SPEECH_BESIDE_NOISES = Heard(loud_noise=1.0, seed=29)
NOISES = Heard('', loud_noise=1.0, seed=31)
"""From directions of their own; some begin or end within the clip."""
CONVERSATION = Conversation()
CONVERSATION_BESIDE_NOISES = Conversation(loud_noise=1.0, seed=37)


def _two_apart(places: tuple[Place, ...]) -> bool:
    if len(places) != 2:
        return False
    first, second = places
    return abs(wrap_angle(first.azimuth - second.azimuth)) >= _APART
