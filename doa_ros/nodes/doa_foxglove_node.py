# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Node `doa_foxglove`: the array, directions, talkers and levels, for Foxglove."""

from collections.abc import Sequence
import time
from typing import TYPE_CHECKING

import numpy as np
from std_msgs.msg import Header

from doa_ros.audio.source import AudioBlock
from doa_ros.core.localization.window_directions import WindowDirections
from doa_ros.core.monitoring import Level, Status
from doa_ros.core.tracking.track import Track
from doa_ros.foxglove.sdk import check_sdk
from doa_ros.headers import stamp_of
from doa_ros.nodes.configs import FoxgloveConfig
from doa_ros.nodes.executable import run
from doa_ros.nodes.publishing_thread import PublishingThread
from doa_ros.nodes.viewer import ViewerNode
from doa_ros.parameters import declare

if TYPE_CHECKING:
    from doa_ros.foxglove.server import FoxgloveServer

# A port that cannot be opened is tried again after this time [s].
_RETRY = 5.0
# The array is shown again after this time [s], for those who begin to look.
_AGAIN = 1.0


class DoaFoxgloveNode(ViewerNode):
    """Serves what Foxglove shows; nothing can be changed by it.

    Args:
        publishing: the thread that publishes.
        subscribe: as for `ViewerNode`.

    Raises:
        ConfigError: foxglove-sdk is not installed.
    """

    def __init__(self, publishing: PublishingThread, *, subscribe: bool = True):
        super().__init__('doa_foxglove', publishing, subscribe=subscribe)
        self._server: FoxgloveServer | None = None
        self._config = config = declare(self, FoxgloveConfig)
        self._frame = ''
        self._try_again = self._show_again = 0.0
        self._url = ''
        self.diagnose('Foxglove can connect', [self._port_status])
        self._server = _make_server(self.get_namespace(), config)
        self._channels = self._server.channels
        self.look()
        self.begin()

    def destroy_node(self) -> None:
        """Close all connections, then end the node."""
        if self._server is not None:
            self._server.close()
        super().destroy_node()

    @property
    def watched(self) -> bool:
        """Whether any channel is shown."""
        return self._channels.watched

    def _port_status(self) -> Status:
        assert self._server is not None
        trouble = self._server.trouble
        values = {'address': self._url or 'not open'}
        return Status(Level.WARN if trouble else Level.OK, trouble, values)

    def look(self) -> None:
        """Open the port, show the array and subscribe while somebody looks."""
        now = time.monotonic()
        if not self._url and now >= self._try_again:
            self._try_again = now + _RETRY
            self._open()
        super().look()
        if now >= self._show_again and self._array is not None and self._frame:
            self._show_again = now + _AGAIN
            stamp = self.get_clock().now().nanoseconds
            self._channels.log_array(stamp, self._frame, self._array)

    def _open(self) -> None:
        assert self._server is not None
        known = self._server.trouble
        if self._server.open():
            host = self.shown_host(self._config.host, 'what Foxglove shows')
            self._url = f'ws://{host}:{self._server.port}'
            self.get_logger().info(f'Foxglove connects to {self._url}')
        elif self._server.trouble != known:
            self.get_logger().error(self._server.trouble)

    def process_block(self, header: Header, block: AudioBlock) -> None:
        """Show the levels of a piece of sound."""
        self._frame = header.frame_id
        if self._array is not None:
            self._channels.log_sound(stamp_of(header), self._array, block.samples)

    def show_spectrum(
        self, header: Header, probability: np.ndarray, azimuth_min: float, step: float
    ) -> None:
        """Show the spectrum of a window."""
        azimuths = azimuth_min + step * np.arange(len(probability))
        self._channels.log_spectrum(stamp_of(header), header.frame_id, azimuths, probability)

    def process(self, header: Header, directions: WindowDirections) -> None:
        """Show the estimates of a window."""
        self._frame = header.frame_id
        self._channels.log_estimates(stamp_of(header), header.frame_id, directions.estimates)

    def process_tracks(self, header: Header, tracks: Sequence[Track]) -> None:
        """Show the tracks as of a window."""
        self._channels.log_tracks(stamp_of(header), header.frame_id, tracks)


def _make_server(name: str, config: FoxgloveConfig) -> 'FoxgloveServer':
    check_sdk()
    # Not before: without it, this node says what to install.
    from doa_ros.foxglove.server import FoxgloveServer

    return FoxgloveServer(name, config.host, config.foxglove_port)


def main() -> int:
    """Run the node."""
    return run('doa_foxglove', lambda publishing: [DoaFoxgloveNode(publishing)])
