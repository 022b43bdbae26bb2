# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The server: what it gives, to whom, and what it refuses."""

import asyncio
from concurrent.futures import Future
import contextlib
import json
from pathlib import Path
import queue
import socket
import time

import numpy as np
import pytest

aiohttp = pytest.importorskip('aiohttp', reason='the live page needs aiohttp')

from doa_ros.core.errors import ConfigError  # noqa: E402
from doa_ros.core.localization.decoding import Estimate  # noqa: E402
from doa_ros.dashboard import server as server_module  # noqa: E402
from doa_ros.dashboard.live_view import LiveView  # noqa: E402
from doa_ros.dashboard.page_files import load_page  # noqa: E402
from doa_ros.dashboard.server import MOST_PAGES, Server  # noqa: E402

_TOKEN = 'a token of these tests'


def _url(port, path='/'):
    return f'http://127.0.0.1:{port}{path}'


def _origin(port):
    return {'Origin': f'http://127.0.0.1:{port}'}


def _allowed(port):
    return _origin(port) | {'Authorization': f'Bearer {_TOKEN}'}


@pytest.fixture
def serve():
    """Start a server on a free port; return it and the port. It is closed with the test."""
    with contextlib.ExitStack() as stack:

        def start(frame=dict, status=dict, actions=None):
            opened = queue.Queue()
            server = Server(
                '127.0.0.1', 0, frame, status, actions or {}, _TOKEN, opened.put, print
            )
            stack.callback(server.close)
            return server, opened.get(timeout=10)

        yield start


@pytest.fixture
def ask():
    """Return a function that asks for something; it returns status, headers and body."""

    def run(port, path='/', method='GET', **options):
        async def request():
            async with (
                aiohttp.ClientSession() as session,
                session.request(method, _url(port, path), **options) as response,
            ):
                return response.status, response.headers, await response.read()

        return asyncio.run(request())

    return run


def _watch(port, use):
    """Return what `use` returns, which is given a page that is open."""

    async def run():
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(_url(port, '/live'), headers=_origin(port)) as page,
        ):
            return await use(page)

    return asyncio.run(run())


def _done(sentence):
    future = Future()
    future.set_result(sentence)
    return future


def test_the_page_and_its_files(serve, ask):
    _, port = serve()
    for path, file in load_page().items():
        status, headers, content = ask(port, path)
        assert (status, content) == (200, file.content), path
        assert headers['Content-Type'].partition(';')[0] == file.media_type
        policy = headers['Content-Security-Policy']
        assert "default-src 'none'" in policy
        assert 'unsafe' not in policy and 'http' not in policy and '*' not in policy
        assert headers['X-Content-Type-Options'] == 'nosniff'
        assert 'aiohttp' not in headers['Server']


def test_the_page_loads_nothing_from_elsewhere():
    for path, file in load_page().items():
        if path.startswith('/vendor/'):
            continue
        text = file.content.decode()
        assert 'http:' not in text.replace('http://www.w3.org/2000/svg', '').replace("'http:'", '')
        assert 'https:' not in text.replace("'https:'", '')
        assert '<script>' not in text and ' style="' not in text and ' onclick' not in text


@pytest.mark.parametrize(
    'path',
    [
        *('/server.py', '/../server.py', '/%2e%2e/server.py', '/vendor/', '/vendor/../index.html'),
        *('/index.html', '//etc/passwd', '/main.js/', '/main.js%00', '/..%5cserver.py'),
    ],
)
def test_other_paths_are_not_found(serve, path):
    _, port = serve()
    # Written by hand: a client would tidy the path up.
    with socket.create_connection(('127.0.0.1', port)) as connection:
        connection.sendall(f'GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n'.encode())
        answer = connection.recv(1000)
    assert answer.split()[1] in (b'404', b'400'), answer


