# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Which topics are published, and when."""

from collections import Counter
from pathlib import Path
import sys
import threading

import numpy as np
import pytest
import rclpy
from visualization_msgs.msg import MarkerArray

from doa_ros.core.config import load_yaml
from doa_ros.core.errors import MessageError
from doa_ros.core.geometry import wrap_angle
from doa_ros.core.tracking.tracker import Tracker
from doa_ros.core.units import NANOSECONDS
from doa_ros.headers import stamp_of
from doa_ros.msg import AudioFrame, DoaEstimateArray, DoaSpectrum, GccPhat
from doa_ros.nodes.doa_pipeline_node import make_nodes
from doa_ros.nodes.publishing_thread import PublishingThread, Topic
from doa_ros.nodes.topics import TOPICS
from doa_ros.simulation.scene import SceneConfig

_ON_DEMAND = {
    'audio': AudioFrame,
    'gcc_phat': GccPhat,
    'spectrum': DoaSpectrum,
    'detections': DoaEstimateArray,
    'markers': MarkerArray,
}


@pytest.mark.parametrize(
    ('wanted', 'publish_audio'),
    [
        ([], True),
        (['audio'], True),
        (['audio'], False),
        (['gcc_phat'], False),
        (['spectrum', 'markers', 'detections'], False),
    ],
)
def test_large_messages_cross_dds_only_while_someone_listens(
    monkeypatch, namespace, recording, wanted, publish_audio
):
    arguments = ['-r', f'__ns:={namespace}', '-p', 'method:=srp_phat', '-p', 'source:=file']
    arguments += ['-p', f'file:={recording}', '-p', 'real_time:=false']
    arguments += ['-p', f'publish_audio:={str(publish_audio).lower()}']
    monkeypatch.setattr(sys, 'argv', ['doa_pipeline', '--ros-args', *arguments])
    published = []
    send = Topic.send

    def spy(self, message):
        published.append(self.name.rpartition('/')[2])
        send(self, message)

    monkeypatch.setattr(Topic, 'send', spy)
    rclpy.init()
    publishing = PublishingThread()
    nodes = make_nodes(publishing)
    try:
        for topic in wanted:
            nodes[0].create_subscription(_ON_DEMAND[topic], topic, lambda _: None, 1)
        for topic in wanted:
            while not nodes[0].count_subscribers(topic):
                pass
        worker = threading.Thread(target=nodes[0].work)
        worker.start()
        worker.join(60)
        assert not worker.is_alive()
    finally:
        publishing.close()
        for node in nodes:
            node.destroy_node()
        rclpy.shutdown()
    assert published.count('estimates') > 100
    # The sound itself only where the parameter asks for it, too.
    if not publish_audio:
        wanted = set(wanted) - {'audio'}
    assert {topic for topic in _ON_DEMAND if topic in published} == set(wanted)


def test_topics_of_the_pipeline_are_those_of_the_table(start, listener, namespace, scene):
    start('doa_pipeline', source='sim', scene=scene, method='srp_phat', publish_audio=True)
    listed = {
        f'{namespace}/{topic.name}': [_type_name(topic.message_type)]
        for published in TOPICS.values()
        for topic in published
    }
    for topic in listed:
        listener.wait_for_publisher(topic)
    known = dict(listener.node.get_topic_names_and_types())
    ours = {name for name in known if name.startswith(f'{namespace}/')}
    published = {name: known[name] for name in ours if listener.node.count_publishers(name)}
    assert published == listed


def _type_name(message_type):
    package, *_ = message_type.__module__.split('.')
    return f'{package}/msg/{message_type.__name__}'


def test_only_a_simulation_has_truth(start, listener, recording):
    start('doa_pipeline', source='file', file=str(recording), loop=True, method='srp_phat')
    estimates = listener.collect(DoaEstimateArray, 'estimates')
    listener.spin_until(lambda: estimates, 'estimates')
    assert not listener.node.count_publishers('truth')


def test_simulation_says_the_truth(start, listener, scene):
    config = SceneConfig.from_mapping(load_yaml(Path(scene)), scene)
    audio = listener.collect(AudioFrame, 'audio')
    truth = listener.collect(DoaEstimateArray, 'truth')
    estimates = listener.collect(DoaEstimateArray, 'estimates')
    process = start(
        'doa_pipeline',
        source='sim',
        scene=scene,
        loop=True,
        method='srp_phat',
        publish_audio=True,
    )
    # What is heard first need not be the beginning: where it is in the scene says the audio.
    listener.spin_until(lambda: audio, 'audio')
    played = audio[0].first_sample_index / audio[0].sampling_frequency
    first = stamp_of(audio[0].header)
    block = audio[0].frame_sample_count / audio[0].sampling_frequency

    def middle(message):
        """Return the time in the scene of a block's middle [s]."""
        since = (stamp_of(message.header) - first) / NANOSECONDS
        return (played + since + block / 2) % config.duration

    def leading(message):
        return middle(message) < config.lead

    def voiced(messages):
        return {stamp_of(m.header): m.estimates[0].azimuth for m in messages if m.estimates}

    listener.spin_until(
        lambda: len(voiced(truth)) > 30 and sum(map(leading, truth)) > 10,
        'truth about a voice and about silence',
    )
    listener.spin_until(
        lambda: len(voiced(truth).keys() & voiced(estimates).keys()) > 10, 'truth and estimates'
    )
    assert process.stop() == 0
    for message in truth:
        assert len(message.estimates) <= 1
        for voice in message.estimates:
            # The last sound takes its time to the array.
            assert config.lead < middle(message) < config.duration - config.tail + block
            direction = config.direction(middle(message))
            assert (voice.azimuth, voice.elevation) == pytest.approx(direction, abs=1e-6)
    true, found = voiced(truth), voiced(estimates)
    errors = [abs(wrap_angle(found[stamp] - true[stamp])) for stamp in true.keys() & found.keys()]
    assert np.median(errors) < np.radians(10)


def test_a_message_that_a_node_of_the_pipeline_refuses_is_dropped_and_counted(
    monkeypatch, namespace, recording
):
    arguments = ['-r', f'__ns:={namespace}', '-p', 'method:=srp_phat', '-p', 'source:=file']
    arguments += ['-p', f'file:={recording}', '-p', 'real_time:=false']
    monkeypatch.setattr(sys, 'argv', ['doa_pipeline', '--ros-args', *arguments])
    update, calls = Tracker.update, []

    def refuse_some(self, *args, **keywords):
        calls.append(args)
        if len(calls) % 10 == 5:
            raise MessageError('not usable')
        return update(self, *args, **keywords)

    monkeypatch.setattr(Tracker, 'update', refuse_some)
    published = []
    monkeypatch.setattr(
        Topic, 'publish', lambda topic, message: published.append((topic.name, message))
    )
    rclpy.init()
    publishing = PublishingThread()
    nodes = make_nodes(publishing)
    try:
        nodes[0].work()
        tracker = next(node for node in nodes if node.get_name() == 'doa_tracker')
        next(iter(tracker.timers)).callback()
    finally:
        publishing.close()
        for node in nodes:
            node.destroy_node()
        rclpy.shutdown()
    dropped = (len(calls) + 5) // 10
    counts = Counter(name.rpartition('/')[2] for name, _ in published)
    assert counts['estimates'] == len(calls) > 100
    assert counts['tracks'] == len(calls) - dropped
    (status,) = published[-1][1].status
    values = {v.key: v.value for v in status.values}
    assert values['rejected messages'] == str(dropped)
