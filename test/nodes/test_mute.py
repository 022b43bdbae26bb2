# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A robot that speaks itself mutes the estimator meanwhile."""

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
import pytest
from std_srvs.srv import SetBool

from doa_ros.headers import stamp_of
from doa_ros.msg import DoaEstimateArray, DoaTrackArray


@pytest.mark.parametrize('mode', ['pipeline', 'nodes'])
def test_who_is_muted_answers_nothing_and_says_so(start, listener, recording, mode):
    source = {'source': 'file', 'file': str(recording), 'loop': True}
    # It answers always, so that there is something to mute.
    method = {'method': 'srp_phat', 'sensitivity': 1.0}
    heard = {
        name: listener.collect(message_type, name)
        for name, message_type in {
            'estimates': DoaEstimateArray,
            'detections': DoaEstimateArray,
            'tracks': DoaTrackArray,
        }.items()
    }
    board = []

    def on(message):
        board.extend(s for s in message.status if s.name.endswith('/doa_estimator: health'))

    listener.node.create_subscription(DiagnosticArray, '/diagnostics', on, 50)
    if mode == 'pipeline':
        start('doa_pipeline', **method, **source)
    else:
        start('gcc_phat', method='srp_phat')
        start('doa_estimator', **method)
        start('doa_tracker')
        start('audio_capture', publish_audio=True, **source)
    client = listener.node.create_client(SetBool, 'doa_estimator/enable')
    listener.spin_until(client.service_is_ready, 'the service')

    def enable(on):
        """Ask for it, and forget what was on its way."""
        answer = listener.answer(client.call_async(SetBool.Request(data=on)))
        listener.spin(0.5)
        for messages in (*heard.values(), board):
            del messages[:]
        return answer

    def muted():
        return {v.value for status in board[-1:] for v in status.values if v.key == 'muted'}

    def answers():
        return all(
            any(m.estimates for m in heard[name]) for name in ('estimates', 'detections')
        ) and any(m.tracks for m in heard['tracks'])

    listener.spin_until(answers, 'answers')
    listener.spin_until(lambda: muted() == {'no'}, 'diagnostics')
    answer = enable(False)
    assert (answer.success, answer.message) == (True, 'muted')
    listener.spin_until(lambda: len(heard['estimates']) > 70 and board, 'messages')
    assert not any(m.estimates for name in ('estimates', 'detections') for m in heard[name])
    # As after any other pause.
    assert not heard['tracks'][-1].tracks
    stamps = [stamp_of(m.header) for m in heard['estimates']]
    assert max(b - a for a, b in zip(stamps, stamps[1:], strict=False)) < 1.5 * 50_000_000
    assert muted() == {'yes'}
    assert board[-1].level == DiagnosticStatus.OK
    assert 'muted: the service ~/enable makes it answer again' in board[-1].message
    assert enable(False).message == 'is muted already'
    assert enable(True).message == 'answers again'
    listener.spin_until(answers, 'answers again')
    listener.spin_until(lambda: muted() == {'no'}, 'diagnostics')
    assert enable(True).message == 'answers already'
