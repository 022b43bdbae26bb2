# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The network that filters several sources: the same for clips as for windows, all around."""

import keras
import numpy as np
import pytest

from doa_ros.core.directions import DirectionGrid
from doa_ros.core.localization.calibration import Calibration
from doa_ros.core.localization.recurrent_filter import (
    CHANNELS,
    RecurrentFilter,
    RecurrentFilterConfig,
)
from doa_ros.core.localization.tflite import TFLiteModel
from training.data.filter_examples import rotated
from training.deployment.conversion import to_tflite
from training.models.recurrent_filter import (
    RingConvolution,
    build_recurrent_filter,
    step_model,
)
from training.sections import TrainFilterConfig

AZIMUTHS, WINDOWS, STATES = 24, 12, 4
CONFIG = TrainFilterConfig(states=STATES)


@pytest.fixture(scope='module')
def model() -> keras.Model:
    keras.utils.set_random_seed(1)
    return build_recurrent_filter(CONFIG, AZIMUTHS)


@pytest.fixture(scope='module')
def seen() -> np.ndarray:
    rng = np.random.default_rng(1)
    return rng.normal(0, 0.7, (2, WINDOWS, AZIMUTHS, CHANNELS)).astype(np.float32)


def test_windows_one_by_one_are_the_clip(model, seen, tmp_path):
    log_odds = np.asarray(model(seen))[..., 0]
    expected = 1 / (1 + np.exp(-log_odds[0]))
    step = step_model(model)
    path = tmp_path / 'filter.tflite'
    path.write_bytes(to_tflite(step, 'float16'))
    network = TFLiteModel(path)
    assert network.input_shape == (AZIMUTHS, CHANNELS + STATES)
    exact = rounded = np.zeros((AZIMUTHS, STATES), dtype=np.float32)
    for window, probability in zip(seen[0], expected, strict=True):
        output = np.asarray(step(np.concatenate([window, exact], axis=1)[None]))[0]
        exact = output[:, 1:]
        np.testing.assert_allclose(output[:, 0], probability, atol=1e-5)
        (output,) = network(np.concatenate([window, rounded], axis=1))
        output = output.reshape(AZIMUTHS, 1 + STATES)
        rounded = output[:, 1:]
        np.testing.assert_allclose(output[:, 0], probability, atol=5e-3)
    # It remembers: the last window alone says something else.
    alone = np.asarray(model(seen[:1, -1:]))[..., 0]
    assert np.abs(alone[0, 0] - log_odds[0, -1]).max() > 1e-3
    # The runtime takes it.
    RecurrentFilter(
        network, DirectionGrid(AZIMUTHS, 10), 0.05, RecurrentFilterConfig(), Calibration()
    )


def test_turned_input_gives_turned_output(model, seen):
    for turn in (1, AZIMUTHS // 2, AZIMUTHS - 1):
        expected = rotated(np.asarray(model(seen)), turn, mirrored=False)
        np.testing.assert_allclose(model(rotated(seen, turn, False)), expected, atol=1e-5)


def test_the_ring_is_closed():
    layer = RingConvolution(1, 3)
    pulse = np.zeros((1, 8, 1), dtype=np.float32)
    pulse[0, 0] = 1
    layer.build(pulse.shape)
    layer.set_weights([np.array([1.0, 2.0, 3.0]).reshape(3, 1, 1), np.zeros(1)])
    assert np.asarray(layer(pulse)).ravel().tolist() == [2, 1, 0, 0, 0, 0, 0, 3]


def test_a_saved_network_is_the_same(model, seen, tmp_path):
    model.save(tmp_path / 'filter.keras')
    loaded = keras.models.load_model(tmp_path / 'filter.keras', compile=False)
    np.testing.assert_array_equal(loaded(seen), model(seen))
    step = np.concatenate([seen[0, :1], np.zeros((1, AZIMUTHS, STATES))], axis=-1)
    np.testing.assert_array_equal(step_model(loaded)(step), step_model(model)(step))
