# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Node `doa_tracker`: from `detections` to `tracks`, `target` and `target_vector`."""

from collections.abc import Callable, Sequence
import secrets

from geometry_msgs.msg import PoseStamped, Vector3Stamped
from std_msgs.msg import Header

from doa_ros.conversions import directions_of, target_pose, target_vector, track_array
from doa_ros.core.localization.window_directions import WindowDirections
from doa_ros.core.tracking.config import TrackerConfig
from doa_ros.core.tracking.track import Track
from doa_ros.core.tracking.tracker import Tracker
from doa_ros.headers import StampOrder, check_header, stamp_of
from doa_ros.msg import DoaEstimateArray, DoaTrackArray
from doa_ros.nodes.chain import ChainNode
from doa_ros.nodes.configs import HopConfig, PaceConfig
from doa_ros.nodes.executable import run
from doa_ros.nodes.latest_subscription import LatestSubscription
from doa_ros.nodes.model import declare_ambiguity
from doa_ros.nodes.publishing_thread import PublishingThread, depth_of
from doa_ros.parameters import declare

# The rest of a uint32, and of the int32 of a marker, is left for counting on.
_FIRST_IDS = 2**30


class DoaTrackerNode(ChainNode):
    """Follows talkers.

    Args:
        publishing: the thread that publishes.
        listener: takes the tracks of every window in this process, with its header.
        subscribe: whether detections come from the topic of this name rather than by `process`.
    """

    def __init__(
        self,
        publishing: PublishingThread,
        listener: Callable[[Header, Sequence[Track]], None] | None = None,
        *,
        subscribe: bool = True,
    ):
        super().__init__('doa_tracker', publishing)
        hop = declare(self, HopConfig).hop
        pace = declare(self, PaceConfig)
        config = declare(self, TrackerConfig)
        # Ids of an earlier run do not come again: one chance in a billion per track.
        first_id = 1 + secrets.randbelow(_FIRST_IDS)
        self._tracker = Tracker(config, hop, declare_ambiguity(self), first_id=first_id)
        self._listener = listener
        self.diagnose('all detections are usable')
        depth = depth_of(hop)

        self._tracks = self.topic(DoaTrackArray, 'tracks', depth)
        self._target = self.topic(PoseStamped, 'target', depth)
        self._vector = self.topic(Vector3Stamped, 'target_vector', depth)
        if subscribe:
            self._order = StampOrder()
            self._subscription = LatestSubscription(
                self,
                DoaEstimateArray,
                'detections',
                self._on_detections,
                self._diagnostics,
                publishing,
                pace,
                limit=2 * hop,
            )
        self.get_logger().info(
            f'tracks of talkers, for {config.track_timeout:g} s after they were heard'
        )

    def _on_detections(self, message: DoaEstimateArray) -> None:
        check_header(message.header)
        self._order.check(stamp_of(message.header))
        self.process(message.header, directions_of(message))

    def process(self, header: Header, detections: WindowDirections) -> None:
        """Take the detections of one window and pass on the tracks."""
        with self._diagnostics.dropping():
            tracks = self._tracker.update(
                stamp_of(header), detections.estimates, sound_age=detections.sound_age
            )
            self._pass_on(header, [track for track in tracks if track.confirmed])

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
