# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What methods are given of a clip."""

import numpy as np
import pytest

from doa_ros.core.errors import ConfigError
from doa_ros.core.features.config import FeatureConfig
from training.data.clips import Clip
from training.evaluation.methods.inputs import MethodInput

BLOCKS = 40


def _clip():
    audio = np.zeros((BLOCKS * 800, 6), dtype=np.float32)
    return Clip(audio, 16000, (), np.zeros(BLOCKS, dtype=bool), 'a')


def test_features_of_another_hop_are_refused(uma8):
    with pytest.raises(ConfigError, match='hop of 0.02 s'):
        MethodInput(uma8, _clip()).features(FeatureConfig(hop=0.02))


def test_features_come_at_every_block_once_for_all_models(uma8):
    inputs = MethodInput(uma8, _clip())
    features = inputs.features(FeatureConfig())
    assert all(window.hop_index // 800 == block for block, window in features.items())
    assert list(features) == list(range(1, inputs.block_count))
    assert inputs.features(FeatureConfig()) is features
    # A window of 0.75 s is not full at the first scored block, which ends at 0.5 s.
    slow = inputs.features(FeatureConfig(window=0.75))
    assert inputs.blocks[0] not in slow
    assert inputs.blocks[1] in slow


def test_windows_of_baselines_end_with_the_blocks(uma8):
    clip = _clip()
    clip.audio[:] = np.arange(len(clip.audio))[:, None]
    windows = MethodInput(uma8, clip).baseline_windows
    assert {len(window) for window in windows} == {8000}
    assert windows[0][-1, 0] == 7999
    assert windows[1][-1, 0] == 11999
