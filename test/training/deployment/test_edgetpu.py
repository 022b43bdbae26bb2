# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What the Edge TPU compiler would not take."""

from ai_edge_litert import schema_py_generated as schema
import flatbuffers
import numpy as np
import pytest

from doa_ros.core.errors import ModelError
from doa_ros.resources import find_resource
from training.deployment.edgetpu import problems

_INT8, _INT32, _FLOAT = schema.TensorType.INT8, schema.TensorType.INT32, schema.TensorType.FLOAT32


class Model:
    """A .tflite file of one operator."""

    def __init__(self, path):
        self._path = path
        self._model = schema.ModelT(version=3, buffers=[schema.BufferT()], operatorCodes=[])
        self._graph = schema.SubGraphT(tensors=[], operators=[])
        self._model.subgraphs = [self._graph]

    def tensor(self, *shape, values=None, kind=_INT8, scale=True, signature=None):
        entry = schema.TensorT(shape=list(shape), type=kind, name=f'a/b/t{len(shape)};more')
        if scale and kind == _INT8:
            entry.quantization = schema.QuantizationParametersT(scale=[0.1], zeroPoint=[3])
        if values is not None:
            dtype = {_INT8: 'i1', _INT32: '<i4', _FLOAT: '<f4'}[kind]
            data = np.asarray(values, dtype=dtype).tobytes()
            entry.buffer = len(self._model.buffers)
            self._model.buffers.append(schema.BufferT(data=list(data)))
        entry.shapeSignature = signature
        self._graph.tensors.append(entry)
        return len(self._graph.tensors) - 1

    def indices(self, values):
        return self.tensor(np.size(values), values=values, kind=_INT32)

    def problems(self, name, inputs, output, **options):
        code = getattr(schema.BuiltinOperator, name)
        self._model.operatorCodes.append(
            schema.OperatorCodeT(builtinCode=code, deprecatedBuiltinCode=min(code, 127))
        )
        entry = schema.OperatorT(inputs=inputs, outputs=[output])
        if options:
            kind = options.pop('kind')
            entry.builtinOptionsType = getattr(schema.BuiltinOptions, kind)
            entry.builtinOptions = getattr(schema, f'{kind}T')(**options)
        self._graph.operators.append(entry)
        builder = flatbuffers.Builder(1024)
        builder.Finish(self._model.Pack(builder), b'TFL3')
        self._path.write_bytes(bytes(builder.Output()))
        return problems(self._path)


@pytest.fixture
def model(tmp_path):
    return Model(tmp_path / 'a.tflite')


def _one(found, words):
    (problem,) = found
    assert words in problem


# --- whole models ---------------------------------------------------------------------


def test_shipped_int8_model_is_8_bit_throughout():
    assert problems(find_resource('models', 'uma8_reference_int8')) == []


def test_shipped_float32_model_is_not():
    found = problems(find_resource('models', 'uma8_reference_float32'))
    assert any('FLOAT32 and not an 8-bit integer' in problem for problem in found)
    assert len(found) > 10


@pytest.mark.parametrize('content', [b'', b'TFL3', b'\x20\0\0\0TFL3' + bytes(50), bytes(1000)])
def test_what_is_no_model_is_refused(tmp_path, content):
    path = tmp_path / 'garbage.tflite'
    path.write_bytes(content)
    with pytest.raises(ModelError, match=f'{path}: not a TFLite model'):
        problems(path)
    with pytest.raises(ModelError, match='cannot be read'):
        problems(tmp_path / 'none.tflite')


# --- tensors --------------------------------------------------------------------------


def test_eight_bits_are_fine(model):
    assert model.problems('RELU', [model.tensor(1, 9, 64)], model.tensor(1, 9, 64)) == []


def test_names_are_short_and_numbered(model):
    (problem,) = model.problems('RELU', [model.tensor(5, scale=False)], model.tensor(5))
    assert problem == 'tensor 0 (b/t1) is not quantised: it has no scale'


def test_a_float_tensor_is_not_taken(model):
    _one(
        model.problems('RELU', [model.tensor(5, kind=_FLOAT)], model.tensor(5)),
        'tensor 0 (b/t1) is FLOAT32 and not an 8-bit integer',
    )


def test_a_size_that_is_open_is_not_taken(model):
    _one(
        model.problems('RELU', [model.tensor(1, 5)], model.tensor(1, 5, signature=[-1, 5])),
        'tensor 1 (b/t2) has a size that is not fixed',
    )


def test_a_fourth_dimension_is_not_taken(model):
    big, fine = model.tensor(2, 3, 4, 5), model.tensor(1, 3, 4, 5)
    _one(model.problems('RELU', [big], fine), 'tensor 0 (b/t4) of shape (2, 3, 4, 5) is larger')


# --- operators ------------------------------------------------------------------------


def test_operator_that_is_none_of_the_table(model):
    _one(
        model.problems('EXP', [model.tensor(5)], model.tensor(5)),
        'operator 0 (EXP) is not supported',
    )


def _convolution(model, weights=1, bias=1, **options):
    return model.problems(
        'CONV_2D',
        [
            model.tensor(1, 1, 9, 2),
            model.tensor(4, 1, 3, 2, values=np.ones(24) if weights else None),
            model.tensor(4, kind=_INT32, values=np.ones(4) if bias else None),
        ],
        model.tensor(1, 1, 7, 4),
        kind='Conv2DOptions',
        **options,
    )


def test_a_convolution_of_one_dilation_is_taken(model):
    # Weights have four dimensions by nature.
    assert _convolution(model, dilationWFactor=2, dilationHFactor=2) == []