def test_a_name_that_leads_here_from_elsewhere_is_refused(serve, ask):
    _, port = serve()
    for path in ('/', '/main.js', '/live'):
        status, headers, content = ask(port, path, headers={'Host': f'evil.example:{port}'})
        assert status == 403
        assert b'address of its computer' in content
        assert 'Content-Security-Policy' in headers


@pytest.mark.parametrize('origin', ['http://evil.example', 'null', 'http://127.0.0.1:1', None])
def test_other_pages_may_not_watch_or_act(serve, ask, origin):
    _, port = serve(actions={'mute': lambda content: _done('muted')})
    headers = {'Authorization': f'Bearer {_TOKEN}'} | ({'Origin': origin} if origin else {})
    assert ask(port, '/mute', 'POST', json={}, headers=headers)[0] == 403
    upgrade = {
        'Connection': 'Upgrade',
        'Upgrade': 'websocket',
        'Sec-WebSocket-Version': '13',
        'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAA==',
    }
    assert ask(port, '/live', headers=headers | upgrade)[0] == 403


def test_without_actions_nothing_can_be_written(serve, ask):
    _, port = serve()
    for method in ('POST', 'PUT', 'DELETE', 'PATCH'):
        for path in ('/', '/mute', '/sensitivity', '/record', '/live'):
            status, *_ = ask(port, path, method, json={'value': True}, headers=_origin(port))
            assert status in (404, 405)


def test_an_action_needs_the_token(serve, ask, monkeypatch):
    monkeypatch.setattr(server_module, '_PENALTY', 0.05)
    taken = []

    def act(content):
        taken.append(content)
        return _done('done')

    _, port = serve(actions={'act': act})
    for given in ('', 'Bearer ', 'Bearer wrong', _TOKEN):
        headers = _origin(port) | {'Authorization': given}
        status, _, content = ask(port, '/act', 'POST', json={'a': 1}, headers=headers)
        assert status == 401
        assert 'token is wrong' in json.loads(content)['said']
    assert not taken
    headers = _allowed(port)
    status, _, content = ask(port, '/act', 'POST', json={'a': 1}, headers=headers)
    assert (status, json.loads(content), taken) == (200, {'said': 'done'}, [{'a': 1}])


@pytest.mark.parametrize('body', [b'', b'no json', b'[1]', b'"a"', b'\xff', b'[' * 900])
def test_what_is_no_json_object(serve, ask, body):
    _, port = serve(actions={'act': lambda content: _done('done')})
    headers = _allowed(port)
    assert ask(port, '/act', 'POST', data=body, headers=headers)[0] == 400


def test_a_body_that_is_too_large(serve, ask):
    _, port = serve(actions={'act': lambda content: _done('done')})
    headers = _allowed(port)
    assert ask(port, '/act', 'POST', data=b'x' * 5000, headers=headers)[0] == 413


def test_why_an_action_failed_is_said(serve, ask, monkeypatch):
    monkeypatch.setattr(server_module, '_ACTION_LIMIT', 0.1)

    def refuse(content):
        raise ConfigError('value must be a number')

    _, port = serve(actions={'refuse': refuse, 'hang': lambda content: Future()})
    headers = _allowed(port)
    status, _, content = ask(port, '/refuse', 'POST', json={}, headers=headers)
    assert (status, json.loads(content)['said']) == (409, 'value must be a number')
    status, _, content = ask(port, '/hang', 'POST', json={}, headers=headers)
    assert (status, json.loads(content)['said'][:8]) == (504, 'The node')


