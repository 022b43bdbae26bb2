# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Node `doa_markers`: from `estimates` and `tracks` to `markers` for RViz."""

from collections import defaultdict, deque

from rclpy.node import Node
from visualization_msgs.msg import MarkerArray

from doa_ros.audio.frame import stamp_of
from doa_ros.audio.source import NANOSECONDS
from doa_ros.conversions import marker_array, track_markers, tracks_of
from doa_ros.core.tracking import Track
from doa_ros.msg import DoaEstimateArray, DoaTrackArray
from doa_ros.nodes.configs import MarkersConfig
from doa_ros.nodes.diagnostics import Diagnostics
from doa_ros.nodes.executable import run
from doa_ros.nodes.model import declare_ambiguity
from doa_ros.nodes.outbox import Outbox
from doa_ros.parameters import declare, follow


class DoaMarkersNode(Node):
    """Shows every track as an arrow with a trail, and every estimate as an arrow.

    Args:
        outbox: publishes.
        subscribe: whether estimates and tracks come from the topics `estimates` and `tracks`
            rather than by `process` and `process_tracks`.
    """

    def __init__(self, outbox: Outbox, *, subscribe: bool = True):
        super().__init__('doa_markers')
        self._config = declare(self, MarkersConfig)
        follow(self, self._config, self._configure)
        self._ambiguity = declare_ambiguity(self)
        self._shown = 0
        self._trails: dict[int, deque[tuple[int, Track]]] = defaultdict(deque)
        self._diagnostics = Diagnostics(self, outbox, 'all estimates are usable')
        self._topic = outbox.topic(
            self, MarkerArray, 'markers', 10, self._diagnostics.note_publishing
        )
        if subscribe:
            self.create_subscription(DoaEstimateArray, 'estimates', self.process, 10)
            self.create_subscription(DoaTrackArray, 'tracks', self.process_tracks, 10)
        self.get_logger().info(f'{self._config}')

    def _configure(self, config: MarkersConfig) -> None:
        self._config = config

    def process_tracks(self, message: DoaTrackArray) -> None:
        """Show the tracks as of one window."""
        with self._diagnostics.dropping():
            if self._topic.wanted:
                self._show_tracks(message)
            else:
                self._trails.clear()

    def _show_tracks(self, message: DoaTrackArray) -> None:
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
        if tracks or ended:
            trails = {number: [t for _, t in trail] for number, trail in self._trails.items()}
            self._topic.publish(
                track_markers(message.header, trails, ended, self._config.arrow_length)
            )

    def process(self, message: DoaEstimateArray) -> None:
        """Show the estimates of one window."""
        with self._diagnostics.dropping():
            if self._topic.wanted and (message.estimates or self._shown):
                self._topic.publish(
                    marker_array(
                        message,
                        self._shown,
                        self._config.arrow_length,
                        ambiguity=self._ambiguity,
                        faint=bool(self._trails),
                    )
                )
                self._shown = len(message.estimates)


def main() -> int:
    """Run the node."""
    return run(lambda outbox: [DoaMarkersNode(outbox)])
