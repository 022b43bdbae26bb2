# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What was recorded from `audio` gives, when it is played again, the estimates it gave then."""

import sys
import threading

import pytest
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.serialization import deserialize_message

from doa_ros.msg import AudioFrame, DoaEstimateArray, MicArrayInfo
from doa_ros.nodes.chain import LATCHED
from doa_ros.nodes.doa_estimator_node import DoaEstimatorNode
from doa_ros.nodes.doa_pipeline_node import make_nodes
from doa_ros.nodes.gcc_phat_node import GccPhatNode
from doa_ros.nodes.publishing_thread import PublishingThread

pytest.importorskip('rosbags')
from rosbags.rosbag2 import Reader, StoragePlugin, Writer  # noqa: E402
from rosbags.typesys import Stores, get_types_from_msg, get_typestore  # noqa: E402

from training.data.bags import DEFINITION, MESSAGE  # noqa: E402


@pytest.fixture
def ros(monkeypatch, namespace):
    """Return a function that starts rclpy as an executable of the package does."""

    def init(*parameters):
        arguments = [argument for p in parameters for argument in ('-p', p)]
        monkeypatch.setattr(sys, 'argv', ['test', '--ros-args', '-r', f'__ns:={namespace}',
                                          *arguments])  # fmt: skip
        rclpy.init()

    yield init
    rclpy.try_shutdown()


def _collect(listener, message_type, topic, qos=1000):
    """Return a list of all messages of a topic, as they cross DDS, and the subscription."""
    messages = []
    subscription = listener.node.create_subscription(
        message_type, topic, messages.append, qos, raw=True
    )
    return messages, subscription


def _live(ros, listener, recording):
    """Return all that a bag would hold of a pipeline, and its estimates, serialized."""
    ros('source:=file', f'file:={recording}', 'publish_audio:=true')
    publishing = PublishingThread()
    nodes = make_nodes(publishing)
    audio, *heard = _collect(listener, AudioFrame, 'audio')
    info, *told = _collect(listener, MicArrayInfo, 'array_info', LATCHED)
    estimates, *also = _collect(listener, DoaEstimateArray, 'estimates')
    publishers = [
        p for n in nodes for p in n.publishers if p.topic in ('array_info', 'audio', 'estimates')
    ]
    listener.spin_until(
        lambda: (
            all(p.get_subscription_count() for p in publishers)
            and all(s.get_publisher_count() for s in [*heard, *told, *also])
        ),
        'a connection',
    )
    worker = threading.Thread(target=nodes[0].work)
    worker.start()
    listener.spin_until(lambda: not worker.is_alive(), 'the end of the recording')
    listener.spin(0.5)
    publishing.close()
    for subscription in [*heard, *told, *also]:
        listener.node.destroy_subscription(subscription)
    for node in nodes:
        node.destroy_node()
    rclpy.shutdown()
    return audio, info, estimates


def _write(path, audio):
    store = get_typestore(Stores.ROS2_JAZZY)
    store.register(get_types_from_msg(DEFINITION, MESSAGE))
    with Writer(path, version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        connection = writer.add_connection('/doa/audio', MESSAGE, typestore=store)
        for number, frame in enumerate(audio):
            writer.write(connection, number * 50_000_000, frame)


def _replay(ros, listener, path, info):
    """Return the estimates that the nodes give for a bag and an array, serialized."""
    ros()
    executor = SingleThreadedExecutor()
    publishing = PublishingThread()
    nodes = GccPhatNode(publishing), DoaEstimatorNode(publishing)
    for node in nodes:
        executor.add_node(node)
    estimates, subscription = _collect(listener, DoaEstimateArray, 'estimates')
    player = listener.node.create_publisher(AudioFrame, 'audio', 10)
    array_info = listener.node.create_publisher(MicArrayInfo, 'array_info', LATCHED)
    array_info.publish(bytes(info))
    ends = [subscription.get_publisher_count, player.get_subscription_count]
    ends += [s.get_publisher_count for n in nodes for s in n.subscriptions
             if s.topic_name.endswith(('array_info', 'audio', 'gcc_phat'))]  # fmt: skip
    ends += [p.get_subscription_count for n in nodes for p in n.publishers
             if p.topic.endswith(('gcc_phat', 'estimates'))]  # fmt: skip

    def spin():
        executor.spin_once(timeout_sec=0)
        return all(end() for end in ends)

    listener.spin_until(spin, 'a connection')
    with Reader(path) as reader:
        for number, (_, _, frame) in enumerate(reader.messages()):
            player.publish(bytes(frame))

            def answered(number=number):
                executor.spin_once(timeout_sec=0.005)
                # The first window is two frames long.
                return len(estimates) >= number

            listener.spin_until(answered, 'an estimate')
    executor.shutdown()
    publishing.close()
    for node in nodes:
        node.destroy_node()
    return estimates


def test_a_replay_gives_the_same_estimates(ros, listener, recording, require_model, tmp_path):
    require_model('cnn')
    audio, info, live = _live(ros, listener, recording)
    assert len(live) == len(audio) - 1 > 100
    _write(tmp_path / 'bag', audio)
    (file,) = (tmp_path / 'bag').glob('*.mcap')
    assert file.stat().st_size > 100 * 2400 * 8 * 4
    replayed = _replay(ros, listener, tmp_path / 'bag', info[-1])
    # Bit for bit, but for what lies between the fields: anything.
    assert _written(replayed) == _written(live)
    # Not because there was nothing.
    assert len({len(message) for message in live}) > 1


def _written(messages):
    """Return serialized estimates as text, which tells every double from every other."""
    return [repr(deserialize_message(message, DoaEstimateArray)) for message in messages]
