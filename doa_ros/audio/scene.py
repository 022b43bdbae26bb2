# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A simulated scene as sound source: one talker who moves around the array in a noisy room."""

from collections.abc import Iterator
from pathlib import Path

from doa_ros.audio.mono import read_mono
from doa_ros.audio.rendering import SceneConfig, render
from doa_ros.audio.source import NANOSECONDS, AudioBlock, Clock, Pacer
from doa_ros.core.config import load_yaml
from doa_ros.core.decoding import Estimate
from doa_ros.core.errors import ConfigError
from doa_ros.core.geometry import MicArray
from doa_ros.core.scoring import active_blocks


class SceneSource:
    """Renders a scene once, then plays it.

    Args:
        path: the scene file (see config/scenes).
        array: the array to render for.
        block_duration: length of a block [s].
        real_time: deliver at the pace of real time instead of as fast as possible.
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
        content = load_yaml(path)
        content.pop('description', None)
        self.config = SceneConfig.from_mapping(content, str(path))
        self.sampling_frequency = array.sampling_frequency
        self.channel_count = array.channel_count
        self._loop = loop
        self._pacer = Pacer(real_time)
        self._block = round(block_duration * array.sampling_frequency)
        rate = array.sampling_frequency
        speech = read_mono(path.parent / self.config.speech, rate)
        noise = read_mono(path.parent / self.config.noise, rate)
        try:
            audio, direct = render(self.config, array, speech, noise)
        except ConfigError as error:
            raise ConfigError(f'{path}: {error}') from None
        self._samples = audio
        self._active = active_blocks(direct, self._block)

    def blocks(self, clock: Clock) -> Iterator[AudioBlock]:
        """Yield the scene with the truth of each block; stamps count from the first call."""
        rate, start, index = self.sampling_frequency, clock(), 0
        while True:
            for number, active in enumerate(self._active):
                if not self._pacer.wait((index + self._block) / rate):
                    return
                samples = self._samples[number * self._block : (number + 1) * self._block]
                time = (number + 0.5) * self._block / rate
                truth = (Estimate(*self.config.direction(time), 0.0, 0.0, 1.0),) if active else ()
                yield AudioBlock(samples, rate, index, start + index * NANOSECONDS // rate, truth)
                index += self._block
            if not self._loop:
                return

    def close(self) -> None:
        """End `blocks`."""
        self._pacer.close()
