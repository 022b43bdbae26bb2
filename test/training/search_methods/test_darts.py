# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
import csv
from dataclasses import replace

import keras
import numpy as np
import pytest

from training.models.blocks import build
from training.search_methods.darts import (
    Mix,
    _MixingTable,
    candidates,
    discretise,
    search,
    supernet,
)
from training.sections import SearchConfig
from training.settings import load_settings

SHAPE = 36, 10
CONFIG = SearchConfig(cells=2, filters=4, batches=3, darts_epochs=3, darts_warm_up=1)


@pytest.fixture
def settings(settings_path):
    return replace(load_settings(settings_path), search=CONFIG)


def test_a_mix_is_the_weighted_sum_of_its_inputs():
    mix = Mix()
    inputs = [np.full((1, 2), value, np.float32) for value in (1.0, 2.0, 6.0)]
    np.testing.assert_allclose(mix(inputs), [[3.0, 3.0]], rtol=1e-6)
    mix.mixing.assign([0.0, 20.0, 0.0])
    np.testing.assert_allclose(mix(inputs), [[2.0, 2.0]], rtol=1e-4)
    np.testing.assert_allclose(mix.probabilities, [0, 1, 0], atol=1e-6)


def test_the_most_probable_operations_are_kept(settings):
    names = list(candidates(4))
    probabilities = np.full((3, len(names)), 0.1)
    for cell, name in enumerate(('separable 5', 'conv 3', 'conv 5')):
        probabilities[cell, names.index(name)] = 0.2
    # Nothing is left of a cell without weights, however probable it is.
    probabilities[1, names.index('skip')] = 0.3
    probabilities[2, names.index('pool 3')] = 0.3
    network = discretise(probabilities, CONFIG)
    assert network.name == 'map_conv4x3_separable4x5_conv4x3_conv4x5_dense32'
    assert build(network, SHAPE, settings.train).output_shape[0] == (None, 36)


def test_each_half_of_a_step_trains_its_own_weights(settings):
    model = supernet(SHAPE, settings, warm_up=0)
    assert len(model.mixes) == CONFIG.cells
    rng = np.random.default_rng(0)

    def batch():
        sizes = [size for (size,) in settings.train.heads.values()]
        targets = tuple(np.eye(n, dtype=np.float32)[rng.integers(n, size=8)] for n in sizes)
        inputs = rng.normal(0, 0.3, (8, *SHAPE)).astype(np.float32)
        return inputs, targets, (np.ones(8, np.float32),) * len(sizes)

    def values(variables):
        return [np.array(variable) for variable in variables]

    groups = (model.mixing, model.mixing_optimizer), (model.weights_of_operations, model.optimizer)
    for trained, (variables, optimizer) in enumerate(groups):
        before = [values(group) for group, _ in groups]
        model._descend(batch(), variables, optimizer)
        for number, (group, _) in enumerate(groups):
            changed = any(
                not np.array_equal(old, new)
                for old, new in zip(before[number], values(group), strict=True)
            )
            assert changed == (number == trained)


def test_an_interrupted_search_goes_on(data, settings, tmp_path, monkeypatch):
    on_epoch_begin = _MixingTable.on_epoch_begin

    def interrupt(self, epoch, logs=None):
        on_epoch_begin(self, epoch, logs)
        if epoch == 2:
            seen.append([mix.probabilities for mix in self.model.mixes])
            if len(seen) == 1:
                raise KeyboardInterrupt

    seen = []
    # A cell takes most of the time.
    settings = replace(settings, search=replace(CONFIG, cells=1))
    monkeypatch.setattr(_MixingTable, 'on_epoch_begin', interrupt)
    with pytest.raises(KeyboardInterrupt):
        search(settings, data, tmp_path)
    assert not (tmp_path / 'architecture.yaml').exists()
    keras.utils.set_random_seed(5)
    search(settings, data, tmp_path)
    np.testing.assert_array_equal(seen[0], seen[1])
    with (tmp_path / 'mixing.csv').open(encoding='utf-8') as file:
        rows = list(csv.DictReader(file))
    assert [row['epoch'] for row in rows] == [e for e in '123' for _ in range(6)]
    # The first epoch is the warm-up.
    assert {row['probability'] for row in rows[:6]} == {'0.16667'}
    assert {row['probability'] for row in rows[-6:]} != {'0.16667'}
    last = [float(row['probability']) for row in rows[-6:]]
    assert sum(last) == pytest.approx(1, abs=1e-3)
    assert (tmp_path / 'architecture.yaml').is_file()
