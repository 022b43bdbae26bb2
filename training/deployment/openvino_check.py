# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Whether a .tflite file loads in OpenVINO and finds there what it finds in the interpreter.

The outputs of int8 networks are not the same on all processors: where a layer rounds the other
way, a logit is a step off, and with a step of 0.2 a probability of one half by 0.05. That is as
true of the interpreter's own kernels, and changes no direction. So directions are compared.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from doa_ros.core.errors import ModelError
from doa_ros.core.geometry import wrap_angle
from doa_ros.core.localization.decoding import WITHIN
from doa_ros.core.localization.model_card import load_card
from doa_ros.core.localization.spectrum import Spectrum
from doa_ros.core.localization.tflite import TFLiteModel

from ..extras import missing

# By itself it computes with fewer bits where the processor has instructions for them; on x86
# processors without VNNI, sums of products of 8 bits saturate. Neither is a fault of the network.
_EXACT = {'INFERENCE_PRECISION_HINT': 'f32', 'LP_TRANSFORMS_MODE': 'NO'}
# What one runtime finds with this confidence the other must see, too; by rounding alone, none that
# is found falls so low.
_FOUND, _SEEN = 0.5, 0.25


@dataclass(frozen=True)
class Comparison:
    """How far OpenVINO and the TFLite interpreter agree about a network.

    Attributes:
        difference: largest absolute difference of any output value.
        agreement: share of the examples in which each sees all that the other finds, within 10
            degrees of azimuth and elevation.
    """

    difference: float
    agreement: float


class _FoundDirection(NamedTuple):
    """A direction [rad] and how sure the network is of it, 0..1."""

    azimuth: float
    elevation: float
    confidence: float


def compare(path: Path, inputs: np.ndarray) -> Comparison:
    """Run a network in OpenVINO, on the CPU, and in the TFLite interpreter.

    Args:
        path: the .tflite file, with its card beside it.
        inputs: at least one, shape (examples, columns, channels), float.

    Raises:
        ModelError: OpenVINO is not installed, there is no card, or one of the two cannot load or
            run the model.
    """
    card = load_card(path)
    interpreter = TFLiteModel(path)
    run = _load(path)
    differences, agreements = [], []
    for values in inputs:
        try:
            theirs = interpreter.decode(run(interpreter.encode(values)))
        except RuntimeError as error:
            reason = _line(error)
            raise ModelError(f'{path}: OpenVINO cannot run this model ({reason})') from None
        ours = interpreter(values)
        differences += [np.abs(a - b).max() for a, b in zip(theirs, ours, strict=True)]
        one, other = (_peaks(card.spectrum(outputs)) for outputs in (theirs, ours))
        agreements.append(_sees(one, other) and _sees(other, one))
    return Comparison(float(max(differences)), float(np.mean(agreements)))


def _peaks(spectrum: Spectrum) -> list[_FoundDirection]:
    """Return the directions that a network shows in a window."""
    return [
        _FoundDirection(
            peak.azimuth,
            spectrum.elevation_at(peak.azimuth)[0],
            spectrum.p_source * peak.probability,
        )
        for peak in spectrum.peaks()
    ]


def _sees(peaks: list[_FoundDirection], others: list[_FoundDirection]) -> bool:
    """Return whether all that is found among the others is among the peaks, too."""
    return all(
        any(_near(peak, other) for peak in peaks if peak.confidence >= _SEEN)
        for other in others
        if other.confidence >= _FOUND
    )


def _near(one: _FoundDirection, other: _FoundDirection) -> bool:
    if abs(wrap_angle(one.azimuth - other.azimuth)) > WITHIN:
        return False
    # Without elevations there are none to differ.
    return not abs(one.elevation - other.elevation) > WITHIN


def _load(path: Path):
    """Return a function from an input tensor to the list of output tensors."""
    try:
        import openvino
    except ImportError as error:
        raise ModelError(missing(error)) from None
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
