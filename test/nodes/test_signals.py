# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Signals end every executable at any time: with status 0, without a traceback, at once."""

from importlib.util import find_spec
import signal
import time

import pytest

# The last sentence that each writes while it starts.
_STARTED = {
    'audio_capture': 'the sound comes from',
    'gcc_phat': 'features of',
    'doa_estimator': 'directions by',
    'doa_tracker': 'tracks of talkers',
    'doa_markers': 'for RViz',
    'doa_dashboard': 'the page is at',
    'doa_foxglove': 'Foxglove connects to',
    'doa_pipeline': 'the sound comes from',
}
if find_spec('foxglove') is None:
    del _STARTED['doa_foxglove']
# The parameter that is a port, of those that serve something.
_PORTS = {'doa_dashboard': 'port', 'doa_foxglove': 'foxglove_port'}
# The promise [s]; twice that for a busy machine.
_LIMIT = 10.0

_SEQUENCES = {
    'SIGINT': [signal.SIGINT],
    'SIGINT twice': [signal.SIGINT, signal.SIGINT],
    'SIGTERM': [signal.SIGTERM],
}


def _parameters(executable, recording):
    if executable in ('audio_capture', 'doa_pipeline'):
        common = {'source': 'file', 'file': str(recording), 'loop': True}
        common['publish_audio'] = True
        return common if executable == 'audio_capture' else {**common, 'method': 'srp_phat'}
    if executable in _PORTS:
        return {_PORTS[executable]: 0}
    return {'method': 'srp_phat'} if executable == 'doa_estimator' else {}


def _send(process, numbers):
    for number in numbers:
        process.send(number)
        time.sleep(0.03)


def _check_end(process):
    assert process.end(_LIMIT) == 0, process.output
    assert 'Traceback' not in process.output
    assert 'Exception' not in process.output


@pytest.mark.parametrize(
    'sequence', ['SIGINT twice', 'SIGTERM', pytest.param('SIGINT', marks=pytest.mark.nightly)]
)
def test_signal_to_running_nodes(start, recording, sequence):
    running = [start(name, **_parameters(name, recording)) for name in _STARTED]
    for process in running:
        process.wait_for(_STARTED[process.executable])
    time.sleep(0.5)
    for process in running:
        _send(process, _SEQUENCES[sequence])
    for process in running:
        _check_end(process)


@pytest.mark.parametrize(
    ('sequence', 'delay'),
    [
        ('SIGTERM', 0.0),
        ('SIGINT twice', 0.3),
        ('SIGTERM', 0.8),
        pytest.param('SIGINT twice', 0.0, marks=pytest.mark.nightly),
        pytest.param('SIGTERM', 0.3, marks=pytest.mark.nightly),
        pytest.param('SIGINT twice', 0.8, marks=pytest.mark.nightly),
    ],
)
def test_signal_while_nodes_start(start, recording, sequence, delay):
    starting = []
    for name in _STARTED:
        process = start(name, **_parameters(name, recording))
        # Before, Python itself has not started yet.
        process.wait_until_it_catches(signal.SIGTERM)
        starting.append(process)
    time.sleep(delay)
    for process in starting:
        try:
            _send(process, _SEQUENCES[sequence])
        except ProcessLookupError:
            pass  # The first was enough.
    for process in starting:
        _check_end(process)


def test_signal_while_a_scene_is_rendered(start):
    process = start('audio_capture', source='sim', publish_audio=True)
    process.wait_until_it_catches(signal.SIGTERM)
    time.sleep(1.5)
    process.send(signal.SIGINT)
    _check_end(process)
