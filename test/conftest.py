# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What several test files share: arrays, plane waves and a small network."""

from contextlib import contextmanager
import copy
from dataclasses import replace
import hashlib
import os
from pathlib import Path
import random
import signal

# Before NumPy is imported: tests run side by side, and threads that share the product of small
# matrices would wait for each other for longer than that takes.
os.environ.setdefault('OPENBLAS_NUM_THREADS', '1')

import hypothesis
from hypothesis import strategies as st
import numpy as np
import pytest

from doa_ros.audio.capture import virtual_device
from doa_ros.core.array_file import load_array
from doa_ros.core.features.config import FeatureConfig
from doa_ros.core.features.extractor import FeatureExtractor
from doa_ros.core.features.gcc_phat import GccPhat
from doa_ros.core.geometry import MicArray, unit_vector
from doa_ros.core.localization.compatibility import default_features
from doa_ros.core.localization.localizer import Localizer, LocalizerConfig
from doa_ros.core.localization.model_card import ModelCard, save_card
from doa_ros.core.localization.srp_phat import SrpPhat
from doa_ros.resources import find_resource

# The same examples in every run; a slow machine is no failure.
hypothesis.settings.register_profile('doa_ros', deadline=None, derandomize=True)
# For `make fuzz`: many others, different ones each time.
hypothesis.settings.register_profile(
    'nightly',
    deadline=None,
    max_examples=1500,
    print_blob=True,
    suppress_health_check=list(hypothesis.HealthCheck),
)
hypothesis.settings.load_profile('doa_ros')


def pytest_addoption(parser):
    parser.addoption('--seed', type=int, default=0, help='of random moments (%(default)s)')
    parser.addoption('--skips', type=Path, help='append here what is skipped, a tab, and why')


def pytest_configure():
    # Otherwise SIGTERM ends pytest at once, and what the tests have started stays.
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def pytest_collection_modifyitems(items):
    for item in items:
        if 'virtual_uma8' in item.fixturenames and not item.get_closest_marker('alone'):
            item.add_marker(pytest.mark.real_time)


def pytest_report_header(config):
    return f'seed: {config.option.seed}'


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    report = yield
    _note_skip(collector.config, report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    report = yield
    _note_skip(item.config, report)
    return report


def _note_skip(config, report):
    """Write down what is skipped, in the process that finds it: xdist tells of no skipped file."""
    if report.skipped and config.option.skips:
        _, _, reason = report.longrepr
        reason = reason.removeprefix('Skipped: ')
        with config.option.skips.open('a', encoding='utf-8') as file:
            file.write(f'{report.nodeid}\t{reason.splitlines()[0]}\n')


@pytest.fixture(scope='session', autouse=True)
def ros_environment(tmp_path_factory):
    """Keep other ROS processes of this machine and network out of the tests."""
    number = os.getpid()
    if worker := os.environ.get('PYTEST_XDIST_WORKER'):
        # Those that run side by side are children of one process, and numbered.
        number = os.getppid() + int(worker.removeprefix('gw'))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('ROS_DOMAIN_ID', str(1 + number % 100))
        patch.setenv('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')
        patch.setenv('ROS_LOG_DIR', str(tmp_path_factory.mktemp('log')))
        yield


@pytest.fixture
def rng(request):
    """Return a source of random moments: the same ones in every run with this `--seed`."""
    seed = f'{request.config.option.seed} {request.node.nodeid}'
    print(f'drawn by random.Random({seed!r})')
    return random.Random(seed)


@pytest.fixture(scope='session')
def uma8() -> MicArray:
    return load_array(find_resource('arrays', 'uma8'))


@pytest.fixture(scope='session')
def face_down(uma8) -> MicArray:
    return replace(uma8, face_down=True)


@pytest.fixture(scope='session')
def square() -> MicArray:
    """Four microphones on a small square, on other channels than they are listed in."""
    return MicArray(
        name='square',
        positions=np.array(
            [[0.02, 0.02, 0], [-0.02, 0.02, 0], [-0.02, -0.02, 0], [0.02, -0.02, 0]]
        ),
        labels=('a', 'b', 'c', 'd'),
        channels=(3, 1, 0, 4),
        channel_count=5,
        sampling_frequency=16000,
    )


@pytest.fixture(scope='session')
def make_array():
    """Return a function that makes an array of microphones at these places [m]."""

    def make(positions, **mounting) -> MicArray:
        count = len(positions)
        return MicArray(
            name='made',
            positions=np.array(positions),
            labels=tuple(f'mic_{k}' for k in range(count)),
            channels=tuple(range(count)),
            channel_count=count,
            sampling_frequency=16000,
            **mounting,
        )

    return make


@pytest.fixture(scope='session')
def tetrahedron(make_array) -> MicArray:
    return make_array(0.02 * np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]))


