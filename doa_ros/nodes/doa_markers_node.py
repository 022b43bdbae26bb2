# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Node `doa_markers`: from `estimates` and `tracks` to `markers` for RViz."""

from collections import defaultdict, deque
from collections.abc import Callable

from visualization_msgs.msg import Marker, MarkerArray

from doa_ros.audio.source import NANOSECONDS
from doa_ros.conversions import estimates_of, marker_array, track_markers, tracks_of
from doa_ros.core.tracking.track import Track
from doa_ros.headers import stamp_of
from doa_ros.msg import DoaEstimateArray, DoaTrackArray
from doa_ros.nodes.chain import ChainNode
from doa_ros.nodes.configs import MarkersConfig
from doa_ros.nodes.executable import run
from doa_ros.nodes.model import declare_ambiguity
from doa_ros.nodes.publishing_thread import PublishingThread
from doa_ros.nodes.qos import overridable
from doa_ros.parameters import declare, on_change


class DoaMarkersNode(ChainNode):
    """Shows every track as an arrow with a trail and its number, and every estimate as an arrow.

    Args:
        publishing: the thread that publishes.
        subscribe: whether estimates and tracks come from the topics `estimates` and `tracks`
            rather than by `process` and `process_tracks`.
    """

    def __init__(self, publishing: PublishingThread, *, subscribe: bool = True):
        super().__init__('doa_markers', publishing)
        self._config = declare(self, MarkersConfig)
        on_change(self, self._config, self._configure)
        self._ambiguity = declare_ambiguity(self)
        self._shown = 0
        # What has come of the latest window.
        self._window: dict[str, DoaEstimateArray | DoaTrackArray] = {}
        self._trails: dict[int, deque[tuple[int, Track]]] = defaultdict(deque)
        self.diagnose('all estimates are usable')
        self._topic = self.topic(MarkerArray, 'markers', 10)
        if subscribe:
            self._subscribe(DoaEstimateArray, 'estimates', self.process)
            self._subscribe(DoaTrackArray, 'tracks', self.process_tracks)
        self.get_logger().info('arrows and trails for RViz')

    def _subscribe(self, message_type: type, topic: str, take: Callable[[object], None]) -> None:
        with overridable(topic) as options:
            self.create_subscription(message_type, topic, take, 10, qos_overriding_options=options)

    def _configure(self, config: MarkersConfig) -> None:
        self._config = config

    def process(self, message: DoaEstimateArray) -> None:
        """Show the estimates of one window."""
        with self._diagnostics.dropping():
            estimates_of(message)
            self._collect(estimates=message)

    def process_tracks(self, message: DoaTrackArray) -> None:
        """Show the tracks as of one window."""
        with self._diagnostics.dropping():
            tracks_of(message)
            self._collect(tracks=message)

    def _collect(self, **part: DoaEstimateArray | DoaTrackArray) -> None:
        """Take estimates or tracks; show both of a window at once, or what has come of it."""
        if not self._topic.wanted:
            self._window.clear()
            self._trails.clear()
            return
        ((name, message),) = part.items()
        stamps = {stamp_of(m.header) for m in self._window.values()}
        if name in self._window or stamps - {stamp_of(message.header)}:
            self._show()
        self._window |= part
        if len(self._window) == 2:
            self._show()

    def _show(self) -> None:
        markers = []
        if 'tracks' in self._window:
            markers += self._track_markers(self._window['tracks'])
        if 'estimates' in self._window:
            message = self._window['estimates']
            markers += marker_array(
                message,
                self._shown,
                self._config.arrow_length,
                ambiguity=self._ambiguity,
                faint=bool(self._trails),
            ).markers
            self._shown = len(message.estimates)
        self._window.clear()
        if markers:
            self._topic.publish(MarkerArray(markers=markers))

    def _track_markers(self, message: DoaTrackArray) -> list[Marker]:
        stamp, tracks = stamp_of(message.header), tracks_of(message)
        ended = set(self._trails) - {track.id for track in tracks}
        for number in ended:
            del self._trails[number]
        oldest = stamp - round(self._config.trail_duration * NANOSECONDS)
        for track in tracks:
            trail = self._trails[track.id]
            trail.append((stamp, track))
            while trail[0][0] < oldest or trail[0][0] > stamp:
                trail.popleft()
        trails = {number: [t for _, t in trail] for number, trail in self._trails.items()}
        return track_markers(message.header, trails, ended, self._config.arrow_length).markers


def main() -> int:
    """Run the node."""
    return run('doa_markers', lambda publishing: [DoaMarkersNode(publishing)])