def test_a_page_gets_a_status_first_and_then_frames_at_their_rate(serve):
    frames = iter(range(10**6))
    server, port = serve(lambda: {'n': next(frames)}, lambda: {'nodes': []}, {'mute': _done})
    assert not server.watched

    async def use(page):
        first = json.loads(await page.receive_bytes())
        begin = time.monotonic()
        messages = []
        while time.monotonic() < begin + 1.5:
            messages.append(json.loads(await page.receive_bytes()))
            await page.send_str(str(len(messages) + 1))
        assert server.watched
        return first, messages

    first, messages = _watch(port, use)
    assert first['status']['nodes'] == []
    assert first['status']['actions'] == ['mute']
    assert len(first['status']['page']) == 16
    numbers = [m['frame']['n'] for m in messages if 'frame' in m]
    assert numbers == list(range(len(numbers)))
    # A computer that is busy may make it slower, but never faster.
    assert 5 < len(numbers) <= 32
    assert 1 <= sum('status' in m for m in messages) <= 2
    deadline = time.monotonic() + 10
    while server.watched:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    # Nobody looks: no frame is made.
    time.sleep(0.1)
    before = next(frames)
    time.sleep(0.2)
    assert next(frames) == before + 1


def test_a_page_that_acknowledges_nothing_gets_no_more_and_holds_up_nobody(serve):
    frames = iter(range(10**6))
    _, port = serve(lambda: {'n': next(frames)})

    async def use(slow):
        async def fast():
            newest = 0
            async with (
                aiohttp.ClientSession() as session,
                session.ws_connect(_url(port, '/live'), headers=_origin(port)) as page,
            ):
                for count in range(1, 40):
                    message = json.loads(await page.receive_bytes())
                    newest = message['frame']['n'] if 'frame' in message else newest
                    await page.send_str(str(count))
                return newest

        newest = await fast()
        held = []
        with pytest.raises(TimeoutError):
            while True:
                held.append(await asyncio.wait_for(slow.receive_bytes(), 0.2))
        # With room again, it goes on with the newest.
        await slow.send_str(str(len(held)))
        while 'frame' not in (then := json.loads(await slow.receive_bytes())):
            pass
        return newest, len(held), then['frame']['n']

    newest, held, then = _watch(port, use)
    assert 8 <= held <= 12
    assert then >= newest > 20


_RNG = np.random.default_rng(2)
_GCC_PHAT, _SPECTRUM = _RNG.uniform(-1, 1, (15, 39)), _RNG.uniform(0, 1, 72)


def _frame(view):
    """Return a frame as large as that of the default array and network."""
    view.take_features(_GCC_PHAT, np.linspace(-4e-4, 4e-4, 39))
    view.take_spectrum(_SPECTRUM, 0.0, 0.087)
    view.take_estimates(0, 70_000_000, [Estimate(0.5, 0.1, 0.1, 0.1, 0.9)] * 2)
    return view.frame()


def _cost(serve, pages, seconds):
    """Return frames made and sent, and the CPU time of the server [s], per s of so many pages."""
    made, received = [], []
    view = LiveView()

    def frame():
        made.append(None)
        return _frame(view)

    server, port = serve(frame, view.status)
    used = Path('/proc/self/task', str(server._thread.native_id), 'schedstat')

    async def look(session):
        count = 0
        async with session.ws_connect(_url(port, '/live'), headers=_origin(port)) as page:
            async for _ in page:
                count += 1
                received.append(None)
                if count % 4 == 0:
                    await page.send_str(str(count))

    async def run():
        async with aiohttp.ClientSession() as session:
            tasks = [asyncio.create_task(look(session)) for _ in range(pages)]
            await asyncio.sleep(0.5)
            received.clear()
            made.clear()
            before = int(used.read_text().split()[0])
            await asyncio.sleep(seconds)
            after = int(used.read_text().split()[0])
            found = len(made), len(received), (after - before) / 1e9
            for task in tasks:
                task.cancel()
            return [value / seconds for value in found]

    return asyncio.run(run())


def test_a_frame_is_made_once_for_all_pages(serve):
    made, received, _ = _cost(serve, 8, 1.0)
    assert made <= 22
    assert received > 4 * made


@pytest.mark.nightly
@pytest.mark.alone
@pytest.mark.skipif(not Path('/proc/self/schedstat').exists(), reason='needs Linux')
def test_ten_pages_cost_next_to_nothing(serve):
    made, received, used = _cost(serve, 10, 10.0)
    print(f'{made:.1f} frames per s, {received:.0f} sent per s, {used:.4f} CPU s per s')
    assert used < 0.02


