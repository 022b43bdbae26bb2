# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Node `doa_tracker`: from `detections` to `tracks`, `target` and `target_vector`."""

from collections.abc import Callable, Sequence
import secrets

from std_msgs.msg import Header

from doa_ros.conversions.directions import directions_of, target_pose, target_vector, track_array
from doa_ros.core.ambiguity import Ambiguity, ambiguity_in_frame
from doa_ros.core.geometry import MicArray
from doa_ros.core.localization.window_directions import WindowDirections
from doa_ros.core.tracking.config import TrackerConfig
from doa_ros.core.tracking.track import NUMBERS, Track
from doa_ros.core.tracking.tracker import Tracker
from doa_ros.headers import StampOrder, check_header, stamp_of
from doa_ros.msg import DoaEstimateArray
from doa_ros.nodes.chain import ArrayNode
from doa_ros.nodes.configs import TRACKER, PaceConfig
from doa_ros.nodes.executable import run
from doa_ros.nodes.publishing_thread import PublishingThread
from doa_ros.nodes.topics import TARGET, TARGET_VECTOR, TRACKS
from doa_ros.parameters import declare

# Each run draws one of so many blocks of ids, and counts from 1 in it; all of them fit the int32
# of a marker.
_BLOCKS = 2**30 // NUMBERS


class DoaTrackerNode(ArrayNode):
    """Tracks talkers.

    Args:
        publishing: the thread that publishes.
        listener: takes the tracks of every window in this process, with its header.
        subscribe: whether array and detections come by topics rather than by `take_array` and
            `process`.
    """

    def __init__(
        self,
        publishing: PublishingThread,
        listener: Callable[[Header, Sequence[Track]], None] | None = None,
        *,
        subscribe: bool = True,
    ):
        super().__init__('doa_tracker', publishing, subscribe=subscribe)
        pace = declare(self, PaceConfig)
        self._config = declare(self, TrackerConfig, TRACKER)
        self._ambiguity: Ambiguity | None = None
        # With the time between the windows that it was made for [s].
        self._tracker: tuple[Tracker, float] | None = None
        self._listener = listener
        self.diagnose('all detections are usable')
        self._tracks = self.topic(TRACKS)
        self._target = self.topic(TARGET)
        self._vector = self.topic(TARGET_VECTOR)
        if subscribe:
            self._order = StampOrder()
            self.take_latest(DoaEstimateArray, 'detections', self._on_detections, pace)
        self.get_logger().info(
            f'tracks of talkers, for {self._config.prediction_time:g} s after the last was heard; '
            f'who is heard again within {self._config.track_timeout:g} s gets the same track'
        )

    def take_array(self, array: MicArray) -> None:
        """Track what an array hears from now on.

        Raises:
            DoaError: it resolves no azimuth.
        """
        self._tracker = None
        self._ambiguity = ambiguity_in_frame(array)

    def _on_detections(self, message: DoaEstimateArray) -> None:
        check_header(message.header)
        self._order.check(stamp_of(message.header))
        self.process(message.header, directions_of(message))

    def process(self, header: Header, detections: WindowDirections) -> None:
        """Take the detections of one window and pass on the tracks."""
        if self._ambiguity is None:
            return
        with self._diagnostics.dropping():
            tracker = self._tracker_for(detections.hop, self._ambiguity)
            tracks = tracker.update(
                stamp_of(header), detections.estimates, sound_age=detections.sound_age
            )
            self._pass_on(header, [track for track in tracks if track.confirmed])

    def _tracker_for(self, hop: float, ambiguity: Ambiguity) -> Tracker:
        """Return the tracker of windows that come every `hop` [s]."""
        if self._tracker is None or self._tracker[1] != hop:
            # Ids of an earlier one do not come again: one chance in a million.
            first_id = NUMBERS * secrets.randbelow(_BLOCKS) + 1
            self._tracker = Tracker(self._config, hop, ambiguity, first_id=first_id), hop
        return self._tracker[0]

    def _pass_on(self, header: Header, tracks: Sequence[Track]) -> None:
        self._tracks.publish(track_array(header, tracks))
        if tracks:
            self._target.publish(target_pose(header, tracks[0]))
            if self._vector.wanted:
                self._vector.publish(target_vector(header, tracks[0]))
        if self._listener is not None:
            self._listener(header, tracks)


def main() -> int:
    """Run the node."""
    return run('doa_tracker', lambda publishing: [DoaTrackerNode(publishing)])
