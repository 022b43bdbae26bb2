# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Parameters: what is declared is described, bounded, listed and kept."""

import dataclasses
import math
from pathlib import Path
import re

import pytest
from rcl_interfaces.msg import ParameterType
from visualization_msgs.msg import Marker, MarkerArray
import yaml

from doa_ros.core.features.config import FeatureConfig
from doa_ros.core.localization.compatibility import default_features
from doa_ros.msg import DoaEstimateArray
from doa_ros.nodes.configs import NODES, settings

ROOT = Path(__file__).resolve().parents[2]
DYNAMIC = {
    'sensitivity',
    'report_stationary',
    'markers.arrow_length',
    'markers.trail_duration',
}
_TYPES = {
    bool: ParameterType.PARAMETER_BOOL,
    int: ParameterType.PARAMETER_INTEGER,
    float: ParameterType.PARAMETER_DOUBLE,
    str: ParameterType.PARAMETER_STRING,
}
# What every ROS node has.
_FOREIGN = ('use_sim_time', 'start_type_description_service', 'qos_overrides.')


@pytest.fixture(scope='module')
def running(talk, every_node):
    """A pipeline at work: all nodes, and a client that talks to them."""
    with talk() as (start, listener):
        process = every_node(start)
        estimates = listener.collect(DoaEstimateArray, 'estimates')
        listener.spin_until(lambda: estimates, 'an estimate')
        yield listener, estimates
        assert process.stop() == 0
        assert 'Traceback' not in process.output


@pytest.fixture
def default_settings(uma8, require_model):
    """All parameters as they are where nothing is set."""
    defaults = {name: field.default for name, field in settings().items()}
    features = default_features(uma8, require_model('cnn')).to_mapping()
    return defaults | {f'features.{name}': value for name, value in features.items()}


def test_parameter_file_lists_every_parameter_with_its_default(default_settings, flat):
    text = (ROOT / 'config' / 'doa.yaml').read_text()
    features = [field.name for field in dataclasses.fields(FeatureConfig)]
    assert 'features' not in yaml.safe_load(text)['/**']['ros__parameters']
    # Those of the features depend on the model, two on the launch: they are written as comments.
    commented = rf'^    # (loop:|publish_audio:|features:|  (?:{"|".join(features)}):)'
    content = yaml.safe_load(re.sub(commented, r'    \1', text, flags=re.MULTILINE))
    declared = default_settings
    assert list(content) == ['/**'] and list(content['/**']) == ['ros__parameters']
    listed = flat(content['/**']['ros__parameters'])
    assert listed == declared
    # 1 is not 1.0 for a ROS parameter.
    assert {n: type(v) for n, v in listed.items()} == {n: type(v) for n, v in declared.items()}


@pytest.mark.parametrize('node', list(NODES))
def test_every_parameter_is_described(running, node):
    listener, _ = running
    client = listener.parameters(node)
    names = listener.answer(client.list_parameters()).result.names
    names = sorted(name for name in names if not name.startswith(_FOREIGN))
    fields = settings([node])
    assert names == sorted(fields)
    for descriptor in listener.answer(client.describe_parameters(names)).descriptors:
        field = fields[descriptor.name]
        rules = field.metadata
        assert descriptor.type == _TYPES[type(field.default)]
        assert len(descriptor.description) > 10
        assert descriptor.read_only == (descriptor.name not in DYNAMIC)
        ranges = [*descriptor.floating_point_range, *descriptor.integer_range]
        assert len(ranges) == (type(field.default) in (int, float))
        for bounds in ranges:
            assert (bounds.from_value, bounds.to_value) == (rules['minimum'], rules['maximum'])
        for choice in rules['choices'] or ():
            assert choice in descriptor.additional_constraints


def test_a_whole_number_is_a_number(start, listener):
    process = start('doa_markers', **{'markers.arrow_length': 2})
    assert listener.get('doa_markers', 'markers.arrow_length') == 2.0
    assert process.stop() == 0


@pytest.mark.parametrize(
    ('node', 'name', 'value'),
    [
        ('audio_capture', 'frame_id', 'other'),
        ('audio_capture', 'loop', False),
        ('gcc_phat', 'features.window', 0.2),
        ('gcc_phat', 'features.lag_count', 15),
        ('doa_estimator', 'method', 'cnn'),
        ('doa_tracker', 'tracker.gate_sigma', 4.0),
    ],
)
def test_fixed_parameters_refuse_changes(running, node, name, value):
    listener, _ = running
    accepted, reason = listener.set(node, name, value)
    assert not accepted
    assert 'read-only' in reason


@pytest.mark.parametrize(
    ('node', 'name', 'value'),
    [
        ('doa_estimator', 'sensitivity', math.nan),
        ('doa_estimator', 'sensitivity', 1.01),
        ('doa_estimator', 'sensitivity', -0.1),
        ('doa_estimator', 'sensitivity', math.inf),
        ('doa_estimator', 'sensitivity', 1),
        ('doa_estimator', 'sensitivity', 'high'),
        ('doa_markers', 'markers.arrow_length', math.nan),
        ('doa_markers', 'markers.arrow_length', 0.0),
        ('doa_markers', 'markers.arrow_length', 1e6),
        ('doa_markers', 'markers.arrow_length', True),
    ],
)
def test_bad_values_are_refused(running, node, name, value):
    listener, _ = running
    before = listener.get(node, name)
    accepted, reason = listener.set(node, name, value)
    assert not accepted
    assert reason
    assert listener.get(node, name) == before


def test_sensitivity_decides_what_is_heard(running):
    listener, estimates = running

    def heard(sensitivity, wanted):
        accepted, reason = listener.set('doa_estimator', 'sensitivity', sensitivity)
        assert accepted, reason
        # What was computed before is on its way still.
        listener.spin(0.5)
        del estimates[:]
        listener.spin_until(lambda: len(estimates) >= 20, 'twenty estimates')
        return {bool(message.estimates) for message in estimates} == {wanted}

    assert heard(1.0, True)
    assert heard(0.0, False)
    assert heard(1.0, True)


def test_arrow_length_changes(running):
    listener, _ = running
    assert listener.set('doa_estimator', 'sensitivity', 1.0)[0]
    markers = listener.collect(MarkerArray, 'markers')

    def lengths():
        return [m.scale.x for a in markers for m in a.markers if m.action == Marker.ADD]

    assert listener.set('doa_markers', 'markers.arrow_length', 50.0)[0]
    assert listener.get('doa_markers', 'markers.arrow_length') == 50.0
    listener.spin_until(lambda: any(length >= 15 for length in lengths()), 'a long arrow')
