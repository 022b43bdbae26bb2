# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Node `doa_markers`: from `estimates` and `tracks` to `markers` for RViz."""

from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from std_msgs.msg import Header
from visualization_msgs.msg import Marker, MarkerArray

from doa_ros.conversions import directions_of, tracks_of
from doa_ros.core.localization.decoding import Estimate
from doa_ros.core.localization.window_directions import WindowDirections
from doa_ros.core.tracking.track import Track
from doa_ros.core.units import NANOSECONDS
from doa_ros.headers import stamp_of
from doa_ros.markers import estimate_markers, track_markers
from doa_ros.msg import DoaEstimateArray, DoaTrackArray
from doa_ros.nodes.chain import ChainNode
from doa_ros.nodes.configs import MarkersConfig
from doa_ros.nodes.executable import run
from doa_ros.nodes.model import declare_ambiguity
from doa_ros.nodes.publishing_thread import PublishingThread
from doa_ros.nodes.qos import overridable
from doa_ros.parameters import declare, on_change


@dataclass(frozen=True)
class _Window:
    """What has come of the latest window; None for what has not."""

    header: Header | None = None
    estimates: Sequence[Estimate] | None = None
    tracks: Sequence[Track] | None = None

    def lacks(self, header: Header, part: str) -> bool:
        """Return whether a part that has come with a header belongs here."""
        if self.header is None:
            return True
        return stamp_of(self.header) == stamp_of(header) and getattr(self, part) is None

    @property
    def complete(self) -> bool:
        """Whether nothing more comes of it."""
        return self.estimates is not None and self.tracks is not None


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
        self._window = _Window()
        self._trails: dict[int, deque[tuple[int, Track]]] = defaultdict(deque)
        self.diagnose('all estimates are usable')
        self._topic = self.topic(MarkerArray, 'markers', 10)
        if subscribe:
            self._subscribe(DoaEstimateArray, 'estimates', self._on_estimates)
            self._subscribe(DoaTrackArray, 'tracks', self._on_tracks)
        self.get_logger().info('arrows and trails for RViz')

    def _subscribe(self, message_type: type, topic: str, take: Callable[[object], None]) -> None:
        with overridable(topic) as options:
            self.create_subscription(message_type, topic, take, 10, qos_overriding_options=options)

    def _configure(self, config: MarkersConfig) -> None:
        self._config = config

    def _on_estimates(self, message: DoaEstimateArray) -> None:
        with self._diagnostics.dropping():
            self.process(message.header, directions_of(message))

    def _on_tracks(self, message: DoaTrackArray) -> None:
        with self._diagnostics.dropping():
            self.process_tracks(message.header, tracks_of(message))

    def process(self, header: Header, directions: WindowDirections) -> None:
        """Show the estimates of one window."""
        self._collect(header, estimates=directions.estimates)

    def process_tracks(self, header: Header, tracks: Sequence[Track]) -> None:
        """Show the tracks as of one window."""
        self._collect(header, tracks=tracks)

    def _collect(self, header: Header, **part: Sequence[Estimate] | Sequence[Track]) -> None:
        """Take estimates or tracks; show both of a window at once, or what has come of it."""
        if not self._topic.wanted:
            self._window = _Window()
            self._trails.clear()
            return
        if not self._window.lacks(header, *part):
            self._show()
        self._window = replace(self._window, header=header, **part)
        if self._window.complete:
            self._show()

    def _show(self) -> None:
        window, self._window = self._window, _Window()
        markers = []
        if window.tracks is not None:
            markers += self._track_markers(window.header, window.tracks)
        if window.estimates is not None:
            markers += estimate_markers(
                window.header,
                window.estimates,
                self._shown,
                self._config.arrow_length,
                ambiguity=self._ambiguity,
                faint=bool(self._trails),
            )
            self._shown = len(window.estimates)
        if markers:
            self._topic.publish(MarkerArray(markers=markers))

    def _track_markers(self, header: Header, tracks: Sequence[Track]) -> list[Marker]:
        stamp = stamp_of(header)
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
        return track_markers(header, trails, ended, self._config.arrow_length)


def main() -> int:
    """Run the node."""
    return run('doa_markers', lambda publishing: [DoaMarkersNode(publishing)])
