# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Node `doa_markers`: from `estimates` and `tracks` to `markers` for RViz."""

from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from std_msgs.msg import Header
from visualization_msgs.msg import Marker, MarkerArray

from doa_ros.conversions.directions import directions_of, tracks_of
from doa_ros.core.ambiguity import Ambiguity, ambiguity_in_frame
from doa_ros.core.geometry import MicArray
from doa_ros.core.localization.decoding import Estimate
from doa_ros.core.localization.window_directions import WindowDirections
from doa_ros.core.tracking.track import Track
from doa_ros.core.units import NANOSECONDS
from doa_ros.headers import stamp_of
from doa_ros.markers import estimate_markers, track_markers
from doa_ros.msg import DoaEstimateArray, DoaTrackArray
from doa_ros.nodes.chain import ArrayNode
from doa_ros.nodes.configs import MARKERS, MarkersConfig
from doa_ros.nodes.executable import run
from doa_ros.nodes.publishing_thread import PublishingThread
from doa_ros.nodes.qos import overridable
from doa_ros.nodes.topics import MARKER_ARRAY
from doa_ros.parameters import declare, on_change


@dataclass(frozen=True)
class _WindowParts:
    """What has come of a window; None for what has not."""

    header: Header
    estimates: Sequence[Estimate] | None = None
    tracks: Sequence[Track] | None = None

    @property
    def complete(self) -> bool:
        """Whether nothing more comes of it."""
        return self.estimates is not None and self.tracks is not None

    def joined(self, later: '_WindowParts') -> '_WindowParts | None':
        """Return this with the part that came later; None where that is of another window."""
        if stamp_of(later.header) != stamp_of(self.header):
            return None
        if self.estimates is None and later.tracks is None:
            return replace(self, estimates=later.estimates)
        if self.tracks is None and later.estimates is None:
            return replace(self, tracks=later.tracks)
        return None


class DoaMarkersNode(ArrayNode):
    """Shows every track as an arrow with a trail and its number, and every estimate as an arrow.

    Args:
        publishing: the thread that publishes.
        subscribe: whether array, estimates and tracks come by topics rather than by `take_array`,
            `process` and `process_tracks`.
    """

    def __init__(self, publishing: PublishingThread, *, subscribe: bool = True):
        super().__init__('doa_markers', publishing, subscribe=subscribe)
        self._config = declare(self, MarkersConfig, MARKERS)
        on_change(self, self._config, self._configure, MARKERS)
        self._ambiguity: Ambiguity | None = None
        self._shown = 0
        self._window: _WindowParts | None = None
        self._trails: dict[int, deque[tuple[int, Track]]] = defaultdict(deque)
        self.diagnose('all estimates are usable')
        self._topic = self.topic(MARKER_ARRAY, 10)
        if subscribe:
            self._subscribe(DoaEstimateArray, 'estimates', self._on_estimates)
            self._subscribe(DoaTrackArray, 'tracks', self._on_tracks)
        self.get_logger().info('arrows and trails for RViz')

    def _subscribe(self, message_type: type, topic: str, take: Callable[[Any], None]) -> None:
        with overridable(topic) as options:
            self.create_subscription(message_type, topic, take, 10, qos_overriding_options=options)

    def take_array(self, array: MicArray) -> None:
        """Show what an array hears from now on.

        Raises:
            DoaError: it resolves no azimuth.
        """
        self._ambiguity = ambiguity_in_frame(array)

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
        self._take(_WindowParts(header, estimates=directions.estimates))

    def process_tracks(self, header: Header, tracks: Sequence[Track]) -> None:
        """Show the tracks as of one window."""
        self._take(_WindowParts(header, tracks=tracks))

    def _take(self, part: _WindowParts) -> None:
        """Take estimates or tracks; show both of a window at once, or what has come of it."""
        if self._ambiguity is None:
            return
        if not self._topic.wanted:
            self._window = None
            self._trails.clear()
            return
        window = part
        if self._window is not None:
            joined = self._window.joined(part)
            if joined is None:
                self._show(self._window, self._ambiguity)
            else:
                window = joined
        self._window = None if window.complete else window
        if window.complete:
            self._show(window, self._ambiguity)

    def _show(self, window: _WindowParts, ambiguity: Ambiguity) -> None:
        markers = []
        if window.tracks is not None:
            markers += self._track_markers(window.header, window.tracks)
        if window.estimates is not None:
            markers += estimate_markers(
                window.header,
                window.estimates,
                self._shown,
                self._config.arrow_length,
                ambiguity=ambiguity,
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
