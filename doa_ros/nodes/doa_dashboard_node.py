# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Node `doa_dashboard`: all that is known of the sound, on a live page."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
import sys
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
import numpy as np
from std_msgs.msg import Header

from doa_ros.audio.source import AudioBlock
from doa_ros.conversions.features import features_from_settings, window_from_gcc_phat
from doa_ros.core.errors import ConfigError
from doa_ros.core.features.config import FeatureConfig
from doa_ros.core.features.extractor import WindowFeatures
from doa_ros.core.geometry import MicArray
from doa_ros.core.localization.window_directions import WindowDirections
from doa_ros.core.monitoring import Level, Status
from doa_ros.core.tracking.track import Track
from doa_ros.dashboard.access import make_token
from doa_ros.dashboard.live_view import LiveView
from doa_ros.dashboard.recorder import Recorder
from doa_ros.dashboard.recording_labels import label_from
from doa_ros.headers import stamp_of
from doa_ros.msg import GccPhat
from doa_ros.nodes.configs import NODES, DashboardConfig
from doa_ros.nodes.estimator_control import EstimatorControl
from doa_ros.nodes.executable import run
from doa_ros.nodes.publishing_thread import PublishingThread
from doa_ros.nodes.viewer import ALL, NEWEST, ViewerNode
from doa_ros.parameters import declare

try:
    from doa_ros.dashboard.server import Server
except ImportError:  # of aiohttp, which nothing else needs
    Server = None  # type: ignore[assignment, misc]


class DoaDashboardNode(ViewerNode):
    """Serves the page. While nobody looks at it, it takes nothing but the array.

    Args:
        publishing: the thread that publishes.
        subscribe: as for `ViewerNode`.

    Raises:
        ConfigError: aiohttp is not installed, or there is no token.
    """

    def __init__(self, publishing: PublishingThread, *, subscribe: bool = True):
        super().__init__('doa_dashboard', publishing, subscribe=subscribe)
        self._to_close: list[Server | Recorder] = []
        if Server is None:
            raise ConfigError(
                'the live page needs aiohttp: sudo apt install python3-aiohttp, or python3 -m pip '
                'install -r requirements/dashboard.txt'
            )
        self._config = config = declare(self, DashboardConfig)
        self._features: FeatureConfig | None = None
        self._view = LiveView()
        self._control = EstimatorControl(self, may_set=config.allow_control)
        self._recorder = Recorder(Path(config.recording_folder).expanduser())
        self._url = ''
        self.diagnose('the page is served', [self._page_status])
        actions = dict(self._control.actions)
        if config.allow_recording:
            actions['record'] = self._record
        self._token = make_token(self._token_file) if actions else ''
        self._server = Server(
            config.host,
            config.port,
            self._view.frame,
            self._shown_status,
            actions,
            self._token,
            self._on_open,
            lambda trouble: self.get_logger().error(trouble),
        )
        self._to_close += [self._server, self._recorder]
        self.want(DiagnosticArray, '/diagnostics', self._on_diagnostics, ALL)
        if subscribe:
            self.want(GccPhat, 'gcc_phat', self._on_gcc_phat, NEWEST)
        self.begin()

    @property
    def _token_file(self) -> Path | None:
        name = self._config.token_file
        return Path(name).expanduser() if name else None

    def destroy_node(self) -> None:
        """End the page and a recording, then the node."""
        for part in self._to_close:
            part.close()
        super().destroy_node()

    def _on_open(self, port: int) -> None:
        self._url = url = f'http://{self.shown_host(self._config.host, "the page")}:{port}/'
        self.get_logger().info(f'the page is at {url}')
        if not self._token:
            return
        if self._token_file is not None:
            self.get_logger().info(f'control by the page needs the token in {self._token_file}')
            return
        # Not by the logger, which publishes it and keeps it in a file.
        # In one piece: other threads write there, too.
        sys.stderr.write(f'doa_dashboard: with control: {url}#token={self._token}\n')
        sys.stderr.flush()

    def _page_status(self) -> Status:
        values = {'page': self._url or 'not open'}
        trouble = self._server.trouble
        return Status(Level.WARN if trouble else Level.OK, trouble, values)

    def _shown_status(self) -> dict[str, Any]:
        """Return what the page shows besides the frames."""
        return {
            **self._view.status(),
            **self._control.state,
            'namespace': self.get_namespace(),
            'recording': self._recorder.state,
        }

    def _record(self, content: Mapping[str, Any]) -> Future[str]:
        if self._array is None:
            raise ConfigError('there is no array to record with: does audio_capture run?')
        answer: Future[str] = Future()
        answer.set_result(self._recorder.begin(self._array, label_from(content)))
        return answer

    def take_array(self, array: MicArray) -> None:
        """Show what an array hears from now on."""
        super().take_array(array)
        self._features = None
        self._view.take_array(array)

    def take_features(self, features: FeatureConfig) -> None:
        """Show features of these settings from now on."""
        self._features = features

    def process_block(self, _: Header, block: AudioBlock) -> None:
        """Show the levels of a piece of sound, and record it where that was asked for."""
        self._recorder.take(block)
        if self._server.watched:
            self._view.take_block(block)

    def process_features(self, _: Header, window: WindowFeatures) -> None:
        """Show the features of a window."""
        if self._server.watched and self._features is not None:
            self._view.take_features(window.features, self._features.lags)

    def show_spectrum(
        self, _: Header, probability: np.ndarray, azimuth_min: float, step: float
    ) -> None:
        """Show the spectrum of a window."""
        self._view.take_spectrum(probability, azimuth_min, step)

    def process(self, header: Header, directions: WindowDirections) -> None:
        """Show the estimates of a window."""
        if self._server.watched:
            now = self.get_clock().now().nanoseconds
            self._view.take_estimates(stamp_of(header), now, directions.estimates)

    def process_tracks(self, _: Header, tracks: Sequence[Track]) -> None:
        """Show the tracks as of a window."""
        if self._server.watched:
            self._view.take_tracks(tracks)

    @property
    def watched(self) -> bool:
        """Whether a page is open or a recording goes on, which does when the page is closed."""
        return self._server.watched or self._recorder.running

    def look(self) -> None:
        """Ask for the sensitivity, and subscribe, while somebody looks at the page."""
        if self._server.watched:
            self._control.refresh()
        super().look()

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            node = status.name.removesuffix(': health').rpartition('/')[2]
            if status.hardware_id != self.get_namespace() or node not in NODES:
                continue
            values = {value.key: value.value for value in status.values}
            level = Level(min(int.from_bytes(status.level), Level.ERROR))
            self._view.take_status(node, Status(level, status.message, values))

    def _on_gcc_phat(self, message: GccPhat) -> None:
        if self._array is not None:
            self._features = features_from_settings(message.settings)
            window = window_from_gcc_phat(message, self._array, self._features)
            self.process_features(message.header, window)


def main() -> int:
    """Run the node."""
    return run('doa_dashboard', lambda publishing: [DoaDashboardNode(publishing)])
