# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The WebSocket that Foxglove connects to: what clients may do, and who is slow."""

import asyncio
import json
from pathlib import Path
import threading
import time

import numpy as np
import pytest

pytest.importorskip('foxglove', reason='Foxglove needs foxglove-sdk')
aiohttp = pytest.importorskip('aiohttp', reason='a client that connects')

from foxglove_fixtures import Client  # noqa: E402

from doa_ros.foxglove.server import FoxgloveServer  # noqa: E402

_AZIMUTHS = np.linspace(0, 2 * np.pi, 72, endpoint=False)
# Not how long things take, but how long a very busy machine may make them take [s].
_PATIENCE = 30.0


@pytest.fixture
def server():
    server = FoxgloveServer('/doa', '127.0.0.1', 0)
    assert server.port == 0
    assert server.open()
    yield server
    server.close()


def _wait(condition):
    deadline = time.monotonic() + _PATIENCE
    while not condition():
        assert time.monotonic() < deadline, 'nothing happened'
        time.sleep(0.01)


def _log(server, number):
    server.channels.log_spectrum(number, 'f', _AZIMUTHS, np.full(72, 0.5))


def test_a_client_sees_what_it_asks_for(server):
    assert not server.channels.watched
    with Client(server.port, ['/estimates']) as client:
        _wait(lambda: server.channels.watched)
        assert client.info['name'] == '/doa'
        # Nothing can be changed: neither parameters nor services, and nothing is taken.
        assert client.info['capabilities'] == []
        server.channels.log_estimates(7, 'f', [])
        _log(server, 8)
        _wait(lambda: client.messages)
        content = {'timestamp': {'sec': 0, 'nsec': 7}, 'estimates': []}
        assert dict(client.messages) == {'/estimates': [(7, content)]}
    _wait(lambda: not server.channels.watched)


def test_what_a_client_sends_is_refused(server):
    channel = {'id': 1, 'topic': '/x', 'encoding': 'json', 'schemaName': ''}
    asked = [
        {'op': 'advertise', 'channels': [channel]},
        {'op': 'setParameters', 'parameters': [{'name': 'sensitivity', 'value': 1}]},
        {'op': 'nonsense'},
    ]

    async def run():
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(
                f'http://127.0.0.1:{server.port}', protocols=['foxglove.sdk.v1']
            ) as socket,
        ):
            for message in asked:
                await socket.send_json(message)
            said = []
            while len(said) < len(asked):
                message = json.loads((await socket.receive(timeout=_PATIENCE)).data)
                if message['op'] == 'status':
                    said.append(message['level'])
            return said

    assert all(level > 0 for level in asyncio.run(run()))


def _memory():
    """Return how much memory this process has [MB]."""
    status = Path('/proc/self/status').read_text()
    return int(status.split('VmRSS:')[1].split()[0]) / 1024


class _Stuck:
    """A client that subscribes to the spectrum and then reads nothing."""

    def __init__(self, port):
        self._port = port
        self._end = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))

    def __enter__(self):
        self._thread.start()

    def __exit__(self, *_):
        self._end.set()
        self._thread.join(10)

    async def _run(self):
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(
                f'http://127.0.0.1:{self._port}', protocols=['foxglove.sdk.v1']
            ) as socket,
        ):
            await socket.receive()
            channels = json.loads((await socket.receive()).data)['channels']
            (number,) = [c['id'] for c in channels if c['topic'] == '/scene/spectrum']
            subscription = {'id': 1, 'channelId': number}
            await socket.send_json({'op': 'subscribe', 'subscriptions': [subscription]})
            await asyncio.sleep(0.1)
            # The loop that would read stands still.
            self._end.wait()
            socket._response.connection.transport.abort()


def test_a_client_that_reads_nothing_delays_nobody_and_memory_does_not_grow(server):
    channel = server.channels._spectrum_scene
    with _Stuck(server.port):
        _wait(channel.has_sinks)
        # Kernel and server hold some megabytes for it.
        for number in range(4000):
            _log(server, number)
        before = _memory()
        # It comes to an end, whatever the other one does. 4000 messages are 6 MB.
        for number in range(4000, 8000):
            _log(server, number)
        assert _memory() - before < 2
        with Client(server.port, ['/scene/spectrum']) as other:
            _wait(lambda: other.channels)

            def heard():
                _log(server, 10**6)
                return other.messages['/scene/spectrum']

            _wait(heard)


def test_a_client_that_goes_away_is_no_line_in_the_log(server, caplog):
    with _Stuck(server.port):
        _wait(lambda: server.channels.watched)
        for number in range(4000):
            _log(server, number)
    _wait(lambda: not server.channels.watched)
    assert caplog.records == []


def test_a_port_that_is_taken_is_opened_when_it_is_free(server):
    second = FoxgloveServer('/second', '127.0.0.1', server.port)
    assert not second.open()
    assert 'port' in second.trouble and 'Address already in use' in second.trouble
    server.close()
    _wait(second.open)
    assert second.trouble == ''
    second.close()


@pytest.mark.parametrize('host', ['no.such.host.invalid', '192.0.2.1', 'a b'])
def test_a_host_that_is_none_of_this_computer(host):
    server = FoxgloveServer('/doa', host, 0)
    assert not server.open()
    assert server.trouble.startswith(f'Foxglove cannot connect at {host} port 0 (')
