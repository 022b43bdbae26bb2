# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The QoS of all topics can be overridden by parameters."""

import pytest
from rclpy.qos import ReliabilityPolicy

# By node.
SUBSCRIBED = {
    'gcc_phat': ['array_info', 'audio'],
    'doa_estimator': ['array_info', 'gcc_phat'],
    'doa_tracker': ['array_info', 'detections'],
    'doa_markers': ['array_info', 'estimates', 'tracks'],
}


def _parameters(namespace, topics, end):
    keys = [f'qos_overrides.{namespace}/{topic}.{end}' for topic in topics]
    return {f'{key}.reliability': 'best_effort' for key in keys}


@pytest.mark.parametrize('mode', ['pipeline', 'nodes'])
def test_every_topic_can_be_made_best_effort(start, listener, namespace, scene, topics, mode):
    common = {'source': 'sim', 'scene': scene, 'loop': True, 'publish_audio': True}
    published = _parameters(namespace, sum(topics.values(), []), 'publisher')
    if mode == 'pipeline':
        start('doa_pipeline', method='srp_phat', **common, **published)
    else:
        for node in topics:
            subscribed = _parameters(namespace, SUBSCRIBED.get(node, []), 'subscription')
            more = common if node == 'audio_capture' else {}
            start(node, **({'method': 'srp_phat'} | more | published | subscribed))
    for topic in sum(topics.values(), []):
        listener.wait_for_publisher(topic)
        (end,) = listener.node.get_publishers_info_by_topic(f'{namespace}/{topic}')
        assert end.qos_profile.reliability == ReliabilityPolicy.BEST_EFFORT, topic
    if mode == 'nodes':
        for topic in sum(SUBSCRIBED.values(), []):
            listener.wait_for_subscriber(topic)
            ends = listener.node.get_subscriptions_info_by_topic(f'{namespace}/{topic}')
            assert {e.qos_profile.reliability for e in ends} == {ReliabilityPolicy.BEST_EFFORT}


@pytest.mark.parametrize(
    ('key', 'value', 'words'),
    [
        ('markers.publisher.reliability', 'sometimes', 'override for policy `reliability`'),
        ('markers.publisher.depth', 'deep', "expecting type 'INTEGER'"),
        ('markers.publisher.depth', -3, 'failed setting topic QoS'),
        ('tracks.subscription.history', 'keep_some', 'override for policy `history`'),
    ],
)
def test_an_override_that_is_none_gives_a_sentence(start, namespace, key, value, words):
    process = start('doa_markers', **{f'qos_overrides.{namespace}/{key}': value})
    assert process.end() == 1
    fatal = process.output.splitlines()[-1]
    assert '[FATAL]' in fatal and f'qos_overrides of {key.partition(".")[0]}: ' in fatal
    assert words in fatal
    assert 'Traceback' not in process.output