def test_convolution_with_two_dilations(model):
    _one(_convolution(model, dilationWFactor=2, dilationHFactor=1), 'dilations 2 and 1')


def test_convolution_with_an_open_bias(model):
    found = _convolution(model, bias=0)
    assert any('(CONV_2D) has weights or a bias that are not constant' in p for p in found)


def test_pooling_with_an_activation(model):
    def pool(activation):
        kind = 'Pool2DOptions'
        inputs = [model.tensor(1, 1, 9, 2)]
        return model.problems('MAX_POOL_2D', inputs, model.tensor(1, 1, 9, 2), kind=kind,
                              fusedActivationFunction=activation)  # fmt: skip

    assert pool(0) == []
    _one(pool(1), '(MAX_POOL_2D) has a fused activation function')


@pytest.mark.parametrize(
    ('rows', 'weights_format', 'words'),
    [(1, 0, None), (3, 0, 'it must be one-dimensional'), (1, 1, 'another format')],
)
def test_a_dense_layer_gives_a_vector_from_weights_in_the_default_format(
    model, rows, weights_format, words
):
    found = model.problems(
        'FULLY_CONNECTED',
        [model.tensor(rows, 4), model.tensor(2, 4, values=np.ones(8)), -1],
        model.tensor(rows, 2),
        kind='FullyConnectedOptions',
        weightsFormat=weights_format,
    )
    assert found == [] if words is None else words in found[0]


@pytest.mark.parametrize(
    ('shape', 'words'),
    [
        ((1, 16000), None),
        ((1, 16001), 'more than 16000 elements'),
        ((2, 36), 'it must be one-dimensional'),
    ],
)
def test_a_softmax_is_along_one_dimension(model, shape, words):
    found = model.problems('SOFTMAX', [model.tensor(*shape)], model.tensor(*shape))
    assert found == [] if words is None else words in found[0]


@pytest.mark.parametrize(
    ('axes', 'depth', 'words'),
    [
        ([1], 6, None),
        ([2], 8, None),
        ([-1], 6, 'averages 6 channels, which is no multiple of 4'),
        ([0], 8, 'works along the batch dimension'),
        ([-3], 8, 'works along the batch dimension'),
    ],
)
def test_a_mean_leaves_the_batch_and_takes_channels_by_fours(model, axes, depth, words):
    inputs = [model.tensor(1, 9, depth), model.indices(axes)]
    found = model.problems('MEAN', inputs, model.tensor(1, depth))
    assert found == [] if words is None else words in found[0]


def test_axes_that_are_not_constant(model):
    inputs = [model.tensor(1, 9, 4), model.tensor(1)]
    _one(model.problems('SUM', inputs, model.tensor(1, 4)), 'axes that are not constant')


@pytest.mark.parametrize(('axis', 'fine'), [(1, True), (2, True), (-2, True), (0, False)])
def test_a_split_leaves_the_batch(model, axis, fine):
    found = model.problems('SPLIT', [model.indices(axis), model.tensor(1, 4, 4)],
                           model.tensor(1, 2, 4))  # fmt: skip
    assert fine == (found == [])


@pytest.mark.parametrize(
    ('name', 'argument', 'fine'),
    [
        ('PAD', [0, 0, 1, 1, 0, 0], True),
        ('PAD', [1, 0, 0, 0, 0, 0], False),
    ],
)
def test_padding_leaves_the_batch(model, name, argument, fine):
    found = model.problems(name, [model.tensor(1, 9, 4), model.indices(argument)],
                           model.tensor(1, 11, 4))  # fmt: skip
    assert fine == (found == [])


@pytest.mark.parametrize(
    ('values', 'constants', 'fine'),
    # The zero point is 3.
    [([3] * 8, 1, True), ([0] * 8, 1, False), ([3] * 8, 2, False)],
)
def test_concatenation_with_a_constant(model, values, constants, fine):
    inputs = [model.tensor(1, 8), *(model.tensor(1, 8, values=values) for _ in range(constants))]
    found = model.problems('CONCATENATION', inputs, model.tensor(1, 16))
    assert fine == (found == [])


@pytest.mark.parametrize(
    ('strides', 'options', 'fine'),
    [
        ([1, 1], {}, True),
        ([1, 2], {}, False),
        ([1, 1], {'newAxisMask': 1}, False),
        ([1, 1], {'ellipsisMask': 1}, False),
    ],
)
def test_a_slice_has_strides_of_1_and_no_masks(model, strides, options, fine):
    inputs = [model.tensor(1, 8), *(model.indices(v) for v in ([0, 0], [1, 4], strides))]
    found = model.problems('STRIDED_SLICE', inputs, model.tensor(1, 4),
                           kind='StridedSliceOptions', **options)  # fmt: skip
    assert fine == (found == [])


@pytest.mark.parametrize(('axis', 'fine'), [(1, True), (0, False), (-3, False)])
def test_packing_leaves_the_batch(model, axis, fine):
    found = model.problems('PACK', [model.tensor(1, 4), model.tensor(1, 4)],
                           model.tensor(1, 2, 4), kind='PackOptions', axis=axis)  # fmt: skip
    assert fine == (found == [])


@pytest.mark.parametrize(('shape', 'fine'), [((1, 1, 4), True), ((1, 9, 4), False)])
def test_prelu_has_an_alpha_per_channel(model, shape, fine):
    alpha = model.tensor(*shape, values=np.ones(shape))
    found = model.problems('PRELU', [model.tensor(1, 9, 4), alpha], model.tensor(1, 9, 4))
    assert fine == (found == [])
