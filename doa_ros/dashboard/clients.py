# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The pages that are open, and what each has received."""

import asyncio
import struct
import time

from aiohttp import WSMsgType, web

# So many frames may be on their way to a page [frames]: half a second. One that is slower gets
# the newest as soon as it has room, and misses those between.
_IN_FLIGHT = 10
# A page that acknowledges nothing for this time is gone [s].
_PATIENCE = 20.0
# An acknowledgement is the number of a frame.
LARGEST_MESSAGE = 32
# RFC 6455: the last frame of a message, binary; lengths that need two or eight bytes more.
_BINARY, _SHORT, _LONG = 0x82, 126, 127


def websocket_frame(payload: bytes) -> bytes:
    """Return a message as the server sends it by a WebSocket, the same for every page."""
    length = len(payload)
    if length < _SHORT:
        return struct.pack('!BB', _BINARY, length) + payload
    if length < 1 << 16:
        return struct.pack('!BBH', _BINARY, _SHORT, length) + payload
    return struct.pack('!BBQ', _BINARY, _LONG, length) + payload


class Client:
    """A page that is open.

    Args:
        socket: its WebSocket.
        transport: its connection. Frames are written to it directly, as their bytes are the same
            for all pages, and never wait.

    Attributes:
        knows: the status that it was sent last; 0 before the first.
    """

    def __init__(self, socket: web.WebSocketResponse, transport: asyncio.Transport):
        self._socket, self._transport = socket, transport
        self._sent = self._acknowledged = 0
        self._heard = time.monotonic()
        self.knows = 0

    @property
    def ready(self) -> bool:
        """Whether it has room for a frame."""
        return (
            self._sent - self._acknowledged < _IN_FLIGHT
            and not self._transport.get_write_buffer_size()
            and not self._transport.is_closing()
        )

    @property
    def gone(self) -> bool:
        """Whether it has had frames to acknowledge for too long."""
        waits = self._sent > self._acknowledged
        return waits and time.monotonic() - self._heard > _PATIENCE

    def send(self, frame: bytes) -> None:
        """Send a message in the form of `websocket_frame`, if there is room for it."""
        self._sent += 1
        self._transport.write(frame)

    def abort(self) -> None:
        """End the connection at once."""
        self._transport.abort()

    async def listen(self) -> None:
        """Take acknowledgements until the page closes, or says anything else."""
        async for message in self._socket:
            if message.type != WSMsgType.TEXT or not self._acknowledge(message.data):
                break
        await self._socket.close()

    def _acknowledge(self, text: str) -> bool:
        """Take the number of frames that the page has received; return whether it can be."""
        if not (text.isascii() and text.isdigit()):
            return False
        count = int(text)
        if not self._acknowledged < count <= self._sent:
            return False
        self._acknowledged, self._heard = count, time.monotonic()
        return True
