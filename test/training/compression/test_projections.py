# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Kernels stay where a projection lets them be, at every step of a fit."""

from hypothesis import given
from hypothesis import strategies as st
import keras
import numpy as np
import pytest

from training.compression.projections import Pruning, WeightSharing


@pytest.fixture
def kernel():
    return np.random.default_rng(0).standard_normal((20, 30)).astype(np.float32)


@given(st.floats(0, 0.99), st.integers(1, 3000))
def test_zeros_grow_to_what_was_asked_for_and_stay(sparsity, steps):
    pruning = Pruning(sparsity, steps)
    shares = [pruning.sparsity_at(step) for step in range(steps + 1)]
    assert shares[0] == 0
    assert shares[-1] == pytest.approx(sparsity)
    assert all(a <= b for a, b in zip(shares, shares[1:], strict=False))


def test_the_smallest_weights_become_zero_and_the_others_stay(kernel):
    project = Pruning(0.8, 10).begin(kernel)
    for step in range(11):
        result = project(kernel, step)
    assert np.mean(result == 0) == pytest.approx(0.8)
    np.testing.assert_array_equal(result[result != 0], kernel[result != 0])
    assert np.abs(kernel[result == 0]).max() <= np.abs(result[result != 0]).min()


def test_a_zero_does_not_come_back_after_the_ramp(kernel):
    project = Pruning(0.5, 10).begin(kernel)
    for step in range(11):
        result = project(kernel, step)
    assert np.array_equal(project(result + 1, 12) == 0, result == 0)


def test_weights_share_values_at_every_step(kernel):
    project = WeightSharing(8, seed=1).begin(kernel)
    before = project(kernel, 0)
    assert len(np.unique(before)) == 8
    # Near the best that eight values can do.
    assert np.mean((before - kernel) ** 2) < 0.06 * np.var(kernel)
    after = project(before + np.float32(0.5), 1)
    assert len(np.unique(after)) == 8
    assert np.mean(after - before) == pytest.approx(0.5, abs=1e-4)


def test_a_weight_may_come_to_share_another_value():
    kernel = np.array([0.0, 0.1, 1.0, 1.1, 0.0, 0.1, 1.0, 1.1], np.float32)
    project = WeightSharing(2, seed=1).begin(kernel)
    before = project(kernel, 0)
    np.testing.assert_allclose(np.unique(before), [0.05, 1.05])
    push = np.zeros(8, np.float32)
    push[1] = 0.3
    steps = [project(before, 1)]
    for step in range(2, 8):
        steps.append(project(steps[-1] + push, step))
    assert steps[0][1] < 0.1
    assert steps[-1][1] > 1.0


def test_a_small_kernel_keeps_its_values():
    kernel = np.arange(8, dtype=np.float32)
    np.testing.assert_array_equal(
        WeightSharing(8, seed=1).begin(kernel)(kernel + 1, 1), kernel + 1
    )


def test_only_kernels_that_learn_are_projected():
    inputs = keras.Input((6,))
    fixed = keras.layers.Dense(5, name='fixed', trainable=False)
    model = keras.Model(inputs, keras.layers.Dense(3, name='learns')(fixed(inputs)))
    fixed_before = np.asarray(model.get_layer('fixed').kernel)
    model.compile('adam', 'mse')
    x, y = np.ones((40, 6), np.float32), np.ones((40, 3), np.float32)
    model.fit(x, y, batch_size=4, epochs=3, verbose=0, callbacks=[Pruning(0.6, 30)])
    assert np.mean(np.asarray(model.get_layer('learns').kernel) == 0) == pytest.approx(0.6)
    np.testing.assert_array_equal(model.get_layer('fixed').kernel, fixed_before)
    assert np.count_nonzero(model.get_layer('learns').bias) == 3
