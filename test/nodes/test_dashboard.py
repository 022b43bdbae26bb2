# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Node `doa_dashboard`, in the pipeline and alone: what a page is told, and what it may do."""

import asyncio
import contextlib
from functools import partial
import json
import re
import sys
import threading
import time

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
import numpy as np
import pytest
from rcl_interfaces.msg import Log
import rclpy
from rclpy.qos import DurabilityPolicy, QoSProfile

aiohttp = pytest.importorskip('aiohttp', reason='the live page needs aiohttp')

from doa_ros.core.geometry import wrap_angle  # noqa: E402
from doa_ros.nodes import doa_dashboard_node  # noqa: E402
from doa_ros.nodes.doa_pipeline_node import make_nodes  # noqa: E402
from doa_ros.nodes.publishing_thread import PublishingThread  # noqa: E402

# Where the recording of these tests has its sound [rad].
_AZIMUTH = np.radians(70)
_HEAVY = ['audio', 'gcc_phat', 'spectrum', 'estimates', 'tracks']


class _Page:
    """A page that is open, in a thread: the newest frame and status, and what they have been."""

    def __init__(self, port):
        self._url = f'http://127.0.0.1:{port}'
        self._stop = threading.Event()
        self.frame, self.status, self.azimuths = {}, {}, []
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join(10)

    async def _run(self):
        count = 0
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(f'{self._url}/live', headers={'Origin': self._url}) as page,
        ):
            while not self._stop.is_set():
                message = json.loads(await page.receive_bytes())
                count += 1
                await page.send_str(str(count))
                self.status = message.get('status', self.status)
                if 'frame' in message:
                    self.frame = message['frame']
                    self.azimuths += [t['azimuth'] for t in self.frame.get('tracks', [])]

    def ask(self, action, token, **content):
        """Ask for an action; return the status and what is said."""

        async def run():
            headers = {'Origin': self._url, 'Authorization': f'Bearer {token}'}
            async with (
                aiohttp.ClientSession() as session,
                session.post(f'{self._url}/{action}', json=content, headers=headers) as response,
            ):
                return response.status, (await response.json())['said']

        return asyncio.run(run())


def _port(process):
    process.wait_for('the page is at')
    return int(re.search(r'the page is at http://127.0.0.1:(\d+)/', process.output)[1])


@pytest.fixture
def play(start, recording):
    """Start the nodes on the recording, in one process or each in its own; return the page's."""

    def run(mode, **parameters):
        source = {'source': 'file', 'file': str(recording), 'loop': True, 'method': 'srp_phat'}
        if mode == 'pipeline':
            return start('doa_pipeline', arguments=['--dashboard'], port=0, **source, **parameters)
        start('doa_pipeline', publish_audio=True, **source)
        return start('doa_dashboard', port=0, **parameters)

    return run


@pytest.mark.parametrize('mode', ['pipeline', 'alone'])
def test_a_page_is_told_everything(play, listener, mode):
    process = play(mode)
    counts = listener.node.count_subscribers
    with _Page(_port(process)) as page:
        parts = {'stamp', 'latency', 'estimates', 'tracks', 'spectrum', 'gcc_phat', 'levels'}
        listener.spin_until(lambda: parts <= set(page.frame), 'all parts of a frame')
        nodes = {
            *('audio_capture', 'gcc_phat', 'doa_estimator', 'doa_tracker', 'doa_markers'),
            'doa_dashboard',
        }
        listener.spin_until(
            lambda: {node['node'] for node in page.status['nodes']} == nodes, 'all nodes'
        )
        listener.spin_until(lambda: page.status['sensitivity'] == 0.5, 'the sensitivity')
        listener.spin_until(lambda: page.status['channels'], 'levels')
        listener.spin_until(lambda: len(page.azimuths) > 10, 'a talker')
        frame, status = page.frame, page.status
        if mode == 'alone':
            assert all(counts(topic) >= 1 for topic in _HEAVY)
    assert np.abs(wrap_angle(np.median(page.azimuths) - _AZIMUTH)) < np.radians(10)
    assert (frame['gcc_phat']['rows'], len(frame['levels'])) == (15, 8)
    assert frame['spectrum']['columns'] == 72
    assert 0 <= frame['latency'] < 5
    assert status['array']['name'] == 'uma8'
    assert [c['label'] for c in status['channels']][1] == 'ring_1'
    assert 0 < status['processor']['process'] < 10
    assert status['actions'] == []
    assert not status['recording']['running']
    # Nobody looks any more: what is heavy does not come any more.
    listener.spin_until(lambda: not any(map(counts, _HEAVY)), 'no subscriptions')


