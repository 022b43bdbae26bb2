# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace

import numpy as np
import pytest

from doa_ros.core.ambiguity import ambiguity_of
from doa_ros.core.features.config import FeatureConfig
from doa_ros.core.features.gcc_phat import GccPhat
from doa_ros.core.geometry import unit_vector, wrap_angle
from doa_ros.core.localization.decoding import decode_azimuth
from doa_ros.core.localization.srp_phat import SrpPhat
from doa_ros.core.symmetry import symmetries
from training.data.dataset import Dataset
from training.data.inputs import ArrayInputs
from training.fitting import batches
from training.fitting.batches import Batches
from training.sections import TrainConfig

CONFIG = TrainConfig(batch=16)


class FakeShards:
    """Shards of ideal features that exist only while they are read."""

    def __init__(self, array, count=6, rows=10):
        self._count = count
        self._array, self._rows = array, rows

    def __len__(self):
        return self._count

    def __iter__(self):
        return map(self.__getitem__, range(self._count))

    def __getitem__(self, index) -> Dataset:
        rng = np.random.default_rng(index)
        azimuth, elevation = rng.uniform(-3, 3, self._rows), rng.uniform(0, 1, self._rows)
        gcc_phat = GccPhat(self._array, FeatureConfig())
        gcc = gcc_phat.steering_matrix(unit_vector(azimuth, elevation))
        azimuth, elevation = ambiguity_of(self._array).fold(azimuth, elevation)
        number = index * self._rows + np.arange(self._rows)
        known = np.ones((self._rows, 1))
        return Dataset(
            features=gcc.reshape(self._rows, -1, 13).astype(np.float16),
            activity=known[:, 0],
            silent=number % 7 == 3,
            voiced=(number % 7 != 3)[:, None],
            azimuth=azimuth[:, None],
            elevation=elevation[:, None],
            distance=known,
            kind=np.zeros((self._rows, 1), np.int8),
            rt60=known[:, 0],
            snr=known[:, 0],
            ego_noise=number < 0,
            time=known[:, 0],
            clip=number,
        )


@pytest.fixture
def pooled(monkeypatch):
    """Let a pool be two shards, so that a pass needs several."""
    monkeypatch.setattr(batches, '_POOL', 2)


def batches_of(array, config=CONFIG, kind='taps', *, shuffle, count=6):
    inputs = ArrayInputs(array, FeatureConfig(), config, kind)
    return Batches(FakeShards(array, count), inputs, config, shuffle=shuffle)


def inputs_of(passed):
    return np.concatenate([inputs for inputs, _, _ in passed])


def test_every_row_comes_once_in_a_pass(uma8, pooled):
    examples = batches_of(uma8, shuffle=False)
    passed = list(examples)
    assert examples.rows == 60
    assert [len(inputs) for inputs, _, _ in passed] == [16, 16, 16, 12]
    assert len(examples) == 4
    expected = np.concatenate([shard.features for shard in FakeShards(uma8)]).swapaxes(1, 2)
    np.testing.assert_array_equal(inputs_of(passed), expected)


def test_passes_are_shuffled_differently_and_repeat_with_the_seed(uma8, pooled):
    config = replace(CONFIG, symmetries=False)
    first, second = (batches_of(uma8, config, shuffle=True) for _ in range(2))
    one, two = inputs_of(first), inputs_of(first)
    assert not np.array_equal(one, two)
    np.testing.assert_array_equal(inputs_of(second), one)
    key = np.lexsort(one.reshape(60, -1).T)
    again = np.lexsort(two.reshape(60, -1).T)
    np.testing.assert_array_equal(one[key], two[again])


def test_turned_examples_are_labelled_as_the_array_can_tell(make_array):
    # Turned by 180 degrees, what was before an upright array is behind it.
    upright = make_array([[0, 0.03, 0.03], [0, -0.03, 0.03], [0, -0.03, -0.03], [0, 0.03, -0.03]])
    assert len(symmetries(upright)) > 1
    train = TrainConfig(batch=16, elevation_classes=19, elevation_min_deg=-90.0)
    examples = batches_of(upright, train, shuffle=True)
    srp_phat = SrpPhat(GccPhat(upright, FeatureConfig()))
    compared = 0
    for inputs, (azimuth, _), _ in examples:
        for features, target in zip(inputs, azimuth, strict=True):
            if np.ptp(target) > 1e-3:
                expected = decode_azimuth(target)[0]
                assert abs(expected) <= np.radians(91)
                found = decode_azimuth(srp_phat.spectrum(features.T).azimuth)[0]
                # In the plane of the array delays hardly change.
                compared += abs(expected) < np.radians(60)
                limit = np.radians(8 if abs(expected) < np.radians(60) else 40)
                assert abs(wrap_angle(found - expected)) < limit
    assert compared > 10


def test_turned_examples_still_fit_their_targets(uma8):
    srp_phat = SrpPhat(GccPhat(uma8, FeatureConfig()))
    examples = batches_of(uma8, shuffle=True)
    turned, straight = (
        inputs_of(examples),
        inputs_of(batches_of(uma8, shuffle=False)),
    )
    same = (np.abs(turned[:, None] - straight[None]).max(axis=(2, 3)) < 1e-3).any(axis=1)
    assert same.mean() < 0.5
    for inputs, (azimuth, _), _ in examples:
        for features, target in zip(inputs, azimuth, strict=True):
            if np.ptp(target) > 1e-3:
                found = decode_azimuth(srp_phat.spectrum(features.T).azimuth)[0]
                assert abs(wrap_angle(found - decode_azimuth(target)[0])) < np.radians(6)


def test_memory_holds_a_pool_of_shards(uma8, pooled, monkeypatch):
    sizes = []
    original = Dataset.concatenate

    def concatenate(parts):
        sizes.append(sum(map(len, parts)))
        return original(parts)

    monkeypatch.setattr(Dataset, 'concatenate', concatenate)
    list(batches_of(uma8, shuffle=True, count=40))
    assert len(sizes) == 20
    # Two shards of ten and what did not fill the last batch.
    assert max(sizes) <= 20 + 15


def test_the_stream_gives_the_same_to_tensorflow(uma8):
    examples = batches_of(uma8, shuffle=False)
    stream = examples.stream()
    assert int(stream.cardinality()) == 4
    for (inputs, targets, weights), expected in zip(stream, examples, strict=True):
        np.testing.assert_array_equal(inputs, expected[0])
        for given, wanted in zip((*targets, *weights), (*expected[1], *expected[2]), strict=True):
            np.testing.assert_allclose(given, wanted)
