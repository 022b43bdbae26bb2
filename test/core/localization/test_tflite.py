# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The adapter over the TFLite runtimes."""

import ctypes
from importlib.util import find_spec
import os
from pathlib import Path
import shutil
import subprocess
import sys
from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import pytest

from doa_ros.core.errors import ModelError
from doa_ros.core.features.config import FeatureConfig
from doa_ros.core.localization import tflite
from doa_ros.core.localization.localizer import Localizer, LocalizerConfig
from doa_ros.resources import find_resource


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


@pytest.mark.parametrize('name', [b'\xe9.tflite', '\u00e9.tflite'.encode()])
def test_a_path_of_any_bytes(write_network, uma8, tmp_path, name):
    model = write_network(tmp_path / 'a.tflite', uma8, FeatureConfig())
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b'/' + name))
    shutil.copy(model, path)
    assert tflite.TFLiteModel(path).input_shape


# --- runtimes -------------------------------------------------------------------------

_ANSWER = np.arange(3, dtype=np.float32)


class _Interpreter:
    """As much of an interpreter as a model of one input and one output needs."""

    def __init__(self, model_path, num_threads, experimental_delegates):
        self.model_path = model_path

    def allocate_tensors(self):
        pass

    def invoke(self):
        pass

    def set_tensor(self, index, values):
        pass

    def get_input_details(self):
        return [{'index': 0, 'shape': np.array([1, 2]), 'dtype': np.float32}]

    def get_output_details(self):
        return [{'index': 1, 'shape': np.array([1, 3]), 'dtype': np.float32}]

    def get_tensor(self, index):
        return _ANSWER[None]


def _made_for_another_numpy(**_):
    try:
        raise ImportError('numpy.core.multiarray failed to import')
    except ImportError as error:
        raise SystemError('returned a result with an exception set') from error


@pytest.fixture
def installed(monkeypatch):
    """Return a function that puts modules in the place of all runtimes; None is not installed."""

    def install(**modules):
        for name in tflite._RUNTIMES:
            package = name.partition('.')[0]
            monkeypatch.setitem(sys.modules, name, modules.get(package))

    return install


@pytest.mark.parametrize(
    'modules',
    [
        {'ai_edge_litert': SimpleNamespace(Interpreter=_Interpreter)},
        {'tflite_runtime': SimpleNamespace(Interpreter=_Interpreter)},
        {'tensorflow': SimpleNamespace(lite=SimpleNamespace(Interpreter=_Interpreter))},
        {
            'tflite_runtime': SimpleNamespace(Interpreter=_made_for_another_numpy),
            'tensorflow': SimpleNamespace(lite=SimpleNamespace(Interpreter=_Interpreter)),
        },
        {
            'ai_edge_litert': SimpleNamespace(),
            'tflite_runtime': SimpleNamespace(Interpreter=_Interpreter),
        },
    ],
    ids=['LiteRT', 'tflite-runtime', 'TensorFlow', 'one for another NumPy', 'half of one'],
)
def test_first_runtime_that_works_is_taken(installed, modules, tmp_path):
    installed(**modules)
    model = tflite.TFLiteModel(tmp_path / 'a.tflite')
    assert model.input_shape == (2,) and model.output_sizes == (3,)
    np.testing.assert_array_equal(model(np.zeros(2)), [_ANSWER])


def test_a_network_in_memory_is_that_of_the_file(network):
    values = np.ones((13, 15), dtype=np.float32)
    expected, found = (tflite.TFLiteModel(n)(values) for n in (network, network.read_bytes()))
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)
    with pytest.raises(ModelError, match='^a network in memory: not a usable TFLite model'):
        tflite.TFLiteModel(b'TFL3')


