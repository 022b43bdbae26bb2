# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What a recurrent filter learns from, of a network for every array."""

import hashlib

import keras
import numpy as np

from doa_ros.core.features.config import FeatureConfig
from doa_ros.core.localization.model_card import ModelCard
from doa_ros.core.localization.tflite import TFLiteModel
from training.data.filter_examples import FilterExamples
from training.data.inputs import MAP_GRID
from training.data.shards import ShardSpec
from training.deployment.conversion import output_names, to_tflite
from training.models.blocks import NetworkConfig, build
from training.sections import SimulateConfig, TrainConfig, TrainFilterConfig
from training.settings import Settings
from training.simulation import conversation_job
from training.simulation.conversation_job import ConversationJob

SHAPE = MAP_GRID.azimuth_count, MAP_GRID.elevation_count
SETTINGS = Settings(
    'any',
    features=FeatureConfig(lag_rate=24000, residual=True),
    simulate=SimulateConfig(lead=1.0, rt60_max=0.1, sources_max=2),
    train=TrainConfig(
        multi_source=True,
        azimuth_classes=SHAPE[0],
        elevation_classes=SHAPE[1],
        elevation_min_deg=-90.0,
        outputs=('azimuth', 'elevation', 'activity'),
    ),
    train_filter=TrainFilterConfig(length=3.0),
)


def test_each_clip_is_heard_by_another_array(sounds, tmp_path, monkeypatch):
    keras.utils.set_random_seed(1)
    network = build(NetworkConfig('map', 8, ()), SHAPE, SETTINGS.train)
    content = to_tflite(network, 'float32')
    model = tmp_path / 'any.tflite'
    model.write_bytes(content)
    card = ModelCard(
        array=None,
        features=SETTINGS.features,
        grid=SETTINGS.train.grid,
        outputs=output_names(TFLiteModel(content), network, SETTINGS.train.heads),
        sha256=hashlib.sha256(content).hexdigest(),
        multi_source=True,
        input='map',
    )
    heard = []
    original = conversation_job.filter_example

    def noted(array, classifier, clip, number):
        heard.append(array)
        assert classifier.features == SETTINGS.features.reaching(array)
        assert clip.audio.shape[1] == len(array.positions)
        return original(array, classifier, clip, number)

    monkeypatch.setattr(conversation_job, 'filter_example', noted)
    job = ConversationJob(SETTINGS, None, card, model, sounds)
    shard = job.maker('train')(ShardSpec('train', 0, range(2)))
    path = tmp_path / 'shard.npz'
    path.write_bytes(shard.content)
    examples = FilterExamples.load(path, 'train_filter')
    assert examples.maps.shape[0] == 2 and examples.maps.shape[-1] == SHAPE[0]
    assert np.isfinite(examples.maps).all()
    first, second = heard
    assert first.positions.shape != second.positions.shape or not np.allclose(
        first.positions, second.positions
    )
