# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""One adapter over the TFLite runtimes: ai-edge-litert, tflite-runtime, tensorflow.lite."""

from importlib import import_module
from pathlib import Path

import numpy as np

from doa_ros.core.errors import ModelError

_RUNTIMES = ('ai_edge_litert.interpreter', 'tflite_runtime.interpreter', 'tensorflow.lite')


def _interpreter_class():
    for name in _RUNTIMES:
        try:
            return import_module(name).Interpreter
        except ImportError:
            continue
    raise ModelError('no TFLite runtime is installed; try: pip install ai-edge-litert')


class TFLiteModel:
    """A network with one input and one or more outputs; int8 and float32 look the same.

    Args:
        path: the .tflite file.

    Raises:
        ModelError: no runtime is installed or the file is not a usable model.
    """

    def __init__(self, path: Path):
        interpreter_class = _interpreter_class()
        try:
            # One thread: the networks are too small to gain from more.
            self._interpreter = interpreter_class(model_path=str(path), num_threads=1)
            self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError, OSError) as error:
            reason = ' '.join(str(error).split())
            raise ModelError(f'{path}: not a usable TFLite model ({reason})') from None
        inputs = self._interpreter.get_input_details()
        if len(inputs) != 1:
            raise ModelError(f'{path}: must have one input, not {len(inputs)}')
        self._input = inputs[0]
        self._outputs = self._interpreter.get_output_details()

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of the input without the batch axis."""
        return tuple(int(n) for n in self._input['shape'][1:])

    @property
    def output_sizes(self) -> tuple[int, ...]:
        """Number of values of each output."""
        return tuple(int(np.prod(output['shape'][1:])) for output in self._outputs)

    def __call__(self, values: np.ndarray) -> list[np.ndarray]:
        """Run the network on one input of `input_shape`; return each output flat, float32."""
        self._interpreter.set_tensor(self._input['index'], _quantise(values, self._input)[None])
        self._interpreter.invoke()
        return [
            _dequantise(self._interpreter.get_tensor(output['index']), output).ravel()
            for output in self._outputs
        ]


def _quantise(values: np.ndarray, tensor: dict) -> np.ndarray:
    if tensor['dtype'] == np.float32:
        return values.astype(np.float32)
    scale, zero_point = tensor['quantization']
    limits = np.iinfo(tensor['dtype'])
    levels = np.rint(values / scale) + zero_point
    return np.clip(levels, limits.min, limits.max).astype(tensor['dtype'])


def _dequantise(values: np.ndarray, tensor: dict) -> np.ndarray:
    if tensor['dtype'] == np.float32:
        return values
    scale, zero_point = tensor['quantization']
    return (values.astype(np.float32) - zero_point) * np.float32(scale)
