# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The network that follows several sources: the same for clips as for frames, all around."""

import keras
import numpy as np
import pytest

from doa_ros.core.directions import DirectionGrid
from doa_ros.core.localization.calibration import Calibration
from doa_ros.core.localization.recurrent_filter import CHANNELS, RecurrentFilter
from doa_ros.core.localization.tflite import TFLiteModel
from training.data.filter_examples import FilterExamples, inputs, rotated, targets
from training.deployment.conversion import to_tflite
from training.models.recurrent_filter import (
    RingConvolution,
    SequenceBatches,
    build_recurrent_filter,
    fit_recurrent_filter,
    recurrent_filter_loss,
    step_model,
)
from training.sections import TrainFilterConfig

AZIMUTHS, FRAMES, STATES = 24, 12, 4
CONFIG = TrainFilterConfig(states=STATES, epochs=2, batch=4, learning_rate=1e-2)


@pytest.fixture(scope='module')
def model() -> keras.Model:
    keras.utils.set_random_seed(1)
    return build_recurrent_filter(CONFIG, AZIMUTHS)


@pytest.fixture(scope='module')
def seen() -> np.ndarray:
    rng = np.random.default_rng(1)
    return rng.normal(0, 0.7, (2, FRAMES, AZIMUTHS, CHANNELS)).astype(np.float32)


def clips(count: int, seed: int = 2) -> FilterExamples:
    """Return clips of a talker whom the first channel shows."""
    rng = np.random.default_rng(seed)
    azimuth = np.full((count, FRAMES, 3), np.nan, dtype=np.float32)
    azimuth[..., 0] = rng.uniform(-np.pi, np.pi, (count, 1))
    shape = count, FRAMES, 3, AZIMUTHS
    maps = rng.normal(0, 0.1, shape).astype(np.float16)
    distance = np.cos(DirectionGrid(AZIMUTHS, 0).azimuths - azimuth[..., :1])
    maps[:, :, 0] = np.exp(20 * (distance - 1))
    here = np.zeros(azimuth.shape, dtype=bool)
    here[..., 0] = True
    scalars = rng.normal(size=(count, FRAMES, CHANNELS - 3)).astype(np.float16)
    return FilterExamples(maps, scalars, azimuth, here, ~here, np.arange(count))


def test_frames_one_by_one_are_the_clip(model, seen, tmp_path):
    log_odds = np.asarray(model(seen))[..., 0]
    expected = 1 / (1 + np.exp(-log_odds[0]))
    step = step_model(model)
    path = tmp_path / 'filter.tflite'
    path.write_bytes(to_tflite(step, 'float16'))
    network = TFLiteModel(path)
    assert network.input_shape == (AZIMUTHS, CHANNELS + STATES)
    exact = rounded = np.zeros((AZIMUTHS, STATES), dtype=np.float32)
    for frame, probability in zip(seen[0], expected, strict=True):
        output = np.asarray(step(np.concatenate([frame, exact], axis=1)[None]))[0]
        exact = output[:, 1:]
        np.testing.assert_allclose(output[:, 0], probability, atol=1e-5)
        (output,) = network(np.concatenate([frame, rounded], axis=1))
        output = output.reshape(AZIMUTHS, 1 + STATES)
        rounded = output[:, 1:]
        np.testing.assert_allclose(output[:, 0], probability, atol=5e-3)
    # It remembers: the last frame alone says something else.
    alone = np.asarray(model(seen[:1, -1:]))[..., 0]
    assert np.abs(alone[0, 0] - log_odds[0, -1]).max() > 1e-3
    # The runtime takes it.
    RecurrentFilter(network, DirectionGrid(AZIMUTHS, 10), 0.05, Calibration())


def test_what_turns_is_followed_all_the_same(model, seen):
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


def test_batches_hold_every_clip_once_in_another_position():
    data = clips(7)
    plain = SequenceBatches(data, 3)
    assert [len(seen) for seen, _ in (plain[k] for k in range(len(plain)))] == [3, 3, 1]
    np.testing.assert_array_equal(plain[2][0], inputs(data.select(np.array([6]))))
    shuffled = SequenceBatches(data, 3, seed=5)

    def scalars():
        # Those of a frame do not turn.
        return np.concatenate([shuffled[k][0][:, 0, 0, -1] for k in range(len(shuffled))])

    first = scalars()
    np.testing.assert_array_equal(np.sort(first), np.sort(data.scalars[:, 0, -1]))
    np.testing.assert_array_equal(first, scalars())
    for index in range(len(shuffled)):
        seen, wanted = shuffled[index]
        # Where inputs go, targets go.
        np.testing.assert_array_equal(seen[..., 0].argmax(axis=-1), wanted[..., 0].argmax(axis=-1))
    shuffled.on_epoch_end()
    assert (scalars() != first).any()


def test_only_what_counts_is_lost():
    wanted = targets(clips(2))
    odds = np.zeros((*wanted.shape[:-1], 1), dtype=np.float32)
    np.testing.assert_allclose(
        recurrent_filter_loss(wanted, odds), AZIMUTHS * np.log(2), rtol=1e-5
    )
    wanted[:, :, :5, 1] = 0
    odds[:, :, :5] = 30
    np.testing.assert_allclose(
        recurrent_filter_loss(wanted, odds), AZIMUTHS * np.log(2), rtol=1e-5
    )
    wanted[..., 1] = 0
    assert (np.asarray(recurrent_filter_loss(wanted, odds)) == 0).all()


def test_it_learns(tmp_path):
    file = tmp_path / 'filter.keras'
    fit_recurrent_filter(CONFIG, clips(16), clips(4, seed=3), file)
    model = keras.models.load_model(file, compile=False)
    val = clips(4, seed=3)
    keras.utils.set_random_seed(CONFIG.seed)
    untrained = build_recurrent_filter(CONFIG, AZIMUTHS)
    before, after = (
        np.mean(recurrent_filter_loss(targets(val), network(inputs(val))))
        for network in (untrained, model)
    )
    assert after < 0.8 * before
    assert (tmp_path / 'curves.png').is_file()
