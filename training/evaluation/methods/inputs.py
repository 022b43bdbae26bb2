# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What methods are given of a clip."""

from functools import cached_property

import numpy as np

from doa_ros.audio.recordings.resampling import resample
from doa_ros.core.errors import ConfigError
from doa_ros.core.features.config import FeatureConfig
from doa_ros.core.features.extractor import WindowFeatures
from doa_ros.core.geometry import MicArray

from ...data.clips import Clip, clip_extractor
from ..scenes.blocks import HOP, scored_blocks

# What baselines are usually run with: 16 kHz speech in windows of 0.5 s.
BASELINE_RATE = 16000
BASELINE_WINDOW = 0.5


class MethodInput:
    """A clip with its features; what several methods need is computed once.

    Args:
        array: the microphones, with z pointing up.
        clip: the audio, in blocks of HOP.

    Attributes:
        array, clip: as given.
        blocks: at whose ends directions are scored.
        block_count: of the clip.
    """

    def __init__(self, array: MicArray, clip: Clip):
        self.array = array
        self.clip = clip
        self.blocks = scored_blocks(clip)
        self.block_count = len(clip.silent)
        # With each array, so that its id stays its own.
        self._features: dict[
            tuple[FeatureConfig, int], tuple[MicArray, dict[int, WindowFeatures]]
        ] = {}

    def features(
        self, config: FeatureConfig, array: MicArray | None = None
    ) -> dict[int, WindowFeatures]:
        """Return the features of all windows in order, by the block that they end with.

        The first blocks have none, as no window is full yet.

        Args:
            config: the settings.
            array: the microphones as a method knows them; by default as they are.

        Raises:
            ConfigError: the hop is not the length of the clip's blocks.
        """
        array = array or self.array
        key = config, id(array)
        if key not in self._features:
            if config.hop != HOP:
                raise ConfigError(
                    f'features with a hop of {config.hop:g} s cannot be evaluated: it must be '
                    f'{HOP:g} s'
                )
            windows = clip_extractor(array, config, self.clip).push(0, self.clip.audio)
            block = round(HOP * self.clip.sampling_frequency)
            by_block = {window.hop_index // block: window for window in windows}
            self._features[key] = array, by_block
        return self._features[key][1]

    @cached_property
    def baseline_audio(self) -> np.ndarray:
        """The audio at BASELINE_RATE, shape (samples, microphones)."""
        return resample(self.clip.audio, self.clip.sampling_frequency, BASELINE_RATE)

    @cached_property
    def baseline_windows(self) -> list[np.ndarray]:
        """The last 0.5 s at every scored block at BASELINE_RATE, each (samples, microphones)."""
        window = round(BASELINE_WINDOW * BASELINE_RATE)
        ends = [round((block + 1) * HOP * BASELINE_RATE) for block in self.blocks]
        return [self.baseline_audio[max(0, end - window) : end] for end in ends]
