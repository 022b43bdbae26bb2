# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The file for diagnostic_aggregator groups what the nodes say, in any namespace."""

from pathlib import Path

from diagnostic_msgs.msg import DiagnosticArray
import pytest
import yaml

FILE = Path(__file__).resolve().parents[2] / 'config' / 'diagnostics.yaml'
NODES = {
    'audio_capture',
    'gcc_phat',
    'doa_estimator',
    'doa_tracker',
    'doa_markers',
    'doa_dashboard',
    'doa_foxglove',
}
# What the GenericAnalyzer documents: how it chooses by name, and its other keys.
_CHOOSE = {
    'contains': lambda name, text: text in name,
    'startswith': lambda name, text: name.startswith(text),
    'find_and_remove_prefix': lambda name, text: name.startswith(text),
}
_OTHER = {'type': str, 'path': str, 'timeout': float}


@pytest.fixture
def analyzers():
    (node, content), *rest = yaml.safe_load(FILE.read_text()).items()
    assert (node, list(content), rest) == ('analyzers', ['ros__parameters'], [])
    parameters = content['ros__parameters']
    assert isinstance(parameters.pop('path'), str)
    return parameters


def _chooses(analyzer, name):
    return any(
        chooses(name, text) for key, chooses in _CHOOSE.items() for text in analyzer.get(key, ())
    )


def test_the_analyzers_are_of_the_documented_form(analyzers):
    for analyzer in analyzers.values():
        assert set(_OTHER) <= set(analyzer) <= set(_OTHER) | set(_CHOOSE)
        assert all(isinstance(analyzer[key], kind) for key, kind in _OTHER.items())
        assert analyzer['type'] == 'diagnostic_aggregator/GenericAnalyzer'
        for key in set(_CHOOSE) & set(analyzer):
            assert all(isinstance(text, str) for text in analyzer[key])


def test_two_arrays_are_told_apart_and_grouped(talk, every_node, analyzers):
    names = set()

    def on(message):
        names.update(status.name for status in message.status)

    with talk() as (start_left, left), talk() as (start_right, right):
        left.node.create_subscription(DiagnosticArray, '/diagnostics', on, 50)
        for start in (start_left, start_right):
            every_node(start)
        places = {listener.node.get_namespace() for listener in (left, right)}
        wanted = {f'{place}/{node}: health' for place in places for node in NODES}
        left.spin_until(lambda: wanted <= names, 'all of both arrays')
    assert len(wanted) == 2 * len(NODES)
    for name in wanted:
        assert [_chooses(analyzer, name) for analyzer in analyzers.values()].count(True) == 1
    for foreign in ('/camera: health', 'joy_node: Joystick', '/audio_capture_2: health'):
        assert not any(_chooses(analyzer, foreign) for analyzer in analyzers.values())
