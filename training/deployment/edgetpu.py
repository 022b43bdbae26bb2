# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Whether a .tflite file meets the published requirements of the Edge TPU compiler.

The source is "TensorFlow models on the Edge TPU" (coral.ai/docs/edgetpu/models-intro), sections
"Model requirements" and "Supported operations", for version 16 of the compiler: 8-bit tensors,
sizes and parameters that are fixed at compile time, at most three dimensions larger than 1, and
the operations of a table, with limits. What the compiler does beyond that, as with operations too
large for the chip's memory, only the compiler itself can tell.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
import struct

from ai_edge_litert import schema_py_generated as schema
import numpy as np

from doa_ros.core.errors import ModelError

_MAX_DIMENSIONS = 3
_MAX_SOFTMAX = 16000
_MEAN_DEPTH = 4
_BIAS_TYPES = {'INT32': '<i4', 'INT64': '<i8'}
_CONSTANT_TYPES = {'INT8': 'i1', 'UINT8': 'u1', **_BIAS_TYPES}


def _names(enumeration) -> dict[int, str]:
    return {value: name for name, value in vars(enumeration).items() if isinstance(value, int)}


_OPERATORS = _names(schema.BuiltinOperator)
_TYPES = _names(schema.TensorType)


@dataclass(frozen=True)
class _Tensor:
    """What the requirements ask about a tensor; `values` where it is constant, else None."""

    name: str
    type: str
    shape: tuple[int, ...]
    fixed: bool
    scales: tuple[float, ...]
    zero_point: int
    values: np.ndarray | None

    @property
    def large(self) -> int:
        """Return the number of dimensions larger than 1."""
        return sum(size > 1 for size in self.shape)


@dataclass(frozen=True)
class _Operator:
    """An operator; an input that is left out is None, and so are options that have defaults."""

    kind: str
    inputs: tuple[_Tensor | None, ...]
    outputs: tuple[_Tensor, ...]
    options: object

    def input(self, number: int) -> _Tensor:
        """Return an input that operators of this kind cannot do without.

        Raises:
            ModelError: it is left out.
        """
        tensor = self.inputs[number]
        if tensor is None:
            raise ModelError(f'an operator {self.kind} lacks its input {number}')
        return tensor

    def option(self, name: str) -> int:
        return getattr(self.options, name, 0)


def problems(path: Path) -> list[str]:
    """Return what of a model the Edge TPU compiler does not take, one sentence each.

    Args:
        path: a .tflite file, as it is before the compiler.

    Returns:
        An empty list where every operator and tensor meets the requirements.

    Raises:
        ModelError: the file is missing or no TFLite model.
    """
    model = _read(path)
    found = []
    if len(model.subgraphs) > 1:
        found.append(f'the model has {len(model.subgraphs)} subgraphs; only one is supported')
    for graph in model.subgraphs:
        tensors = [_tensor(entry, model.buffers) for entry in graph.tensors]
        operators = [_operator(entry, model.operatorCodes, tensors) for entry in graph.operators]
        used = {id(t) for o in operators for t in (*o.inputs, *o.outputs) if t is not None}
        found += [
            f'tensor {number} ({tensor.name}) {problem}'
            for number, tensor in enumerate(tensors)
            if id(tensor) in used
            for problem in _tensor_problems(tensor)
        ]
        found += [
            f'operator {number} ({operator.kind}) {problem}'
            for number, operator in enumerate(operators)
            for problem in _operator_problems(operator)
        ]
    return found


def _read(path: Path) -> schema.ModelT:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(f'{path}: cannot be read ({error.strerror})') from None
    try:
        if content[4:8] != b'TFL3':
            raise ValueError('it does not begin as one')
        model = schema.ModelT.InitFromPackedBuf(content, 0)
        if not model.subgraphs:
            raise ValueError('it has no graph')
    # FlatBuffers does not check what it reads.
    except (ValueError, TypeError, LookupError, struct.error, MemoryError) as error:
        raise ModelError(f'{path}: not a TFLite model ({error})') from None
    return model