@pytest.mark.parametrize('said', ['x', '-1', '0', '999999', '١', '', '1' * 31])
def test_a_page_that_says_what_cannot_be_is_closed(serve, said):
    _, port = serve()

    async def use(page):
        await page.receive_bytes()
        await page.send_str(said)
        async with asyncio.timeout(10):
            async for _ in page:
                pass
        return page.closed

    assert _watch(port, use)


@pytest.mark.parametrize('message', [b'1', 'x' * 1000, b'x' * 100_000])
def test_a_page_that_says_too_much_is_closed(serve, message):
    _, port = serve()

    async def use(page):
        send = page.send_str if isinstance(message, str) else page.send_bytes
        await send(message)
        async with asyncio.timeout(10):
            async for _ in page:
                pass
        return page.closed

    assert _watch(port, use)


def test_so_many_pages_and_no_more(serve):
    _, port = serve()

    async def run():
        async with aiohttp.ClientSession() as session:
            pages = [
                await session.ws_connect(_url(port, '/live'), headers=_origin(port))
                for _ in range(MOST_PAGES)
            ]
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await session.ws_connect(_url(port, '/live'), headers=_origin(port))
            assert refused.value.status == 503
            await pages.pop().close()
            async with asyncio.timeout(10):
                while True:
                    try:
                        pages.append(
                            await session.ws_connect(_url(port, '/live'), headers=_origin(port))
                        )
                        break
                    except aiohttp.WSServerHandshakeError:
                        await asyncio.sleep(0.02)
            for page in pages:
                await page.receive_bytes()

    asyncio.run(run())


def test_connections_that_say_nothing_are_closed_and_one_too_many_is_refused(
    serve, monkeypatch, ask
):
    monkeypatch.setattr(server_module, '_LONGEST_SILENCE', 0.5)
    monkeypatch.setattr(server_module, '_MOST_CONNECTIONS', 5)
    _, port = serve()
    silent = [socket.create_connection(('127.0.0.1', port)) for _ in range(5)]
    with socket.create_connection(('127.0.0.1', port)) as one_more:
        one_more.settimeout(10)
        try:
            assert one_more.recv(10) == b''
        except ConnectionResetError:
            pass
    silent[0].sendall(b'GET / HTTP/1.1\r\nHost: ')
    for connection in silent:
        connection.settimeout(10)
        assert connection.recv(10) == b''
        connection.close()
    assert ask(port)[0] == 200


def test_a_port_that_is_taken_is_tried_again(monkeypatch, ask):
    monkeypatch.setattr(server_module, '_RETRY', 0.2)
    opened, troubles = [], []
    with socket.create_server(('127.0.0.1', 0)) as other:
        port = other.getsockname()[1]
        server = Server('127.0.0.1', port, dict, dict, {}, '', opened.append, troubles.append)
        deadline = time.monotonic() + 10
        while not troubles:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        time.sleep(0.5)
        # It is said once, however often it is tried.
        assert troubles == [server.trouble]
        assert f'127.0.0.1 port {port}' in server.trouble
        assert 'give another host or port' in server.trouble
    while not opened:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert server.trouble == ''
    assert ask(port)[0] == 200
    server.close()


@pytest.mark.parametrize('host', ['no.such.host.invalid', 'a b', '256.1.1.1', 'x' * 300, '\udcff'])
def test_a_host_that_cannot_be(host):
    troubles = []
    server = Server(host, 0, dict, dict, {}, '', print, troubles.append)
    deadline = time.monotonic() + 20
    while not troubles:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    server.close()
    assert 'cannot be opened' in troubles[0]


def test_the_end_comes_at_once_though_pages_are_open(serve):
    server, port = serve()

    async def use(page):
        await page.receive_bytes()
        begin = time.monotonic()
        await asyncio.to_thread(server.close)
        return time.monotonic() - begin

    assert _watch(port, use) < 5
    assert not server._thread.is_alive()
