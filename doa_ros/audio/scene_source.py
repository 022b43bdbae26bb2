# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A simulated scene as sound source: talkers who move around the array in a noisy room."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from doa_ros.audio.playback import Playback
from doa_ros.audio.recordings.mono import read_mono
from doa_ros.audio.source import AudioBlock, Clock
from doa_ros.core.config import load_yaml, require_keys
from doa_ros.core.errors import ConfigError
from doa_ros.core.geometry import MicArray
from doa_ros.core.localization.decoding import Estimate
from doa_ros.simulation.labels import active_blocks
from doa_ros.simulation.scene import SceneConfig, render_talkers

# What talkers of a scene may differ in.
_OF_TALKER = {
    'distance', 'height', 'azimuth_deg', 'speed_deg', 'speech', 'skip', 'lead', 'tail',
}  # fmt: skip


def load_scene(path: Path) -> tuple[SceneConfig, ...]:
    """Return the scene in a file with each of its talkers.

    Raises:
        ConfigError: the file is missing or does not describe a scene.
    """
    content = load_yaml(path)
    content.pop('description', None)
    talkers = content.pop('talkers', [{}])
    if not isinstance(talkers, list) or not talkers:
        raise ConfigError(f'{path}: talkers must be a list of at least one')
    for number, talker in enumerate(talkers):
        require_keys(talker, f'{path}: talker {number}', optional=_OF_TALKER)
    return tuple(SceneConfig.from_mapping(content | talker, str(path)) for talker in talkers)


@dataclass(frozen=True)
class SimulatedBlock(AudioBlock):
    """A block of a scene, with the truth about it.

    Attributes:
        truth: the directions of the talkers who are heard in it.
    """

    truth: tuple[Estimate, ...] = ()


class SceneSource:
    """Renders a scene once, then plays it.

    Args:
        path: the scene file (see config/scenes).
        array: the array to render for.
        block_duration: length of a block [s].
        real_time: deliver at the pace of the clock instead of as fast as possible.
        loop: start again at the end.

    Raises:
        ConfigError, AudioError: the scene or its recordings are not usable.
    """

    def __init__(
        self,
        path: Path,
        array: MicArray,
        *,
        block_duration: float,
        real_time: bool = True,
        loop: bool = False,
    ):
        self.talkers = load_scene(path)
        self.config = self.talkers[0]
        self.sampling_frequency = array.sampling_frequency
        self.channel_count = array.channel_count
        self._loop = loop
        self._playback = Playback(array.sampling_frequency, real_time)
        self._block = round(block_duration * array.sampling_frequency)
        rate = array.sampling_frequency
        speeches = [read_mono(path.parent / talker.speech, rate) for talker in self.talkers]
        noise = read_mono(path.parent / self.config.noise, rate)
        try:
            audio, directs = render_talkers(
                list(zip(self.talkers, speeches, strict=True)), array, noise
            )
        except ConfigError as error:
            raise ConfigError(f'{path}: {error}') from None
        self._samples = audio
        # Per block, which talkers are heard.
        self._active = np.stack([active_blocks(d, self._block) for d in directs], axis=1)

    def blocks(self, clock: Clock) -> Iterator[SimulatedBlock]:
        """Yield the scene; stamps count from the first call."""
        self._playback.begin(clock)
        while True:
            for number, active in enumerate(self._active):
                samples = self._samples[number * self._block : (number + 1) * self._block]
                time = (number + 0.5) * self._block / self.sampling_frequency
                truth = tuple(
                    Estimate(*talker.direction(time), 0.0, 0.0, 1.0)
                    for talker, speaks in zip(self.talkers, active, strict=True)
                    if speaks
                )
                block = self._playback.deliver(samples)
                if block is None:
                    return
                yield SimulatedBlock(**vars(block), truth=truth)
            if not self._loop:
                return

    def close(self) -> None:
        """End `blocks`."""
        self._playback.close()
