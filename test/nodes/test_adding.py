# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Worked examples of CONTRIBUTING: a source, a topic and a diagnostic check, from outside."""

from dataclasses import dataclass
import sys
import threading

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from geometry_msgs.msg import Vector3Stamped
import numpy as np
import pytest
import rclpy
from rclpy.qos import ReliabilityPolicy

from doa_ros.audio.playback import Playback
from doa_ros.conversions.audio import make_header
from doa_ros.core.config import setting
from doa_ros.core.geometry import wrap_angle
from doa_ros.core.monitoring import Level, Status
from doa_ros.nodes import audio_capture_node
from doa_ros.nodes.chain import ChainNode
from doa_ros.nodes.configs import CaptureConfig, settings
from doa_ros.nodes.doa_pipeline_node import make_nodes
from doa_ros.nodes.publishing_thread import PublishingThread, Topic
from doa_ros.nodes.sources import SOURCES, SourceKind
from doa_ros.nodes.topics import PublishedTopic


@pytest.fixture
def publishing(monkeypatch, namespace):
    """Return a function that starts ROS with arguments, and returns the thread that publishes."""
    nodes = []

    def start(*arguments):
        arguments = ['-r', f'__ns:={namespace}', *arguments]
        monkeypatch.setattr(sys, 'argv', ['test', '--ros-args', *arguments])
        rclpy.init()
        thread = PublishingThread()
        nodes.append(thread)
        return thread

    yield start
    for thread in nodes:
        thread.close()
        for node in thread.nodes:
            node.destroy_node()
    rclpy.shutdown()


def test_there_is_a_source_for_every_choice():
    assert tuple(SOURCES) == settings(['audio_capture'])['source'].metadata['choices']


# A source: its class, ...
class NoiseSource:
    """Plays noise from one direction."""

    def __init__(self, array, sound, block_duration, real_time):
        self.sampling_frequency = array.sampling_frequency
        self.channel_count = array.channel_count
        self._block = round(block_duration * array.sampling_frequency)
        self._sound = sound
        self._playback = Playback(array.sampling_frequency, real_time)

    def blocks(self, clock):
        self._playback.begin(clock)
        for begin in range(0, len(self._sound), self._block):
            block = self._playback.deliver(self._sound[begin : begin + self._block])
            if block is None:
                return
            yield block

    def close(self):
        self._playback.close()


# ... its name and its parameters, ...
@dataclass(frozen=True)
class _WithNoise(CaptureConfig):
    source: str = setting('device', 'Where the sound comes from.', choices=(*SOURCES, 'noise'))
    noise_azimuth: float = setting(0.0, 'Of the noise [rad].', minimum=-3.2, maximum=3.2)


def test_a_new_source(monkeypatch, publishing, plane_wave):
    def open_noise(config, array, listener):
        sound = plane_wave(array, config.noise_azimuth, 0.3, duration=3.0)
        # What is there all the time is background.
        sound[: len(sound) // 2] *= 0.001
        return NoiseSource(array, sound, config.block_duration, config.real_time)

    # ... and its entry in the table.
    kind = SourceKind(open_noise, lambda config: f'noise from {config.noise_azimuth:g} rad')
    monkeypatch.setitem(SOURCES, 'noise', kind)
    monkeypatch.setattr(audio_capture_node, 'CaptureConfig', _WithNoise)
    published = []
    monkeypatch.setattr(
        Topic, 'publish', lambda topic, message: published.append((topic.name, message))
    )
    thread = publishing(
        *('-p', 'source:=noise', '-p', 'noise_azimuth:=2.0'),
        *('-p', 'real_time:=false', '-p', 'method:=srp_phat'),
    )
    make_nodes(thread)[0].work()
    found = [message.estimates for name, message in published if name.endswith('/estimates')]
    azimuths = [estimates[0].azimuth for estimates in found if estimates]
    assert len(azimuths) > 20
    assert np.abs(wrap_angle(np.array(azimuths) - 2.0)).max() < np.radians(3)


WIND = PublishedTopic('wind', Vector3Stamped, 'how strong the wind is, and where it goes')


class Thermometer(ChainNode):
    """A topic is a line, and a diagnostic check is a method that is named once."""

    def __init__(self, publishing, temperature):
        super().__init__('thermometer', publishing)
        self._temperature = temperature
        self.diagnose('the board is cool', [self._heat])
        self._wind = self.topic(WIND)

    def blow(self):
        self._wind.publish(Vector3Stamped(header=make_header(0, 'mic_array')))

    def _heat(self):
        level = Level.WARN if self._temperature > 70 else Level.OK
        values = {'temperature [deg C]': f'{self._temperature:g}'}
        return Status(level, 'the board is hot: cool it' if level else '', values)


def _spinning(node, condition, listener, what):
    executor = rclpy.executors.SingleThreadedExecutor()
    executor.add_node(node)
    thread = threading.Thread(target=executor.spin)
    thread.start()
    try:
        listener.spin_until(condition, what)
    finally:
        executor.shutdown()
        thread.join()


def test_a_new_topic_can_be_overridden_and_arrives(publishing, listener, namespace):
    override = f'qos_overrides.{namespace}/wind.publisher.reliability:=best_effort'
    node = Thermometer(publishing('-p', override), 20.0)
    winds = listener.collect(Vector3Stamped, 'wind', rclpy.qos.qos_profile_sensor_data)
    listener.wait_for_publisher('wind')
    (end,) = listener.node.get_publishers_info_by_topic(f'{namespace}/wind')
    assert end.qos_profile.reliability == ReliabilityPolicy.BEST_EFFORT

    def arrived():
        node.blow()
        return bool(winds)

    listener.spin_until(arrived, 'wind')


@pytest.mark.parametrize(
    ('temperature', 'level', 'message'),
    [
        (20.0, DiagnosticStatus.OK, 'the board is cool'),
        (90.0, DiagnosticStatus.WARN, 'the board is hot: cool it'),
    ],
)
def test_a_new_check_is_told(publishing, listener, namespace, temperature, level, message):
    said = listener.collect(DiagnosticArray, '/diagnostics')
    node = Thermometer(publishing(), temperature)

    def ours():
        everything = [status for array in said for status in array.status]
        return [status for status in everything if status.hardware_id == namespace]

    _spinning(node, ours, listener, 'diagnostics')
    assert (ours()[0].level, ours()[0].message) == (level, message)
    values = {value.key: value.value for value in ours()[0].values}
    assert values['temperature [deg C]'] == f'{temperature:g}'
