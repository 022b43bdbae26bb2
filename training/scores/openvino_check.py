# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Whether a .tflite file loads in OpenVINO and gives there what it gives in the interpreter."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from doa_ros.core.errors import ModelError
from doa_ros.core.tflite import TFLiteModel

# By itself it computes with fewer bits where the processor has instructions for them; on x86
# processors without VNNI, sums of products of 8 bits saturate. Neither is a fault of the network.
_EXACT = {'INFERENCE_PRECISION_HINT': 'f32', 'LP_TRANSFORMS_MODE': 'NO'}


@dataclass(frozen=True)
class Comparison:
    """How far OpenVINO and the TFLite interpreter agree about a network.

    Attributes:
        difference: largest absolute difference of any output value.
        agreement: share of the examples with the same strongest class; of several outputs the
            smallest.
    """

    difference: float
    agreement: float


def compare(path: Path, inputs: np.ndarray) -> Comparison:
    """Run a network in OpenVINO, on the CPU, and in the TFLite interpreter.

    Args:
        path: the .tflite file.
        inputs: at least one, shape (examples, lags, pairs), float.

    Raises:
        ModelError: OpenVINO is not installed, or one of the two cannot load or run the model.
    """
    interpreter = TFLiteModel(path)
    run = _load(path)
    try:
        pairs = [
            (interpreter.decode(run(interpreter.encode(values))), interpreter(values))
            for values in inputs
        ]
    except RuntimeError as error:
        raise ModelError(f'{path}: OpenVINO cannot run this model ({_line(error)})') from None
    openvino, tflite = (
        [np.stack(values) for values in zip(*results, strict=True)]
        for results in zip(*pairs, strict=True)
    )
    differences, agreements = [], []
    for first, second in zip(openvino, tflite, strict=True):
        differences.append(np.abs(first - second).max())
        agreements.append(np.mean(first.argmax(axis=1) == second.argmax(axis=1)))
    return Comparison(float(max(differences)), float(min(agreements)))


def _load(path: Path):
    """Return a function from an input tensor to the list of output tensors."""
    try:
        import openvino
    except ImportError as error:
        raise ModelError(
            f'OpenVINO is not installed ({error}); try: pip install openvino'
        ) from None
    try:
        network = openvino.Core().compile_model(str(path), 'CPU', _EXACT)
    except RuntimeError as error:
        raise ModelError(f'{path}: OpenVINO cannot load this model ({_line(error)})') from None

    def run(tensor: np.ndarray) -> list[np.ndarray]:
        results = network(tensor)
        # The outputs keep the order that they have in the file.
        return [results[output] for output in network.outputs]

    return run


def _line(error: Exception) -> str:
    return ' '.join(str(error).split())
