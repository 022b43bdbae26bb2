# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Executables in processes of their own, and a node in this one that talks to them."""

import contextlib
import importlib.util
import itertools
import json
import os
from pathlib import Path
import re
import signal
import subprocess
import threading
import time

import numpy as np
import pytest
from scipy import signal as dsp
import soundfile

from doa_ros.core.errors import ConfigError
from doa_ros.core.features.extractor import FeatureExtractor
from doa_ros.core.geometry import unit_vector
from doa_ros.core.localization.compatibility import default_features
from doa_ros.core.localization.localizer import Localizer, LocalizerConfig
from doa_ros.core.tracking.track import Track
from doa_ros.resources import find_resource
from doa_ros.simulation.acoustics import DiffuseField, impulse_responses

if importlib.util.find_spec('rclpy') is None:
    collect_ignore_glob = ['test_*.py']
else:
    from ament_index_python import get_package_prefix
    from rcl_interfaces.msg import ParameterType
    import rclpy
    from rclpy.executors import SingleThreadedExecutor
    from rclpy.parameter_client import AsyncParameterClient
    from rclpy.qos import DurabilityPolicy, QoSProfile

    from doa_ros.conversions.arrays import array_info
    from doa_ros.conversions.audio import make_header
    from doa_ros.msg import MicArrayInfo
    from doa_ros.nodes.configs import ModelConfig

# Not how long things take, but how long a very busy machine may make them take [s].
PATIENCE = 40.0
# Where the recording comes from [rad], and when there is sound in it [s].
AZIMUTH, ELEVATION = np.radians(70), np.radians(25)
FIRST_SOUND, LAST_SOUND, DURATION = 1.5, 3.7, 5.5


_numbers = itertools.count()


@pytest.fixture
def namespace():
    return f'/test_{os.getpid()}_{next(_numbers)}'


class Process:
    """A running executable of the package; `output` is what it has written to stderr."""

    def __init__(self, executable, namespace, arguments=(), stdout=None, **parameters):
        path = Path(get_package_prefix('doa_ros'), 'lib', 'doa_ros', executable)
        arguments = [*arguments, '--ros-args', '-r', f'__ns:={namespace}']
        for name, value in parameters.items():
            arguments += ['-p', f'{name}:={json.dumps(value)}']
        # A process group of its own, as a terminal would make it.
        self._process = subprocess.Popen(
            [path, *arguments],
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.executable = executable
        self.output = ''
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self):
        for line in self._process.stderr:
            self.output += line

    @property
    def alive(self):
        return self._process.poll() is None

    def wait_for(self, *texts):
        """Wait until all the texts have been written."""
        _wait(lambda: all(text in self.output for text in texts) or not self.alive)
        missing = [text for text in texts if text not in self.output]
        assert not missing, f'{self.executable} never wrote {missing}:\n{self.output}'

    def wait_until_it_catches(self, number):
        """Wait until the process has a handler of a signal."""

        def catches():
            status = Path('/proc', str(self._process.pid), 'status').read_text()
            caught = int(status.split('SigCgt:')[1].split()[0], 16)
            return caught >> (number - 1) & 1

        _wait(catches)

    def children(self):
        """Return the numbers of the processes that it has started."""
        tasks = Path('/proc', str(self._process.pid), 'task').iterdir()
        return [int(n) for task in tasks for n in (task / 'children').read_text().split()]

    def maps(self):
        """Return the lines about its memory, as in proc(5)."""
        return Path('/proc', str(self._process.pid), 'maps').read_text().splitlines()

    def send(self, number):
        os.killpg(self._process.pid, number)

    def end(self, timeout=PATIENCE):
        """Wait for the process to end by itself and return its exit code."""
        code = self._process.wait(timeout)
        self._reader.join()
        return code

    def stop(self):
        """End it if it still runs; return its exit code."""
        with contextlib.suppress(ProcessLookupError):
            self.send(signal.SIGINT)
        try:
            return self.end()
        except subprocess.TimeoutExpired:
            self.send(signal.SIGKILL)
            raise


