# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Node `doa_dashboard`: all that is known of the sound, on a live page."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
import math
from pathlib import Path
import socket
import sys
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from rclpy.clock import Clock, ClockType
from rclpy.qos import QoSProfile
from rclpy.subscription import Subscription
from std_msgs.msg import Header

from doa_ros.audio.audio_frame import block_from_audio_frame
from doa_ros.audio.source import AudioBlock
from doa_ros.conversions.directions import azimuth_spectrum_of, directions_of, tracks_of
from doa_ros.conversions.features import features_from_settings, window_from_gcc_phat
from doa_ros.core.errors import ConfigError
from doa_ros.core.features.config import FeatureConfig
from doa_ros.core.features.extractor import WindowFeatures
from doa_ros.core.geometry import MicArray
from doa_ros.core.localization.spectrum import Spectrum
from doa_ros.core.localization.window_directions import WindowDirections
from doa_ros.core.monitoring import Level, Status
from doa_ros.core.tracking.track import Track
from doa_ros.dashboard.access import make_token
from doa_ros.dashboard.live_view import LiveView
from doa_ros.dashboard.recorder import Recorder
from doa_ros.dashboard.recording_labels import label_from
from doa_ros.headers import stamp_of
from doa_ros.msg import AudioFrame, DoaEstimateArray, DoaSpectrum, DoaTrackArray, GccPhat
from doa_ros.nodes.chain import ArrayNode
from doa_ros.nodes.configs import NODES, DashboardConfig
from doa_ros.nodes.estimator_control import EstimatorControl
from doa_ros.nodes.executable import run
from doa_ros.nodes.publishing_thread import PublishingThread
from doa_ros.nodes.qos import overridable
from doa_ros.parameters import declare

try:
    from doa_ros.dashboard.server import Server
except ImportError:  # of aiohttp, which nothing else needs
    Server = None  # type: ignore[assignment, misc]

# How often it is seen whether anybody looks [s].
_LOOK = 0.2
# Only the newest message counts; of sound and diagnostics all do.
_NEWEST, _ALL = QoSProfile(depth=1), QoSProfile(depth=100)
_EVERYWHERE = {'0.0.0.0', '::'}


class DoaDashboardNode(ArrayNode):
    """Serves the page. While nobody looks at it, it takes nothing but the array.

    Args:
        publishing: the thread that publishes.
        subscribe: whether array, sound, features, spectrum, estimates and tracks come by topics
            rather than by `take_array`, `take_features` and the `process` methods.

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
        self._by_topics = subscribe
        self._array: MicArray | None = None
        self._features: FeatureConfig | None = None
        self._view = LiveView()
        self._watching: list[Subscription] = []
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
        # On a clock of its own: that of the node may stand still.
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(_LOOK, self._look, clock=steady)

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
        host = self._config.host
        if host in _EVERYWHERE:
            host = socket.gethostname()
            self.get_logger().warning('everybody in the network can see the page')
        url = f'http://[{host}]:{port}/' if ':' in host else f'http://{host}:{port}/'
        self._url = url
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
        self._array, self._features = array, None
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

    def process_spectrum(self, _: Header, spectrum: Spectrum) -> None:
        """Show the spectrum of a window; its first azimuth is 0."""
        if self._server.watched:
            probability = spectrum.azimuth_distribution
            self._view.take_spectrum(probability, 0.0, 2 * math.pi / len(probability))

    def process(self, header: Header, directions: WindowDirections) -> None:
        """Show the estimates of a window."""
        if self._server.watched:
            now = self.get_clock().now().nanoseconds
            self._view.take_estimates(stamp_of(header), now, directions.estimates)

    def process_tracks(self, _: Header, tracks: Sequence[Track]) -> None:
        """Show the tracks as of a window."""
        if self._server.watched:
            self._view.take_tracks(tracks)

    def _look(self) -> None:
        """Subscribe while somebody looks at the page."""
        # A recording goes on when the page is closed.
        watched = self._server.watched or self._recorder.running
        if self._server.watched:
            self._control.refresh()
        if watched and not self._watching:
            self._subscribe(DiagnosticArray, '/diagnostics', self._on_diagnostics, _ALL)
            if self._by_topics:
                self._subscribe(AudioFrame, 'audio', self._on_audio, _ALL)
                self._subscribe(GccPhat, 'gcc_phat', self._on_gcc_phat, _NEWEST)
                self._subscribe(DoaSpectrum, 'spectrum', self._on_spectrum, _NEWEST)
                self._subscribe(DoaEstimateArray, 'estimates', self._on_estimates, _NEWEST)
                self._subscribe(DoaTrackArray, 'tracks', self._on_tracks, _NEWEST)
        elif not watched and self._watching:
            for subscription in self._watching:
                self.destroy_subscription(subscription)
            self._watching = []

    def _subscribe(
        self, message_type: type, topic: str, take: Callable[[Any], None], qos: QoSProfile
    ) -> None:
        def take_or_drop(message: Any) -> None:
            with self._diagnostics.dropping():
                take(message)

        with overridable(topic) as options:
            self._watching.append(
                self.create_subscription(
                    message_type, topic, take_or_drop, qos, qos_overriding_options=options
                )
            )

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            node = status.name.removesuffix(': health').rpartition('/')[2]
            if status.hardware_id != self.get_namespace() or node not in NODES:
                continue
            values = {value.key: value.value for value in status.values}
            level = Level(min(int.from_bytes(status.level), Level.ERROR))
            self._view.take_status(node, Status(level, status.message, values))

    def _on_audio(self, message: AudioFrame) -> None:
        if self._array is not None:
            self.process_block(message.header, block_from_audio_frame(message, self._array))

    def _on_gcc_phat(self, message: GccPhat) -> None:
        if self._array is not None:
            self._features = features_from_settings(message.settings)
            window = window_from_gcc_phat(message, self._array, self._features)
            self.process_features(message.header, window)

    def _on_spectrum(self, message: DoaSpectrum) -> None:
        self._view.take_spectrum(*azimuth_spectrum_of(message))

    def _on_estimates(self, message: DoaEstimateArray) -> None:
        self.process(message.header, directions_of(message))

    def _on_tracks(self, message: DoaTrackArray) -> None:
        self.process_tracks(message.header, tracks_of(message))


def main() -> int:
    """Run the node."""
    return run('doa_dashboard', lambda publishing: [DoaDashboardNode(publishing)])
