# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What the nodes say on /diagnostics, through DDS."""

import os

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
import numpy as np
import pytest
import soundfile

from doa_ros.conversions.audio import make_header
from doa_ros.headers import stamp_of
from doa_ros.msg import AudioFrame, GccPhat
from doa_ros.nodes.configs import settings

NODES = ('audio_capture', 'gcc_phat', 'doa_estimator', 'doa_tracker', 'doa_markers')


class Board:
    """The newest status of every node of a namespace."""

    def __init__(self, listener, namespace):
        self._namespace = namespace
        self.newest, self.stamps = {}, {}
        listener.node.create_subscription(DiagnosticArray, '/diagnostics', self._on, 50)

    def _on(self, message):
        for status in message.status:
            if status.hardware_id == self._namespace:
                full_name, _, part = status.name.partition(': ')
                assert part == 'health'
                place, _, name = full_name.rpartition('/')
                assert place == self._namespace
                self.newest[name] = status
                self.stamps.setdefault(name, []).append(stamp_of(message.header))

    def value(self, node, key):
        status = self.newest.get(node)
        values = {v.key: v.value for v in status.values} if status else {}
        return values.get(key)

    def message(self, node):
        status = self.newest.get(node)
        return status.message if status else ''

    def level(self, node):
        return self.newest[node].level if node in self.newest else None


@pytest.fixture
def board(listener, namespace):
    return Board(listener, namespace)


def _number(text):
    return float(text) if text is not None else np.nan


def test_all_is_well(start, listener, board, scene, require_model):
    require_model('cnn')
    start('doa_pipeline', source='sim', scene=scene, loop=True)

    def well():
        return (
            set(board.newest) == set(NODES)
            and all(board.level(node) == DiagnosticStatus.OK for node in NODES)
            and 19 < _number(board.value('doa_estimator', 'estimates [1/s]')) < 21
            # A busy machine may play late, and then catches up.
            and 47000 < _number(board.value('audio_capture', 'samples [1/s]')) < 49000
        )

    listener.spin_until(well, 'all well')
    assert board.message('audio_capture') == 'all channels are well'
    assert -90 < _number(board.value('audio_capture', 'channel 1 (ring_1) [dBFS]')) < -20
    assert board.value('audio_capture', 'channel 7 [dBFS]') == '-inf'
    median = _number(board.value('doa_estimator', 'inference p50 [ms]'))
    assert 0 < median <= _number(board.value('doa_estimator', 'inference p95 [ms]'))
    for node in NODES[1:]:
        assert board.value(node, 'rejected messages') == '0'
    assert board.value('gcc_phat', 'dead microphones') == 'none'
    # Once a second, however busy the machine is on average.
    for stamps in board.stamps.values():
        assert np.median(np.diff(stamps)) / 1e9 == pytest.approx(1, abs=0.3)


def test_a_dead_microphone_is_told_and_left_out(start, listener, board, samples, uma8, tmp_path):
    broken = samples.copy()
    broken[:, 3] = 0
    path = tmp_path / 'broken.wav'
    soundfile.write(path, broken, uma8.sampling_frequency, subtype='PCM_32')
    features = listener.collect(GccPhat, 'gcc_phat')
    start('doa_pipeline', source='file', file=str(path), loop=True, method='srp_phat')
    listener.spin_until(
        lambda: (
            board.value('gcc_phat', 'dead microphones') == 'ring_3'
            and 'channel 3 (ring_3) is dead' in board.message('audio_capture')
        ),
        'the dead microphone told of',
    )
    assert board.level('audio_capture') == board.level('gcc_phat') == DiagnosticStatus.WARN
    listener.spin_until(lambda: features, 'features')
    dead = (uma8.pairs == 2).any(axis=1)
    gcc = np.array(features[-1].data).reshape(len(dead), -1)
    assert not gcc[dead].any() and gcc[~dead].any(axis=1).all()


def test_a_device_that_goes_and_comes_back(
    virtual_uma8, start, listener, board, samples, tmp_path
):
    path = tmp_path / 'uma8.raw'
    np.tile(samples, (20, 1)).tofile(path)
    with virtual_uma8(path) as card:
        start('doa_pipeline', source='device', method='srp_phat')

        def well():
            rate = _number(board.value('audio_capture', 'measured rate [Hz]'))
            return board.level('audio_capture') == DiagnosticStatus.OK and 47000 < rate < 49000

        listener.spin_until(well, 'all well')
        assert board.value('audio_capture', 'device') == 'micArray RAW SPK'
        for count in ('overflows', 'dropped samples', 'queued blocks', 'lost samples'):
            assert board.value('audio_capture', count).isdecimal()
        card.unplug()
        listener.spin_until(
            lambda: 'capture goes on when it is back' in board.message('audio_capture'), 'an error'
        )
        assert board.level('audio_capture') == DiagnosticStatus.ERROR
        card.plug()
        listener.spin_until(well, 'all well again')
        assert _number(board.value('audio_capture', 'restarts of the capture')) > 0


def test_who_waits_says_so(start, listener, board, uma8):
    process = start('gcc_phat', method='srp_phat')
    listener.spin_until(lambda: 'gcc_phat' in board.newest, 'its status')
    assert board.level('gcc_phat') == DiagnosticStatus.WARN
    assert board.message('gcc_phat') == 'waiting for array_info: is audio_capture running?'
    listener.spin(2.5)
    listener.publish_array(uma8)
    words = 'no audio arrives: is audio_capture running?'
    listener.spin_until(lambda: board.message('gcc_phat') == words, 'the next status')
    assert process.stop() == 0
    assert process.output.count('waiting for') == 1


def test_rejected_messages_and_missing_ones_are_told(start, listener, board, uma8):
    start('gcc_phat', method='srp_phat')
    listener.publish_array(uma8)
    publisher = listener.node.create_publisher(AudioFrame, 'audio', 10)
    listener.wait_for_subscriber('audio')
    stamp = listener.node.get_clock().now().nanoseconds
    bad = AudioFrame(header=make_header(stamp, 'mic_array'), format='mp3')
    listener.publish_until(
        lambda: _number(board.value('gcc_phat', 'rejected messages')) > 0,
        publisher,
        bad,
        'a rejected message counted',
    )
    assert board.level('gcc_phat') == DiagnosticStatus.WARN
    assert 'rejected messages in the last 5 s' in board.message('gcc_phat')
    # It is told for some seconds; that no audio comes goes on.
    listener.spin_until(
        lambda: board.message('gcc_phat') == 'no audio arrives: is audio_capture running?',
        'the rest told of',
    )


# As in Jazzy: a node that uses it has parameters of its own.
_UPDATER = """
class Updater:
    def __init__(self, node, period=1.0):
        node.declare_parameter('diagnostic_updater.period', period)
        node.declare_parameter('diagnostic_updater.use_fqn', False)

    def setHardwareID(self, hardware_id):
        pass

    def add(self, *task):
        pass
"""


def test_an_installed_diagnostic_updater_changes_nothing(
    start, listener, board, monkeypatch, tmp_path
):
    (tmp_path / 'diagnostic_updater.py').write_text(_UPDATER)
    monkeypatch.setenv('PYTHONPATH', f'{tmp_path}:{os.environ["PYTHONPATH"]}')
    start('doa_tracker')
    names = listener.answer(listener.parameters('doa_tracker').list_parameters()).result.names
    own = [name for name in names if name in settings()]
    assert set(own) == set(settings(['doa_tracker']))
    assert not [name for name in names if name.startswith('diagnostic_updater')]
    listener.spin_until(lambda: 'doa_tracker' in board.newest, 'its status')