def _wait(condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, 'nothing happened'
        time.sleep(0.02)


class Listener:
    """A node that collects messages, publishes and sets parameters."""

    def __init__(self, namespace):
        self._context = rclpy.Context()
        self._context.init()
        self.node = rclpy.create_node('listener', namespace=namespace, context=self._context)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self.node)
        self._array_info = None

    def collect(self, message_type, topic, qos=200):
        """Return a list that all messages of a topic are appended to."""
        messages = []
        self.node.create_subscription(message_type, topic, messages.append, qos)
        return messages

    def spin(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._executor.spin_once(timeout_sec=0.05)

    def spin_until(self, condition, what='what was waited for', timeout=PATIENCE):
        deadline = time.monotonic() + timeout
        while not condition():
            assert time.monotonic() < deadline, f'{what} did not happen'
            self._executor.spin_once(timeout_sec=0.05)

    def publish_until(self, condition, publisher, message, what):
        """Publish a message again and again: the first ones are lost where nobody listens yet.

        `message` is the message, or makes a new one each time.
        """

        def done():
            if not condition():
                publisher.publish(message() if callable(message) else message)
                self.spin(0.2)
            return condition()

        self.spin_until(done, what)

    def publish_array(self, array, frame_id='mic_array'):
        """Describe an array on `array_info`, as audio_capture does."""
        if self._array_info is None:
            qos = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
            self._array_info = self.node.create_publisher(MicArrayInfo, 'array_info', qos)
        self._array_info.publish(array_info(make_header(0, frame_id), array))

    def wait_for_publisher(self, topic, count=1):
        self.spin_until(lambda: self.node.count_publishers(topic) >= count, f'{topic} offered')

    def wait_for_subscriber(self, topic, count=1):
        self.spin_until(lambda: self.node.count_subscribers(topic) >= count, f'{topic} wanted')

    def parameters(self, node):
        """Return a client of the parameters of a node, which is there."""
        client = AsyncParameterClient(self.node, node)
        self.spin_until(client.services_are_ready, f'{node} there')
        return client

    def answer(self, future):
        self.spin_until(future.done, 'an answer')
        return future.result()

    def set(self, node, name, value):
        """Set a parameter; return whether the node took it, and what it said."""
        client = self.parameters(node)
        parameter = rclpy.Parameter(name, value=value)
        result = self.answer(client.set_parameters([parameter])).results[0]
        return result.successful, result.reason

    def get(self, node, name):
        value = self.answer(self.parameters(node).get_parameters([name])).values[0]
        assert value.type == ParameterType.PARAMETER_DOUBLE
        return value.double_value

    def close(self):
        self._executor.shutdown()
        self.node.destroy_node()
        self._context.try_shutdown()


@pytest.fixture(scope='session')
def topics():
    """Return the topics that each node publishes, as the documents list them."""
    page = Path(__file__).resolve().parents[2] / 'docs' / 'reference' / 'topics.md'
    text = page.read_text(encoding='utf-8')
    found = {}
    for topic, node in re.findall(r'^\| `(\w+)` \| \w+/\w+ \| (\w+) \|', text, re.MULTILINE):
        found.setdefault(node, []).append(topic)
    assert len(found) == 5
    return found


@pytest.fixture
def start(namespace):
    """Start an executable; whatever is left of it is ended with the test."""
    with contextlib.ExitStack() as stack:

        def start_one(executable, **parameters):
            process = Process(executable, namespace, **parameters)
            # Shown where the test fails.
            stack.callback(lambda: print(process.output))
            stack.callback(process.stop)
            return process

        yield start_one


@pytest.fixture
def listener(namespace):
    listener = Listener(namespace)
    yield listener
    listener.close()


@pytest.fixture(scope='session')
def talk():
    """Everything that `start` and `listener` give, for fixtures of more than one test."""

    @contextlib.contextmanager
    def session():
        namespace = f'/test_{os.getpid()}_{next(_numbers)}'
        with contextlib.ExitStack() as stack:
            listener = Listener(namespace)
            stack.callback(listener.close)

            def start_one(executable, **parameters):
                process = Process(executable, namespace, **parameters)
                stack.callback(process.stop)
                return process

            yield start_one, listener

    return session


@pytest.fixture(scope='session')
def samples(uma8):
    """A recording of all channels, int32: noise alone, bursts of a source, noise alone."""
    rng = np.random.default_rng(5)
    rate, speed = uma8.sampling_frequency, uma8.speed_of_sound
    count = round(DURATION * rate)
    time_axis = np.arange(count) / rate
    sounding = (time_axis > FIRST_SOUND) & (time_axis < LAST_SOUND) & (time_axis % 0.6 < 0.4)
    source = rng.standard_normal(count) * sounding
    place = 2.0 * unit_vector(AZIMUTH, ELEVATION)
    responses = impulse_responses(place[None], np.ones(1), uma8.frame_positions, rate, 1000, speed)
    heard = dsp.fftconvolve(source[None], responses, axes=1)[:, :count]
    noises = rng.standard_normal((len(uma8.positions), count))
    heard += 0.02 * DiffuseField(uma8.frame_positions, rate, speed).mix(noises)
    audio = np.zeros((count, uma8.channel_count), dtype=np.int32)
    audio[:, list(uma8.channels)] = np.rint(heard.T / np.abs(heard).max() * 2**28)
    return audio


@pytest.fixture(scope='session')
def recording(samples, uma8, tmp_path_factory):
    path = tmp_path_factory.mktemp('audio') / 'recording.wav'
    soundfile.write(path, samples, uma8.sampling_frequency, subtype='PCM_32')
    return path


@pytest.fixture
def play_again_and_again(start, recording):
    """Start the pipeline, or its nodes and others, on a recording in a loop; return processes."""

    def play(mode, *others):
        source = {'source': 'file', 'file': str(recording), 'loop': True, 'publish_audio': True}
        if mode == 'pipeline':
            return [start('doa_pipeline', method='srp_phat', **source)]
        processes = [start(name, method='srp_phat') for name in ('gcc_phat', 'doa_estimator')]
        processes += [start(name) for name in others]
        return [*processes, start('audio_capture', **source)]

    return play


@pytest.fixture
def playing(virtual_uma8, samples, tmp_path):
    """A UMA-8 that hears the sound of `samples` again and again."""
    path = tmp_path / 'uma8.raw'
    np.tile(samples, (10, 1)).tofile(path)
    with virtual_uma8(path) as card:
        yield card


@pytest.fixture(scope='session')
def scene(tmp_path_factory):
    """A scene that is rendered faster than the shipped one, from the same recordings."""
    folder = find_resource('scenes', 'demo').parent
    content = {
        'rt60': 0.0,
        'duration': 6.0,
        'lead': 1.5,
        'tail': 0.5,
        'speech': str(folder / 'speech.flac'),
        'noise': str(folder / 'noise.flac'),
    }
    path = tmp_path_factory.mktemp('scene') / 'scene.yaml'
    path.write_text(json.dumps(content))
    return str(path)


@pytest.fixture(scope='session')
def require_model():
    """Skip where a method needs the shipped model and there is none."""

    def require(method):
        if method == 'cnn':
            try:
                return find_resource('models', ModelConfig.model)
            except ConfigError as error:
                pytest.skip(str(error))
        return None

    return require


@pytest.fixture(scope='session')
def expected(samples, uma8, require_model):
    """Return what the core finds in the recording: by index of the first new sample."""

    def locate(method):
        model = require_model(method)
        features = default_features(uma8, model)
        config = LocalizerConfig(method=method)
        extractor = FeatureExtractor(uma8, features)
        localizer = Localizer(uma8, features, config, model)
        windows = extractor.push(0, samples.astype(np.float32) / 2**31)
        return {window.hop_index: localizer.locate(window) for window in windows}

    return locate


@pytest.fixture(scope='session')
def flat():
    """Return a function that gives nested parameters their full names."""

    def flattened(parameters, prefix=''):
        found = {}
        for name, value in parameters.items():
            nested = isinstance(value, dict)
            found |= flattened(value, f'{prefix}{name}.') if nested else {prefix + name: value}
        return found

    return flattened


@pytest.fixture(scope='session')
def points_at():
    def turned_axis(pose):
        """Return where a pose turns +x: v + 2 w (q x v) + 2 q x (q x v)."""
        q = pose.orientation
        vector, axis = np.array([q.x, q.y, q.z]), np.array([1.0, 0.0, 0.0])
        turned = np.cross(vector, axis)
        return axis + 2 * q.w * turned + 2 * np.cross(vector, turned)

    return turned_axis


@pytest.fixture(scope='session')
def make_track():
    """Return a function that makes a confirmed track."""

    def make(number=1, **changes):
        track = Track(
            id=number,
            azimuth=-2.0,
            elevation=0.5,
            azimuth_rate=0.25,
            elevation_rate=-0.125,
            azimuth_stddev=0.1,
            elevation_stddev=0.2,
            azimuth_rate_stddev=0.3,
            elevation_rate_stddev=0.4,
            confidence=0.75,
            age=2.5,
            confirmed=True,
            predicted=False,
        )
        return track._replace(**changes)

    return make
