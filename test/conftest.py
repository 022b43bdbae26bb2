# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What several test files share: arrays, plane waves and a small network."""

from contextlib import contextmanager
from dataclasses import replace
import hashlib
import os
from pathlib import Path
import shutil
import subprocess
import time

import hypothesis
import numpy as np
import pytest

from doa_ros.core.classifier import ModelCard, default_features, save_card
from doa_ros.core.features import FeatureConfig, FeatureExtractor
from doa_ros.core.geometry import MicArray, load_array, unit_vector
from doa_ros.core.localizer import Localizer, LocalizerConfig
from doa_ros.core.srp_phat import SrpPhat, steering_matrix
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
            config = LocalizerConfig(
                method='srp_phat', sensitivity=1.0, report_stationary=True
            )
            localizers[key] = array, Localizer(array, default_features(array, None), config)
        frames = extract(array, samples)
        return localizers[key][1].locate(frames[-1]).estimates[0]

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
        memory=None,
    ):
        features = features or FeatureConfig()
        steering = steering_matrix(
            array,
            features.lags,
            unit_vector(grid.azimuths, grid.elevations[:, None]).reshape(-1, 3),
        ).reshape(grid.elevation_count, grid.azimuth_count, len(array.pairs), features.lag_count)
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
            memory=memory,
        )
        save_card(card, path)
        return path

    return write


_PACKAGES = 'pulseaudio pulseaudio-utils libasound2-plugins'
_FORMAT = (
    'format=s32le rate=48000 channels=8 channel_map='
    'front-left,front-right,rear-left,rear-right,front-center,lfe,side-left,side-right'
)
# The pace of the device, with somebody who listens closely: otherwise it would work 2 s ahead,
# as it does anyway at first [s].
_CLOCK = (
    f'module-null-sink sink_name=rest {_FORMAT}',
    f'module-null-sink sink_name=clock {_FORMAT}',
    'module-loopback source=clock.monitor sink=rest latency_msec=30 adjust_time=0',
)
_AHEAD = 2.2
_PLUG = f'module-remap-source source_name=uma8 master=clock.monitor {_FORMAT}'
_ALSA = """\
</usr/share/alsa/alsa.conf>
pcm.uma8_clock {{ type pulse server "unix:{run}/native" device "uma8" }}
pcm."micArray RAW SPK" {{
  type file
  slave.pcm "uma8_clock"
  file "/dev/null"
  infile "{recording}"
  format "raw"
}}
"""


class VirtualUma8:
    """A UMA-8 without hardware, which plays a raw recording.

    It is ALSA's file plugin, which plays 8 channels of 32 bits as input, at the pace of a
    PulseAudio of its own.

    Attributes:
        environment: variables of a process that sees it.
        daemon: the process behind it.
        plugged: when the device was connected last, on the clock of `time.monotonic` [s].
    """

    def __init__(self, run, recording):
        self._run = run
        (run / 'asound.conf').write_text(_ALSA.format(run=run, recording=recording))
        self.environment = {
            'HOME': str(run),
            'XDG_RUNTIME_DIR': str(run),
            'PULSE_SERVER': f'unix:{run}/native',
            'ALSA_CONFIG_PATH': str(run / 'asound.conf'),
        }
        self.start()

    def start(self):
        """Start the daemon and plug the device in."""
        self.daemon = subprocess.Popen(
            ['pulseaudio', '-n', '--daemonize=no', '--exit-idle-time=-1', '--use-pid-file=no',
             '--disable-shm=yes', '--load', 'module-native-protocol-unix auth-anonymous=1 '
             f'socket={self._run}/native'],
            env={**os.environ, **self.environment},
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        end = time.monotonic() + 20
        while self._pactl('info') != 0:
            assert time.monotonic() < end, 'PulseAudio does not start'
            time.sleep(0.05)
        self.plug()

    def kill(self):
        """Kill the daemon: the connection to the device breaks."""
        self.daemon.kill()
        self.daemon.wait()

    def unplug(self):
        """Take the device away while the daemon lives."""
        # Nothing may be left that streams could be moved to.
        assert self._pactl('unload-module', 'module-null-sink') == 0

    def plug(self):
        """Connect the device."""
        for module in _CLOCK:
            assert self._pactl('load-module', *module.split()) == 0
        time.sleep(_AHEAD)
        self.plugged = time.monotonic()
        assert self._pactl('load-module', *_PLUG.split()) == 0

    def _pactl(self, *command):
        return subprocess.run(
            ['pactl', *command],
            env={**os.environ, **self.environment},
            capture_output=True,
            timeout=20,
        ).returncode


@pytest.fixture(scope='session')
def virtual_uma8(tmp_path_factory):
    """Return a context in which a raw recording is a UMA-8."""
    plugins = list(Path('/usr/lib').glob('*/alsa-lib/libasound_module_pcm_pulse.so'))
    if not (plugins and shutil.which('pulseaudio') and shutil.which('pactl')):
        pytest.skip(f'needs a sound server: sudo apt-get install {_PACKAGES}')

    @contextmanager
    def start(recording):
        card = VirtualUma8(tmp_path_factory.mktemp('pulse'), recording)
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