def _tuple(values) -> tuple:
    return () if values is None else tuple(np.asarray(values).tolist())


def _short(name: str) -> str:
    # The converter strings together what it has merged, each with its layers.
    return '/'.join(name.split(';')[0].split('/')[-2:])


def _tensor(entry: schema.TensorT, buffers) -> _Tensor:
    kind = _TYPES[entry.type]
    data = buffers[entry.buffer].data
    values = None
    if data is not None and len(data):
        raw = np.asarray(data, dtype=np.uint8)
        values = raw.view(_CONSTANT_TYPES[kind]) if kind in _CONSTANT_TYPES else raw
    quantisation = entry.quantization
    zero_points = _tuple(quantisation.zeroPoint) if quantisation else ()
    return _Tensor(
        name=_short((entry.name or b'').decode(errors='replace')),
        type=kind,
        shape=_tuple(entry.shape),
        fixed=-1 not in _tuple(entry.shapeSignature),
        scales=_tuple(quantisation.scale) if quantisation else (),
        zero_point=zero_points[0] if zero_points else 0,
        values=values,
    )


def _operator(entry: schema.OperatorT, codes, tensors: list[_Tensor]) -> _Operator:
    code = codes[entry.opcodeIndex]
    # Files of old know the first of the two only, which holds codes up to 127.
    kind = _OPERATORS[max(code.deprecatedBuiltinCode, code.builtinCode)]
    if kind == 'CUSTOM':
        kind = f'CUSTOM {(code.customCode or b"").decode(errors="replace")}'
    return _Operator(
        kind=kind,
        inputs=tuple(None if i < 0 else tensors[i] for i in _tuple(entry.inputs)),
        outputs=tuple(tensors[i] for i in _tuple(entry.outputs)),
        options=entry.builtinOptions,
    )


def _tensor_problems(tensor: _Tensor):
    constant = tensor.values is not None
    if tensor.type not in ('INT8', 'UINT8'):
        # Biases, and arguments such as axes and shapes.
        if not (constant and tensor.type in _BIAS_TYPES):
            yield f'is {tensor.type} and not an 8-bit integer'
    elif not tensor.scales:
        yield 'is not quantised: it has no scale'
    if not tensor.fixed:
        yield 'has a size that is not fixed; convert the model with a batch size of 1'
    # The weights of a convolution have four by nature.
    if not constant and any(size > 1 for size in tensor.shape[:-_MAX_DIMENSIONS]):
        yield f'of shape {tensor.shape} is larger than 1 beyond its {_MAX_DIMENSIONS} innermost'


def _operator_problems(operator: _Operator):
    if operator.kind not in _SUPPORTED:
        yield 'is not supported'
        return
    for check in _SUPPORTED[operator.kind]:
        problem = check(operator)
        if problem:
            yield problem


def _no_activation(operator: _Operator) -> str | None:
    if operator.option('fusedActivationFunction'):
        return 'has a fused activation function, which is not supported here'
    return None


def _constant_parameters(operator: _Operator) -> str | None:
    if any(t is not None and t.values is None for t in operator.inputs[1:]):
        return 'has weights or a bias that are not constant'
    return None


def _concatenation(operator: _Operator) -> str | None:
    constants = [
        np.all(t.values == t.zero_point)
        for t in operator.inputs
        if t is not None and t.values is not None
    ]
    if not constants:
        return None
    if all(constants) and len(operator.inputs) == 2:
        return None
    return 'joins a constant; then it may have two inputs only, and the constant must be zero'


def _same_dilation(operator: _Operator) -> str | None:
    x, y = operator.option('dilationWFactor'), operator.option('dilationHFactor')
    return None if x == y else f'has the dilations {x} and {y}, which must be the same'


def _fully_connected(operator: _Operator) -> str | None:
    if operator.option('weightsFormat'):
        return 'has weights in another format than the default'
    if operator.outputs[0].large > 1:
        return f'gives an output of shape {operator.outputs[0].shape}; it must be one-dimensional'
    return None


