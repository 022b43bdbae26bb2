# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
import keras
import numpy as np

from doa_ros.core.localization.tflite import TFLiteModel
from training.data.dataset import Shards
from training.deployment.conversion import output_names, representative_set, to_tflite
from training.models.architectures import inputs_of
from training.settings import load_settings


def test_the_representative_set_is_pinned(data, settings_path, models):
    settings = load_settings(settings_path)
    shards, inputs = Shards(data, 'train', settings), inputs_of(settings)
    first, second = (representative_set(shards, inputs) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(first, np.load(models / 'tiny_representative.npy'))


def test_outputs_of_the_same_size_are_told_apart(tmp_path):
    keras.utils.set_random_seed(1)
    inputs = keras.Input((3, 4))
    flat = keras.layers.Flatten()(inputs)
    outputs = [keras.layers.Dense(6, activation='softmax')(flat) for _ in range(2)]
    file = tmp_path / 'same.tflite'
    for order in ((0, 1), (1, 0)):
        model = keras.Model(inputs, [outputs[k] for k in order])
        file.write_bytes(to_tflite(model, 'float32', np.zeros((1, 3, 4), np.float32)))
        network = TFLiteModel(file)
        names = output_names(network, model, ('azimuth', 'elevation'))
        probe = np.full((3, 4), 0.2, np.float32)
        for name, got in zip(names, network(probe), strict=True):
            expected = model(probe[None])[('azimuth', 'elevation').index(name)][0]
            np.testing.assert_allclose(got, expected, atol=1e-5)