@pytest.fixture(scope='session')
def plane_wave():
    """Return what the microphones hear of a far source of white noise."""

    def make(array, azimuth, elevation=0.0, *, duration=0.3, seed=1):
        rate = array.sampling_frequency
        count = round(duration * rate)
        source = np.fft.rfft(np.random.default_rng(seed).standard_normal(count))
        # Who is nearer to the source hears it earlier.
        delay = -array.frame_positions @ unit_vector(azimuth, elevation) / array.speed_of_sound
        shift = np.exp(-2j * np.pi * np.outer(delay, np.fft.rfftfreq(count, 1 / rate)))
        return (0.01 * np.fft.irfft(source * shift, count)).T.astype(np.float32)

    return make


@pytest.fixture(scope='session')
def extract():
    """Return all features of a piece of audio, pushed at once; by default those for the array."""

    def run(array, samples, config=None):
        extractor = FeatureExtractor(array, config or default_features(array, None))
        return extractor.push(0, np.asarray(samples, dtype=np.float32))

    return run


@pytest.fixture(scope='session')
def locate(extract):
    """Return what SRP-PHAT says at the end of a piece of audio, steady or not."""
    localizers = {}

    def run(array, samples):
        key = id(array)
        if key not in localizers:
            config = LocalizerConfig(method='srp_phat', sensitivity=1.0, report_stationary=True)
            localizers[key] = array, Localizer(array, default_features(array, None), config)
        windows = extract(array, samples)
        return localizers[key][1].locate(windows[-1]).estimates[0]

    return run


@pytest.fixture(scope='session')
def write_network():
    """Return a function that writes a small .tflite file and its card.

    The network is a linear SRP-PHAT with a softmax: enough to be right about plane waves.
    """
    flatbuffers = pytest.importorskip('flatbuffers')
    schema = pytest.importorskip('ai_edge_litert.schema_py_generated')

    def write(
        path,
        array,
        features=None,
        grid=SrpPhat.grid,
        outputs=('azimuth', 'elevation'),
        hmm=None,
    ):
        features = features or FeatureConfig()
        steering = (
            GccPhat(array, features)
            .steering_matrix(unit_vector(grid.azimuths, grid.elevations[:, None]).reshape(-1, 3))
            .reshape(
                grid.elevation_count, grid.azimuth_count, len(array.pairs), features.lag_count
            )
        )
        means = {
            'azimuth': steering.mean(axis=0),
            'elevation': steering.mean(axis=1),
            # The softmax of a single value: always 1.
            'activity': steering.mean(axis=(0, 1))[None],
        }
        layers = [30 * np.swapaxes(means[name], 1, 2) for name in outputs]
        path.write_bytes(_tflite(flatbuffers.Builder(1 << 16), schema, layers))
        card = ModelCard(
            array_name=array.name,
            positions=array.positions,
            sampling_frequency=array.sampling_frequency,
            features=features,
            grid=grid,
            outputs=outputs,
            sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
            training={},
            hmm=hmm,
        )
        save_card(card, path)
        return path

    return write


_scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.just(10**400)
    | st.floats()
    | st.text(max_size=5)
    | st.dates()
    | st.binary(max_size=5)
)
_values = st.recursive(
    _scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=5) | st.integers(), inner, max_size=3)
    ),
    max_leaves=6,
)


def _places(content, path=()):
    """Yield where in a parsed file there is a value."""
    items = content.items() if isinstance(content, dict) else enumerate(content)
    for key, value in items:
        yield (*path, key)
        if isinstance(value, dict | list):
            yield from _places(value, (*path, key))


