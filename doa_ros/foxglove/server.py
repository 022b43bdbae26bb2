# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The WebSocket that Foxglove connects to, served by threads of foxglove-sdk."""

import logging

from foxglove import Context, start_server
from foxglove.websocket import WebSocketServer

from doa_ros.foxglove.channels import Channels

# So many messages may wait for a client; one that is slower misses the oldest.
_BACKLOG = 32


class FoxgloveServer:
    """Serves channels; clients can look, and change nothing.

    Args:
        name: which Foxglove shows.
        host, port: where; port 0 is any that is free.

    Attributes:
        channels: what clients see.
        trouble: why the port is not open; '' while it is, and before it was tried.
    """

    def __init__(self, name: str, host: str, port: int):
        self._name, self._host, self._port = name, host, port
        self._context = Context()
        # It would tell of every message that does not reach a client that has gone.
        logging.getLogger('foxglove').setLevel(logging.CRITICAL)
        self._server: WebSocketServer | None = None
        self.channels = Channels(self._context)
        self.trouble = ''

    @property
    def port(self) -> int:
        """The port that is open; 0 while none is."""
        return 0 if self._server is None else self._server.port

    def open(self) -> bool:
        """Open the port unless it is; return whether it is open now."""
        if self._server is not None:
            return True
        try:
            self._server = start_server(
                name=self._name,
                host=self._host,
                port=self._port,
                context=self._context,
                message_backlog_size=_BACKLOG,
            )
        except RuntimeError as error:
            reason = str(error).removeprefix('FoxgloveError: ')
            self.trouble = (
                f'Foxglove cannot connect at {self._host} port {self._port} ({reason}): another '
                'program may have the port; give another host or foxglove_port'
            )
            return False
        self.trouble = ''
        return True

    def close(self) -> None:
        """Close the port and all connections."""
        if self._server is not None:
            self._server.stop()