def _axes(operator: _Operator, argument: int) -> list[int] | None:
    """Return the axes in a constant argument, counted from 0; None where it is not constant."""
    tensor = operator.inputs[argument]
    if tensor is None or tensor.values is None:
        return None
    rank = len(operator.input(1 - argument).shape)
    return [int(axis) % max(rank, 1) for axis in tensor.values]


def _no_batch_axis(argument: int) -> Callable[[_Operator], str | None]:
    def check(operator: _Operator) -> str | None:
        axes = _axes(operator, argument)
        if axes is None:
            return 'works along axes that are not constant'
        return 'works along the batch dimension' if 0 in axes else None

    return check


def _mean_depth(operator: _Operator) -> str | None:
    shape = operator.input(0).shape
    depth = len(shape) - 1
    if depth in (_axes(operator, 1) or ()) and shape[depth] % _MEAN_DEPTH:
        return f'averages {shape[depth]} channels, which is no multiple of {_MEAN_DEPTH}'
    return None


def _pack(operator: _Operator) -> str | None:
    rank = len(operator.outputs[0].shape)
    batch = operator.option('axis') % max(rank, 1) == 0
    return 'packs along the batch dimension' if batch else None


def _pad(operator: _Operator) -> str | None:
    paddings = operator.input(1).values
    if paddings is None:
        return 'has a padding that is not constant'
    return 'pads the batch dimension' if paddings[:2].any() else None


def _prelu(operator: _Operator) -> str | None:
    if any(size > 1 for size in operator.input(1).shape[:-1]):
        return 'has an alpha that differs along more than the innermost dimension'
    return None


def _softmax(operator: _Operator) -> str | None:
    tensor = operator.input(0)
    if tensor.large > 1:
        return f'takes an input of shape {tensor.shape}; it must be one-dimensional'
    if np.prod(tensor.shape) > _MAX_SOFTMAX:
        return f'has more than {_MAX_SOFTMAX} elements'
    return None


def _strided_slice(operator: _Operator) -> str | None:
    strides = operator.input(3).values
    if strides is None or np.any(strides != 1):
        return 'has strides other than 1'
    if operator.option('ellipsisMask') or operator.option('newAxisMask'):
        return 'has an ellipsis or a new axis'
    return None


_Check = Callable[[_Operator], str | None]
_SUPPORTED: dict[str, tuple[_Check, ...]] = {
    'ADD': (),
    'AVERAGE_POOL_2D': (_no_activation,),
    'CONCATENATION': (_no_activation, _concatenation),
    'CONV_2D': (_constant_parameters, _same_dilation),
    'DEPTHWISE_CONV_2D': (_constant_parameters, _same_dilation),
    'EXPAND_DIMS': (),
    'FULLY_CONNECTED': (_constant_parameters, _fully_connected),
    'L2_NORMALIZATION': (),
    'LOGISTIC': (),
    'LSTM': (),
    'MAXIMUM': (),
    'MAX_POOL_2D': (_no_activation,),
    'MEAN': (_no_batch_axis(1), _mean_depth),
    'MINIMUM': (),
    'MUL': (),
    'PACK': (_pack,),
    'PAD': (_pad,),
    'PRELU': (_prelu,),
    'QUANTIZE': (),
    'REDUCE_MAX': (_no_batch_axis(1),),
    'REDUCE_MIN': (_no_batch_axis(1),),
    'RELU': (),
    'RELU6': (),
    'RELU_N1_TO_1': (),
    'RESHAPE': (),
    'RESIZE_BILINEAR': (),
    'RESIZE_NEAREST_NEIGHBOR': (),
    'RSQRT': (),
    'SLICE': (),
    'SOFTMAX': (_softmax,),
    'SPACE_TO_DEPTH': (),
    'SPLIT': (_no_batch_axis(0),),
    'SQUARED_DIFFERENCE': (),
    'SQUEEZE': (),
    'STRIDED_SLICE': (_strided_slice,),
    'SUB': (),
    'SUM': (_no_batch_axis(1),),
    'TANH': (),
    'TRANSPOSE': (),
    'TRANSPOSE_CONV': (),
    'UNIDIRECTIONAL_SEQUENCE_LSTM': (),
}
