# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Node `doa_foxglove`, in the pipeline and alone: what Foxglove is told, and when."""

import re
import sys

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
import numpy as np
import pytest

pytest.importorskip('foxglove', reason='Foxglove needs foxglove-sdk')
pytest.importorskip('aiohttp', reason='a client that connects')

from foxglove_fixtures import Client  # noqa: E402

from doa_ros.core.geometry import wrap_angle  # noqa: E402
from doa_ros.nodes import doa_foxglove_node  # noqa: E402

# Where the recording of these tests has its sound [rad].
_AZIMUTH = np.radians(70)
_HEAVY = ['audio', 'spectrum', 'estimates', 'tracks']
_LIBRARY = '_foxglove_py'


def _port(process):
    process.wait_for('Foxglove connects to')
    return int(re.search(r'Foxglove connects to ws://127.0.0.1:(\d+)\n', process.output)[1])


@pytest.mark.parametrize('mode', ['pipeline', 'alone'])
def test_foxglove_is_told_everything_while_somebody_looks(start, listener, recording, mode):
    source = {'source': 'file', 'file': str(recording), 'loop': True, 'method': 'srp_phat'}
    if mode == 'pipeline':
        arguments = ['--dashboard', '--foxglove']
        process = start('doa_pipeline', arguments=arguments, port=0, foxglove_port=0, **source)
    else:
        pipeline = start('doa_pipeline', publish_audio=True, **source)
        process = start('doa_foxglove', foxglove_port=0)
    counts = listener.node.count_subscribers
    port = _port(process)
    with Client(port) as client:
        topics = {f'/scene/{name}' for name in ('array', 'estimates', 'tracks', 'spectrum')}
        topics |= {'/estimates', '/tracks', '/levels'}
        listener.spin_until(lambda: topics == client.messages.keys(), 'all channels')

        def rows():
            return [row for _, found in client.messages['/tracks'] for row in found['tracks']]

        listener.spin_until(lambda: len(rows()) > 10, 'a talker')
        if mode == 'alone':
            assert all(counts(topic) >= 1 for topic in _HEAVY)
    azimuth = np.radians(np.median([row['azimuth_deg'] for row in rows()]))
    assert np.abs(wrap_angle(azimuth - _AZIMUTH)) < np.radians(10)
    _, scene = client.messages['/scene/array'][0]
    assert scene.entities[0].frame_id == 'mic_array'
    assert client.info['name'] == listener.node.get_namespace()
    # Nobody looks any more: what is heavy does not come any more.
    listener.spin_until(lambda: not any(map(counts, _HEAVY)), 'no subscriptions')
    if mode == 'alone':
        # Most robots do without: nothing is loaded for it, nor for the live page.
        libraries = [line for line in pipeline.maps() if _LIBRARY in line or 'aiohttp' in line]
        assert libraries == []
        assert any(_LIBRARY in line for line in process.maps())
    assert process.stop() == 0
    assert 'Traceback' not in process.output


def test_a_port_that_is_taken_is_a_warning(start, listener, namespace, uma8):
    listener.publish_array(uma8)
    first = start('doa_foxglove', foxglove_port=0)
    statuses = listener.collect(DiagnosticArray, '/diagnostics')
    # Its name first, for the process gives arguments of its own.
    arguments = ['--ros-args', '-r', '__node:=second', '--']
    second = start('doa_foxglove', arguments=arguments, foxglove_port=_port(first))
    second.wait_for('Foxglove cannot connect')

    def warned():
        found = [s for message in statuses for s in message.status]
        return [s for s in found if s.name == f'{namespace}/second: health' and s.level != b'\0']

    listener.spin_until(lambda: any('foxglove_port' in s.message for s in warned()), 'a warning')
    assert {s.level for s in warned()} == {DiagnosticStatus.WARN}
    assert first.stop() == 0
    # The port is free again.
    second.wait_for('Foxglove connects to')
    assert second.stop() == 0


def _refusal(monkeypatch, capfd, *arguments):
    """Run main() in this process; return the line with which it ends."""
    monkeypatch.setattr(sys, 'argv', ['doa_foxglove', *arguments])
    assert doa_foxglove_node.main() == 1
    lines = capfd.readouterr().err.splitlines()
    assert not any('Traceback' in line for line in lines)
    assert '[FATAL]' in lines[-1]
    return lines[-1]


def test_without_the_sdk_it_says_what_to_install(monkeypatch, capfd):
    monkeypatch.setitem(sys.modules, 'foxglove', None)
    line = _refusal(monkeypatch, capfd)
    assert 'need foxglove-sdk: python3 -m pip install foxglove-sdk' in line


def test_a_host_that_is_none_is_refused(monkeypatch, capfd):
    line = _refusal(monkeypatch, capfd, '--ros-args', '-p', 'host:=""')
    assert 'host must not be empty' in line