@st.composite
def _changed_content(draw, original):
    """Return a parsed file of which some values are others, missing or new."""
    content = copy.deepcopy(original)
    for _ in range(draw(st.integers(1, 3))):
        places = list(_places(content))
        if not places:
            break
        *path, key = draw(st.sampled_from(places))
        parent = content
        for step in path:
            parent = parent[step]
        what = draw(st.sampled_from(['replace', 'remove', 'add']))
        if what == 'replace':
            parent[key] = draw(_values)
        elif what == 'remove':
            del parent[key]
        elif isinstance(parent, dict):
            parent[draw(st.text(max_size=5) | st.integers())] = draw(_values)
        else:
            parent.append(draw(_values))
    return content


@st.composite
def _damaged(draw, original: bytes):
    """Return bytes that were cut, or of which some are others."""
    data = bytearray(original)
    for _ in range(draw(st.integers(1, 5))):
        # Headers are short, and where most can go wrong.
        place = draw(st.integers(0, 64) | st.integers(0, max(len(data) - 1, 0)))
        piece = draw(st.binary(max_size=8) | st.sampled_from([b'\xff\xff\xff\x7f', b'\0' * 8]))
        match draw(st.sampled_from(['overwrite', 'insert', 'cut', 'end'])):
            case 'overwrite':
                data[place : place + len(piece)] = piece
            case 'insert':
                data[place:place] = piece
            case 'cut':
                del data[place : place + draw(st.integers(1, 50))]
            case 'end':
                del data[place:]
    return bytes(data)


@pytest.fixture(scope='session')
def changed_content():
    """Return a strategy: a parsed file of which some values are others, missing or new."""
    return _changed_content


@pytest.fixture(scope='session')
def damaged():
    """Return a strategy: bytes that were cut, or of which some are others."""
    return _damaged


@pytest.fixture(scope='session')
def virtual_uma8(tmp_path_factory):
    """Return a context in which a raw recording is a UMA-8."""
    if not virtual_device.is_available():
        pytest.skip(virtual_device.NEEDED)

    @contextmanager
    def start(recording):
        card = virtual_device.VirtualUma8(tmp_path_factory.mktemp('pulse'), recording)
        try:
            # What this process starts sees it.
            with pytest.MonkeyPatch.context() as patch:
                for name, value in card.environment.items():
                    patch.setenv(name, value)
                yield card
        finally:
            card.kill()

    return start


def _tflite(builder, schema, layers) -> bytes:
    """Return a network of one input and a dense layer with softmax per output.

    Args:
        builder, schema: FlatBuffers and the module of TFLite's format.
        layers: weights, each of shape (classes, lags, pairs).
    """
    model = schema.ModelT()
    model.version = 3
    model.buffers = [schema.BufferT()]
    graph = schema.SubGraphT()
    graph.tensors, graph.operators = [], []
    model.subgraphs = [graph]
    codes = schema.BuiltinOperator
    model.operatorCodes = []
    for code in (codes.FULLY_CONNECTED, codes.SOFTMAX):
        entry = schema.OperatorCodeT()
        entry.builtinCode = entry.deprecatedBuiltinCode = code
        entry.version = 1
        model.operatorCodes.append(entry)

    def tensor(shape, values=None):
        entry = schema.TensorT()
        entry.type = schema.TensorType.FLOAT32
        entry.name = f'tensor_{len(graph.tensors)}'
        entry.shape = list(shape)
        if values is not None:
            buffer = schema.BufferT()
            buffer.data = list(values.astype('<f4').tobytes())
            entry.buffer = len(model.buffers)
            model.buffers.append(buffer)
        graph.tensors.append(entry)
        return len(graph.tensors) - 1

    def operator(index, inputs, output, kind, options):
        entry = schema.OperatorT()
        entry.opcodeIndex, entry.inputs, entry.outputs = index, inputs, [output]
        entry.builtinOptionsType, entry.builtinOptions = kind, options
        graph.operators.append(entry)

    softmax = schema.SoftmaxOptionsT()
    softmax.beta = 1.0
    graph.inputs, graph.outputs = [tensor((1, *layers[0].shape[1:]))], []
    for layer in layers:
        weights = tensor((len(layer), layer[0].size), layer)
        dense, output = tensor((1, len(layer))), tensor((1, len(layer)))
        kinds = schema.BuiltinOptions
        operator(0, [*graph.inputs, weights, -1], dense, kinds.FullyConnectedOptions,
                 schema.FullyConnectedOptionsT())  # fmt: skip
        operator(1, [dense], output, kinds.SoftmaxOptions, softmax)
        graph.outputs.append(output)
    builder.Finish(model.Pack(builder), b'TFL3')
    return bytes(builder.Output())
