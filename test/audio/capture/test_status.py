# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
from types import SimpleNamespace

import pytest

from doa_ros.audio.capture.device_source import CaptureState
from doa_ros.audio.capture.status import CaptureStatus
from doa_ros.core.monitoring import Level


def _status(*states):
    source = SimpleNamespace(device='micArray')
    watch = CaptureStatus(source)
    for state in states:
        source.state = state
        status = watch.status()
    return status


def test_a_capture_without_faults():
    status = _status(CaptureState(measured_rate=47999.96, queue_depth=1, lost_samples=5))
    assert (status.level, status.message) == (Level.OK, '')
    assert status.values == {
        'device': 'micArray',
        'measured rate [Hz]': '48000.0',
        'queued blocks': '1',
        'lost samples': '5',
        'overflows': '0',
        'dropped samples': '0',
        'restarts of the capture': '0',
    }


def test_a_device_that_is_gone_is_an_error_in_its_own_words():
    status = _status(CaptureState(), CaptureState(capturing=False, message='gone', restarts=2))
    assert status.level == Level.ERROR
    assert status.message.startswith('gone; 2 restarts of the capture in the last 5 s')


def test_a_device_that_was_chosen_among_several_is_a_warning():
    state = CaptureState(warning='2 devices match')
    status = _status(state)
    assert (status.level, status.message) == (Level.WARN, '2 devices match')
    assert status.values['device'] == 'micArray'


def test_a_device_that_was_never_there_has_no_name():
    source = SimpleNamespace(device='', state=CaptureState(capturing=False, message='away'))
    status = CaptureStatus(source).status()
    assert (status.level, status.message) == (Level.ERROR, 'away')
    assert status.values['device'] == 'none yet'


@pytest.mark.parametrize('what', ['overflows', 'dropped_samples'])
def test_losses_are_a_warning(what):
    status = _status(CaptureState(), CaptureState(**{what: 3}))
    assert status.level == Level.WARN
    assert status.message.startswith(f'3 {what.replace("_", " ")} in the last 5 s: this computer')
