# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The adapter over the TFLite runtimes."""

import ctypes
import shutil
import subprocess
import sys

from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import pytest

from doa_ros.core import tflite
from doa_ros.core.errors import ModelError
from doa_ros.core.features import FeatureConfig
from doa_ros.core.localizer import Localizer, LocalizerConfig


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


# --- delegates ------------------------------------------------------------------------

# The least a delegate is, after tensorflow/lite/core/c/common.h; it leaves every operator to the
# CPU. The numbers say whether it is made, and what becomes of a graph.
_DELEGATE = """
#include <stdint.h>
#include <stddef.h>

typedef struct Delegate {{
  void *data;
  int (*prepare)(void *context, struct Delegate *delegate);
  void *copy_from, *copy_to, *free_buffer;
  int64_t flags;
  void *builder;
}} Delegate;

int prepared = 0;
int destroyed = 0;

static int prepare(void *context, Delegate *delegate) {{ prepared++; return {status}; }}

static Delegate delegate = {{NULL, prepare}};

Delegate *{prefix}_create_delegate(char **keys, char **values, size_t count,
                                   void (*report)(const char *)) {{
  if ({refuses}) {{ report("no device here"); return NULL; }}
  return &delegate;
}}

void {prefix}_destroy_delegate(Delegate *delegate) {{ destroyed++; }}
"""


@pytest.fixture
def build_delegate(tmp_path):
    """Return a function that compiles a library and returns its path."""
    if shutil.which('cc') is None:
        pytest.skip('needs a C compiler')

    def build(*, prefix='tflite_plugin', refuses=0, status=0):
        library = tmp_path / 'libdelegate.so'
        source = _DELEGATE.format(prefix=prefix, refuses=refuses, status=status)
        subprocess.run(
            ['cc', '-shared', '-fPIC', '-x', 'c', '-', '-o', library],
            input=source, text=True, check=True, timeout=60,
        )  # fmt: skip
        return str(library)

    return build


@pytest.fixture
def network(uma8, write_network, tmp_path):
    return write_network(tmp_path / 'small.tflite', uma8)


def test_delegate_gets_the_graph(network, build_delegate):
    library = build_delegate()
    values = np.random.default_rng(1).uniform(-0.3, 0.3, (13, 15))
    expected = tflite.TFLiteModel(network)(values)
    model = tflite.TFLiteModel(network, library)
    counts = ctypes.CDLL(library)
    assert ctypes.c_int.in_dll(counts, 'prepared').value == 1
    for one, other in zip(model(values), expected, strict=True):
        np.testing.assert_array_equal(one, other)
    del model
    assert ctypes.c_int.in_dll(counts, 'destroyed').value == 1


def test_delegate_of_the_localizer(uma8, network, build_delegate):
    library = build_delegate()
    Localizer(uma8, FeatureConfig(), LocalizerConfig(delegate=library), network)
    assert ctypes.c_int.in_dll(ctypes.CDLL(library), 'prepared').value == 1


@pytest.mark.parametrize(
    ('name', 'words'),
    [
        ('libnone.so.1', r"'libnone.so.1' cannot be loaded, looked for in the system's library"),
        ('/no/such/lib.so', "'/no/such/lib.so' cannot be loaded, looked for at this path"),
        ('~/lib.so', "'~/lib.so' cannot be loaded, looked for at this path"),
        ('libedgetpu.so.9', 'Debian package libedgetpu1-std'),
    ],
)
def test_delegate_that_is_missing(network, capfd, name, words):
    with pytest.raises(ModelError, match=words):
        tflite.TFLiteModel(network, name)
    assert capfd.readouterr().err == ''


def test_library_that_is_no_delegate(network, build_delegate, capfd):
    library = build_delegate(prefix='other')
    with pytest.raises(ModelError, match='is no TFLite delegate: the library has no function'):
        tflite.TFLiteModel(network, library)
    assert capfd.readouterr().err == ''


def test_delegate_that_does_not_start(network, build_delegate):
    with pytest.raises(ModelError, match='does not start .*no device here.*connected'):
        tflite.TFLiteModel(network, build_delegate(refuses=1))


def test_delegate_that_does_not_take_the_graph(network, build_delegate):
    library = build_delegate(status=1)
    with pytest.raises(ModelError, match=f"{network}: not a usable .* with delegate '{library}'"):
        tflite.TFLiteModel(network, library)


def test_model_that_was_compiled_for_the_edge_tpu(network, tmp_path):
    flatbuffers = pytest.importorskip('flatbuffers')
    schema = pytest.importorskip('ai_edge_litert.schema_py_generated')
    content = schema.ModelT.InitFromPackedBuf(network.read_bytes(), 0)
    code = content.operatorCodes[0]
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.CUSTOM
    code.customCode = b'edgetpu-custom-op'
    builder = flatbuffers.Builder(1 << 16)
    builder.Finish(content.Pack(builder), b'TFL3')
    compiled = tmp_path / 'compiled.tflite'
    compiled.write_bytes(bytes(builder.Output()))
    with pytest.raises(ModelError, match='compiled for the Edge TPU: set the delegate libedgetpu'):
        tflite.TFLiteModel(compiled)
