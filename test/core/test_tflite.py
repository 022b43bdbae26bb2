# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The adapter over the TFLite runtimes."""

import sys

from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import pytest

from doa_ros.core import tflite
from doa_ros.core.errors import ModelError


def _tensor(scale, zero_point, dtype=np.int8):
    return {'dtype': dtype, 'quantization': (scale, zero_point)}


@given(st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=20), st.integers(-100, 100))
def test_int8_is_off_by_half_a_step_at_most(values, zero_point):
    values = np.array(values, dtype=np.float32)
    # Steps that reach both ends from any zero point.
    scale = 1 / (127 - abs(zero_point))
    levels = tflite._quantise(values, _tensor(scale, zero_point))
    assert levels.dtype == np.int8
    restored = tflite._dequantise(levels, _tensor(scale, zero_point))
    assert restored.dtype == np.float32
    np.testing.assert_allclose(restored, values, atol=0.51 * scale)


def test_int8_is_clipped_and_never_wraps():
    levels = tflite._quantise(np.array([-9.0, 9.0]), _tensor(1 / 127, 3))
    assert levels.tolist() == [-128, 127]


def test_probabilities_of_a_softmax():
    # TFLite's softmax always has scale 1 / 256 and zero point -128.
    restored = tflite._dequantise(np.array([-128, 0, 127], dtype=np.int8), _tensor(1 / 256, -128))
    np.testing.assert_allclose(restored, [0, 0.5, 255 / 256])


def test_float_passes_unchanged():
    values = np.array([-3.0, 0.1])
    assert tflite._quantise(values, _tensor(0.0, 0, np.float32)).tolist() == [
        -3.0,
        pytest.approx(0.1),
    ]


def test_no_runtime(monkeypatch, tmp_path):
    for name in tflite._RUNTIMES:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ModelError, match='no TFLite runtime is installed; try: pip install'):
        tflite.TFLiteModel(tmp_path / 'a.tflite')
