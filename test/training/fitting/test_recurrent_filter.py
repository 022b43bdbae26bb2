# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Fitting the network of the recurrent filter."""

import keras
import numpy as np

from doa_ros.core.directions import DirectionGrid
from doa_ros.core.localization.recurrent_filter import CHANNELS
from training.data.filter_examples import FilterExamples, inputs, targets
from training.fitting.recurrent_filter import (
    SequenceBatches,
    fit_recurrent_filter,
    recurrent_filter_loss,
)
from training.models.recurrent_filter import build_recurrent_filter
from training.sections import TrainFilterConfig

AZIMUTHS, WINDOWS = 24, 12
CONFIG = TrainFilterConfig(states=4, epochs=2, batch=4, learning_rate=1e-2)


def clips(count: int, seed: int = 2) -> FilterExamples:
    """Return clips of a talker whom the first channel shows."""
    rng = np.random.default_rng(seed)
    azimuth = np.full((count, WINDOWS, 3), np.nan, dtype=np.float32)
    azimuth[..., 0] = rng.uniform(-np.pi, np.pi, (count, 1))
    shape = count, WINDOWS, 3, AZIMUTHS
    maps = rng.normal(0, 0.1, shape).astype(np.float16)
    distance = np.cos(DirectionGrid(AZIMUTHS, 0).azimuths - azimuth[..., :1])
    maps[:, :, 0] = np.exp(20 * (distance - 1))
    here = np.zeros(azimuth.shape, dtype=bool)
    here[..., 0] = True
    scalars = rng.normal(size=(count, WINDOWS, CHANNELS - 3)).astype(np.float16)
    return FilterExamples(maps, scalars, azimuth, here, ~here, np.arange(count))


def test_batches_hold_every_clip_once_in_another_position():
    data = clips(7)
    plain = SequenceBatches(data, 3)
    assert [len(seen) for seen, _ in (plain[k] for k in range(len(plain)))] == [3, 3, 1]
    np.testing.assert_array_equal(plain[2][0], inputs(data.select(np.array([6]))))
    shuffled = SequenceBatches(data, 3, seed=5)

    def scalars():
        # Those of a window do not turn.
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


def test_the_filter_learns_and_leaves_its_history(tmp_path):
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
