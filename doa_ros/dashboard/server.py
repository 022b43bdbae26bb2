# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The server of the page, in a thread of its own."""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import suppress
import json
import threading
from typing import Any

from aiohttp import web

from doa_ros.core.errors import DoaError
from doa_ros.dashboard.access import HEADERS, has_token, is_own_host, is_own_origin
from doa_ros.dashboard.clients import LARGEST_MESSAGE, Client, websocket_frame
from doa_ros.dashboard.encoding import encode
from doa_ros.dashboard.page_files import load_page, version_of

# From one frame to the next, and from one status to the next [s].
PERIOD, _STATUS_PERIOD = 0.05, 1.0
MOST_PAGES = 16
"""So many pages may be open at a time."""
# So many connections may be open at a time, those of files included; one on which nothing is asked
# for this time [s] is closed.
_MOST_CONNECTIONS, _LONGEST_SILENCE = 64, 10.0
# The largest body of a request [bytes].
_LARGEST_BODY = 1024
# A port that cannot be opened is tried again after this time [s].
_RETRY = 5.0
# Who gives a wrong token waits for this time [s]; what is asked for takes no longer than this [s].
_PENALTY, _ACTION_LIMIT = 0.5, 5.0
# The thread ends within this time [s].
_END_LIMIT = 2.0

Action = Callable[[Mapping[str, Any]], Future[str]]
"""Does what a page asks for, with the JSON that it sent; the result is a sentence for people. It,
or the future, may raise a DoaError."""


