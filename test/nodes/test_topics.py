# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Which topics are published, and when."""

import sys
import threading

import numpy as np
import pytest
import rclpy
from rclpy.publisher import Publisher
from visualization_msgs.msg import MarkerArray

from doa_ros.conversions import stamp_of
from doa_ros.core.geometry import wrap_angle
from doa_ros.msg import AudioFrame, DoaEstimateArray, DoaSpectrum, GccPhat
from doa_ros.nodes.doa_pipeline_node import make_nodes

_ON_DEMAND = {
    'audio': AudioFrame,
    'gcc_phat': GccPhat,
    'spectrum': DoaSpectrum,
    'markers': MarkerArray,
}


@pytest.mark.parametrize('wanted', [[], ['audio'], ['gcc_phat'], ['spectrum', 'markers']])
def test_large_messages_cross_dds_only_while_someone_listens(
    monkeypatch, namespace, recording, wanted
):
    arguments = ['-r', f'__ns:={namespace}', '-p', 'method:=srp_phat', '-p', 'source:=file']
    arguments += ['-p', f'file:={recording}', '-p', 'real_time:=false']
    monkeypatch.setattr(sys, 'argv', ['doa_pipeline', '--ros-args', *arguments])
    published = []
    publish = Publisher.publish

    def spy(self, message):
        published.append(self.topic_name.rpartition('/')[2])
        publish(self, message)

    monkeypatch.setattr(Publisher, 'publish', spy)
    rclpy.init()
    nodes = make_nodes()
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
        for node in nodes:
            node.destroy_node()
        rclpy.shutdown()
    assert published.count('estimates') > 100
    assert {topic for topic in _ON_DEMAND if topic in published} == set(wanted)


def test_topics_of_the_pipeline_are_those_of_the_nodes(start, listener, scene):
    start('doa_pipeline', source='sim', scene=scene, method='srp_phat')
    topics = ['array_info', 'audio', 'estimates', 'gcc_phat', 'markers', 'spectrum', 'truth']
    for topic in topics:
        listener.wait_for_publisher(topic)


def test_simulation_says_the_truth(start, listener, scene):
    truth = listener.collect(DoaEstimateArray, 'truth')
    estimates = listener.collect(DoaEstimateArray, 'estimates')
    process = start('doa_pipeline', source='sim', scene=scene, loop=True, method='srp_phat')
    listener.wait_for_publisher('truth')
    listener.spin_until(
        lambda: sum(bool(message.estimates) for message in truth) > 30, 'truth about a voice'
    )
    assert process.stop() == 0
    assert not truth[0].estimates, 'nobody speaks at the beginning'
    true_azimuths = {
        stamp_of(message.header): message.estimates[0].azimuth
        for message in truth
        if message.estimates
    }
    errors = [
        abs(wrap_angle(message.estimates[0].azimuth - true_azimuths[stamp_of(message.header)]))
        for message in estimates
        if message.estimates and stamp_of(message.header) in true_azimuths
    ]
    assert len(errors) > 10
    assert np.median(errors) < np.radians(10)