def test_runtimes_that_do_not_work_say_why(installed, tmp_path):
    installed(tflite_runtime=SimpleNamespace(Interpreter=_made_for_another_numpy))
    with pytest.raises(
        ModelError,
        match=r'^no TFLite runtime works \(ai_edge_litert.interpreter: .*ai_edge_litert.*; '
        r'tflite_runtime.interpreter: numpy.core.multiarray failed to import; '
        r'tensorflow: .*tensorflow.*\); try: pip install ai-edge-litert$',
    ):
        tflite.TFLiteModel(tmp_path / 'a.tflite')


@pytest.mark.parametrize(
    'error', [OSError('libc++.so: cannot open'), ValueError('numpy.dtype size changed')]
)
def test_runtime_whose_import_fails_is_passed_over(installed, monkeypatch, tmp_path, error):
    installed(tflite_runtime=SimpleNamespace(Interpreter=_Interpreter))

    def import_module(name):
        if name.startswith('ai_edge_litert'):
            raise error
        return sys.modules[name]

    monkeypatch.setattr(tflite, 'import_module', import_module)
    assert tflite.TFLiteModel(tmp_path / 'a.tflite').output_sizes == (3,)


def test_unusable_model_is_no_fault_of_the_runtime(installed, tmp_path):
    def refuse(**_):
        raise ValueError('not a model')

    works = SimpleNamespace(lite=SimpleNamespace(Interpreter=_Interpreter))
    installed(ai_edge_litert=SimpleNamespace(Interpreter=refuse), tensorflow=works)
    with pytest.raises(ModelError, match=r'a.tflite: not a usable TFLite model \(not a model\)'):
        tflite.TFLiteModel(tmp_path / 'a.tflite')


def test_whole_tensorflow(network, build_delegate):
    if find_spec('tensorflow') is None:
        pytest.skip('needs TensorFlow')
    script = """
import sys
import numpy as np
sys.modules['ai_edge_litert.interpreter'] = sys.modules['tflite_runtime.interpreter'] = None
from doa_ros.core.localization.tflite import TFLiteModel
for delegate in ('', sys.argv[2]):
    model = TFLiteModel(sys.argv[1], delegate)
    print(np.argmax(model(np.eye(13, 15, dtype=np.float32))[0]))
"""
    run = subprocess.run(
        [sys.executable, '-c', script, network, build_delegate()],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    expected = np.argmax(tflite.TFLiteModel(network)(np.eye(13, 15, dtype=np.float32))[0])
    assert run.stdout.split() == [str(expected)] * 2


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


def test_model_that_was_compiled_for_the_edge_tpu(network, changed_network, tmp_path):
    schema = pytest.importorskip('ai_edge_litert.schema_py_generated')

    def compile_it(model):
        code = model.operatorCodes[0]
        code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.CUSTOM
        code.customCode = b'edgetpu-custom-op'

    compiled = tmp_path / 'compiled.tflite'
    compiled.write_bytes(changed_network(network, compile_it))
    with pytest.raises(ModelError, match='compiled for the Edge TPU: set the delegate libedgetpu'):
        tflite.TFLiteModel(compiled)


def test_opening_a_model_says_nothing_but_what_matters(capfd, monkeypatch):
    """The runtime says on stderr that it has made a delegate: nobody needs to know."""
    model = find_resource('models', 'uma8_rooms_int8')
    opened = tflite._open

    def open_and_warn(*arguments):
        os.write(2, b'INFO: Created a delegate.\nWARNING: this matters\n')
        return opened(*arguments)

    monkeypatch.setattr(tflite, '_open', open_and_warn)
    tflite.TFLiteModel(model)
    assert capfd.readouterr().err == 'WARNING: this matters\n'


def test_a_model_opens_without_stderr():
    code = (
        'import os; os.close(2)\n'
        'from doa_ros.core.localization.tflite import TFLiteModel\n'
        'from doa_ros.resources import find_resource\n'
        "TFLiteModel(find_resource('models', 'uma8_rooms_int8'))\n"
        "print('opened')"
    )
    output = subprocess.run([sys.executable, '-c', code], stdout=subprocess.PIPE, text=True)
    assert output.stdout == 'opened\n'