def test_with_the_token_a_page_sets_the_sensitivity_and_mutes(play, listener):
    kept = QoSProfile(depth=100, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    logged = listener.collect(Log, '/rosout', kept)
    process = play('pipeline', allow_control=True)
    port = _port(process)
    process.wait_for('with control: ')
    token = re.search(r'doa_dashboard: with control: \S+#token=(\S+)', process.output)[1]
    with _Page(port) as page:
        listener.spin_until(lambda: page.status.get('sensitivity') == 0.5, 'the sensitivity')
        assert page.status['actions'] == ['sensitivity', 'mute']

        def muted():
            values = {n['node']: n['values'] for n in page.status['nodes']}
            return values.get('doa_estimator', {}).get('muted')

        listener.spin_until(lambda: muted() == 'no', 'diagnostics')
        assert page.ask('sensitivity', 'wrong', value=0.9)[0] == 401
        assert page.ask('sensitivity', token, value=0.9) == (200, 'sensitivity 0.9')
        assert listener.get('doa_estimator', 'sensitivity') == 0.9
        listener.spin_until(lambda: page.status['sensitivity'] == 0.9, 'the new one')
        for value in (1.5, 'high', None, True):
            status, said = page.ask('sensitivity', token, value=value)
            assert (status, said[:11]) == (409, 'sensitivity')
        assert page.ask('mute', token, value=True) == (200, 'muted')
        listener.spin_until(lambda: muted() == 'yes', 'mute')
        assert page.ask('mute', token, value=False) == (200, 'answers again')
        assert page.ask('mute', token)[0] == 409
    # What a node logs, every other node can read.
    assert any('the page is at' in entry.msg for entry in logged)
    assert not any(token in entry.msg for entry in logged)


def test_an_estimator_that_is_not_there(start, listener, uma8):
    process = start('doa_dashboard', port=0, allow_control=True)
    port = _port(process)
    process.wait_for('#token=')
    token = re.search(r'#token=(\S+)', process.output)[1]
    with _Page(port) as page:
        listener.spin_until(lambda: page.status, 'a status')
        assert page.status['sensitivity'] is None
        assert page.status['array'] is None
        assert page.frame == {}
        assert page.ask('mute', token, value=True) == (409, 'doa_estimator does not run')
        listener.publish_array(uma8)
        listener.spin_until(lambda: page.status['array'], 'the array')
    assert process.stop() == 0
    assert 'Traceback' not in process.output


@pytest.fixture
def chain(monkeypatch, namespace, recording):
    """Run the pipeline with a page in this process; return the node and its array."""
    with contextlib.ExitStack() as stack:

        def run(*parameters):
            arguments = ['-r', f'__ns:={namespace}', '-p', 'source:=file', '-p', 'loop:=true']
            arguments += ['-p', f'file:={recording}', '-p', 'method:=srp_phat', '-p', 'port:=0']
            arguments += [text for p in parameters for text in ('-p', p)]
            monkeypatch.setattr(sys, 'argv', ['doa_pipeline', '--ros-args', *arguments])
            rclpy.init()
            stack.callback(rclpy.shutdown)
            publishing = PublishingThread()
            nodes = make_nodes(publishing, [doa_dashboard_node.DoaDashboardNode])
            worker = threading.Thread(target=nodes[0].work)
            worker.start()

            def end():
                nodes[0].interrupt()
                worker.join()
                publishing.close()
                for node in nodes:
                    node.destroy_node()

            stack.callback(end)

        yield run


def test_a_page_records_what_is_heard(chain, monkeypatch, tmp_path, capfd):
    short = partial(doa_dashboard_node.Recorder, duration=1.0)
    monkeypatch.setattr(doa_dashboard_node, 'Recorder', short)
    folder = tmp_path / 'recordings'
    chain('allow_control:=true', 'allow_recording:=true', f'recording_folder:={folder}')
    printed = ''
    deadline = time.monotonic() + 30
    while '#token=' not in printed:
        assert time.monotonic() < deadline
        printed += capfd.readouterr().err
        time.sleep(0.05)
    port, token = re.search(r'with control: http://127.0.0.1:(\d+)/#token=(\S+)', printed).groups()

    def wait(condition):
        while not condition():
            assert time.monotonic() < deadline
            time.sleep(0.05)

    with _Page(int(port)) as page:
        wait(lambda: page.frame.get('levels'))
        assert page.status['actions'] == ['sensitivity', 'mute', 'record']
        where = {'azimuth_deg': 70, 'elevation_deg': None, 'room': 'kitchen'}
        assert page.ask('record', 'wrong', **where)[0] == 401
        status, said = page.ask('record', token, **where)
        assert (status, said.startswith(f'recording 1 s to {folder}/kitchen/')) == (200, True)
        status, said = page.ask('record', token, **where)
        assert (status, said) == (409, 'a recording runs already: wait until it has ended')
        assert page.ask('record', token, **where | {'room': '../out'})[0] == 409
        wait(lambda: page.status['recording']['said'].startswith('recorded 1 s to'))
    (path,) = (folder / 'kitchen').iterdir()
    assert page.status['recording']['said'] == f'recorded 1 s to {path}'
    assert (folder / 'labels.csv').read_text().splitlines()[1] == f'kitchen/{path.name},,,70,'


def _refusal(monkeypatch, capfd, *parameters):
    """Run main() in this process; return the line with which it ends."""
    arguments = [text for p in parameters for text in ('-p', p)]
    monkeypatch.setattr(sys, 'argv', ['doa_dashboard', '--ros-args', *arguments])
    assert doa_dashboard_node.main() == 1
    lines = capfd.readouterr().err.splitlines()
    assert not any('Traceback' in line for line in lines)
    assert '[FATAL]' in lines[-1]
    return lines[-1]


@pytest.mark.parametrize(
    ('parameters', 'words'),
    [
        (['host:=""'], 'host must not be empty'),
        (['port:=70000'], 'port must be at most 65535'),
        (['allow_recording:=true'], 'allow_recording needs allow_control:=true'),
        (['allow_control:=true', 'token_file:=/none/token'], 'token_file /none/token cannot be'),
    ],
)
def test_what_cannot_be(monkeypatch, capfd, parameters, words):
    assert words in _refusal(monkeypatch, capfd, *parameters)


def test_without_aiohttp_it_says_what_to_install(monkeypatch, capfd):
    monkeypatch.setattr(doa_dashboard_node, 'Server', None)
    line = _refusal(monkeypatch, capfd)
    assert 'needs aiohttp' in line and 'sudo apt install python3-aiohttp' in line


def test_a_port_that_is_taken_is_a_warning_and_the_chain_goes_on(play, start, listener, namespace):
    first = play('pipeline')
    port = _port(first)
    said = []

    def on(message):
        said.extend(s for s in message.status if s.name == f'{namespace}/second: health')

    listener.node.create_subscription(DiagnosticArray, '/diagnostics', on, 50)
    # Its name first, for the process gives arguments of its own.
    arguments = ['--ros-args', '-r', '__node:=second', '--']
    second = start('doa_dashboard', arguments=arguments, port=port)
    second.wait_for('the page cannot be opened')

    def warned():
        return [s for s in said if 'give another host or port' in s.message]

    listener.spin_until(warned, 'a warning')
    assert warned()[0].level == DiagnosticStatus.WARN
    assert second.alive and first.alive
    assert second.stop() == 0


def test_the_token_may_be_in_a_file(start, tmp_path):
    path = tmp_path / 'token'
    process = start('doa_dashboard', port=0, allow_control=True, token_file=str(path))
    process.wait_for('the page is at', f'needs the token in {path}')
    assert path.read_text().strip() not in process.output
    assert process.stop() == 0