class Server:
    """Serves the page, and frames to every page that is open, in a thread of its own.

    Args:
        host, port: where; port 0 is any that is free.
        frame: returns what changes with every window.
        status: returns what changes now and then; it is asked once a second.
        actions: what pages may ask for, by names; each needs the token.
        token: of the actions.
        on_open: is called with the port as soon as it is open.
        on_trouble: is called with a sentence when it cannot be opened.

    Attributes:
        watched: whether any page is open.
        trouble: why the port is not open; '' while it is.
    """

    def __init__(
        self,
        host: str,
        port: int,
        frame: Callable[[], Mapping[str, Any]],
        status: Callable[[], Mapping[str, Any]],
        actions: Mapping[str, Action],
        token: str,
        on_open: Callable[[int], None],
        on_trouble: Callable[[str], None],
    ):
        self._host, self._port = host, port
        self._frame, self._status = frame, status
        self._actions, self._token = dict(actions), token
        self._on_open, self._on_trouble = on_open, on_trouble
        self._page = load_page()
        self._constant = {'page': version_of(self._page), 'actions': list(self._actions)}
        self._clients: set[Client] = set()
        self._sending: asyncio.Task[None] | None = None
        # Connections on which nothing was asked yet.
        self._silent: set[Any] = set()
        self.watched = False
        self.trouble = ''
        self._loop = asyncio.new_event_loop()
        self._end = asyncio.Event()
        self._thread = threading.Thread(target=self._work, name='dashboard', daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Close the port and all pages."""
        with suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(_END_LIMIT)

    def _work(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        application = web.Application(middlewares=[self._guard], client_max_size=_LARGEST_BODY)
        application.on_response_prepare.append(_add_headers)
        application.router.add_get('/live', self._live)
        for path in self._page:
            application.router.add_get(path, self._file)
        for name, action in self._actions.items():
            application.router.add_post(f'/{name}', self._handler(action))
        runner = web.AppRunner(
            application, access_log=None, handle_signals=False, shutdown_timeout=0.5
        )
        await runner.setup()
        try:
            server = await self._open(runner)
            if server is not None:
                await self._end.wait()
                server.close()
        finally:
            for client in self._clients:
                client.abort()
            await runner.cleanup()

    async def _open(self, runner: web.AppRunner) -> asyncio.Server | None:
        """Return the open port; None where the end comes first."""
        while not self._end.is_set():
            try:
                server = await self._loop.create_server(
                    lambda: self._accept(runner), self._host, self._port, reuse_address=True
                )
            except (OSError, UnicodeError, OverflowError) as error:
                reason = getattr(error, 'strerror', None) or str(error)
                trouble = (
                    f'the page cannot be opened at {self._host} port {self._port} ({reason}): '
                    'another program may have the port; give another host or port'
                )
                if trouble != self.trouble:
                    self.trouble = trouble
                    self._on_trouble(trouble)
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._end.wait(), _RETRY)
            else:
                self.trouble = ''
                self._on_open(server.sockets[0].getsockname()[1])
                return server
        return None

    def _accept(self, runner: web.AppRunner) -> asyncio.BaseProtocol:
        """Return what talks to a connection; one too many is closed."""
        assert runner.server is not None
        if len(runner.server.connections) >= _MOST_CONNECTIONS:
            return _Refusal()
        protocol = runner.server()
        self._silent.add(protocol)
        self._loop.call_later(_LONGEST_SILENCE, self._close_silent, protocol)
        return protocol

    def _close_silent(self, protocol: Any) -> None:
        if protocol in self._silent:
            self._silent.discard(protocol)
            protocol.force_close()

    @web.middleware
    async def _guard(self, request: web.Request, handler: Any) -> web.StreamResponse:
        self._silent.discard(request.protocol)
        host = request.headers.get('Host', '')
        if not is_own_host(host):
            raise web.HTTPForbidden(
                text='This page is reached by the address of its computer or by a name without '
                'a dot, not by the name that was given.'
            )
        reads = request.method in ('GET', 'HEAD') and request.path != '/live'
        if not reads and not is_own_origin(request.headers.get('Origin'), host):
            raise web.HTTPForbidden(text='Only the page itself may ask for this.')
        return await handler(request)

    async def _file(self, request: web.Request) -> web.Response:
        file = self._page[request.match_info.route.resource.canonical]  # type: ignore[union-attr]
        return web.Response(body=file.content, content_type=file.media_type, charset='utf-8')

    def _handler(self, action: Action) -> Callable[[web.Request], Any]:
        async def handle(request: web.Request) -> web.Response:
            if not has_token(request.headers.get('Authorization', ''), self._token):
                await asyncio.sleep(_PENALTY)
                return _answer(401, 'The token is wrong: open the page by the link with it.')
            try:
                content = json.loads(await request.read())
                if not isinstance(content, dict):
                    raise ValueError
            except (ValueError, RecursionError):
                return _answer(400, 'What was sent is no JSON object.')
            try:
                done = asyncio.wrap_future(action(content))
                return _answer(200, await asyncio.wait_for(done, _ACTION_LIMIT))
            except DoaError as error:
                return _answer(409, str(error))
            except TimeoutError:
                return _answer(504, 'The node that should do it does not answer.')

        return handle

    async def _live(self, request: web.Request) -> web.StreamResponse:
        if len(self._clients) >= MOST_PAGES:
            raise web.HTTPServiceUnavailable(text=f'{MOST_PAGES} pages are open already.')
        socket = web.WebSocketResponse(
            max_msg_size=LARGEST_MESSAGE, compress=False, autoping=False, timeout=1.0
        )
        await socket.prepare(request)
        assert request.transport is not None
        client = Client(socket, request.transport)
        self._clients.add(client)
        self.watched = True
        if self._sending is None or self._sending.done():
            self._sending = asyncio.create_task(self._send())
        try:
            await client.listen()
        finally:
            self._clients.discard(client)
            self.watched = bool(self._clients)
        return socket

    async def _send(self) -> None:
        """Send frames while any page is open."""
        due, number, status = 0.0, 0, b''
        turn = self._loop.time()
        while self._clients:
            if turn >= due:
                number, due = number + 1, turn + _STATUS_PERIOD
                status = websocket_frame(encode({'status': {**self._status(), **self._constant}}))
            self._send_to([c for c in self._clients if c.ready], number, status)
            for client in [c for c in self._clients if c.gone]:
                client.abort()
            # A turn that is late is left out.
            turn = max(turn + PERIOD, self._loop.time())
            await asyncio.sleep(turn - self._loop.time())

    def _send_to(self, ready: list[Client], number: int, status: bytes) -> None:
        if not ready:
            return
        frame = websocket_frame(encode({'frame': self._frame()}))
        for client in ready:
            if client.knows != number:
                client.knows = number
                client.send(status)
            client.send(frame)


class _Refusal(asyncio.Protocol):
    """Closes a connection."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.abort()


async def _add_headers(_: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(HEADERS)
    # Which program it is, and of which version, is nobody's business.
    response.headers['Server'] = 'doa_ros'


def _answer(status: int, sentence: str) -> web.Response:
    return web.json_response({'said': sentence}, status=status)
