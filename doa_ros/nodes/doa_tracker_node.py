# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Node `doa_tracker`: from `detections` to `tracks`, `target` and `target_vector`."""

from collections.abc import Callable
from dataclasses import dataclass

from geometry_msgs.msg import PoseStamped, Vector3Stamped
from rclpy.node import Node

from doa_ros.audio.frame import StampOrder, check_header, stamp_of
from doa_ros.conversions import estimates_of, target_pose, target_vector, track_array
from doa_ros.core.config import Config, setting
from doa_ros.core.features import FeatureConfig
from doa_ros.core.tracking import Tracker, TrackerConfig
from doa_ros.msg import DoaEstimateArray, DoaTrackArray
from doa_ros.nodes.diagnostics import Diagnostics
from doa_ros.nodes.executable import run
from doa_ros.nodes.inbox import Inbox
from doa_ros.parameters import declare

# An estimator that has stood still may have so much waiting [s].
_LATE = 0.5


@dataclass(frozen=True)
class HopConfig(Config):
    """What this node has to know of the features."""

    hop: float = setting(
        FeatureConfig.hop,
        'Time between windows [s], as in gcc_phat.',
        minimum=0.005,
        maximum=1.0,
    )


class DoaTrackerNode(Node):
    """Follows talkers.

    Args:
        listener: takes all tracks in this process.
        subscribe: whether detections come from the topic of this name rather than by `process`.
    """

    def __init__(
        self, listener: Callable[[DoaTrackArray], None] | None = None, *, subscribe: bool = True
    ):
        super().__init__('doa_tracker')
        hop = declare(self, HopConfig).hop
        config = declare(self, TrackerConfig)
        self._tracker = Tracker(config, hop)
        self._listener = listener
        self._diagnostics = Diagnostics(self, 'all detections are usable')
        self._tracks = self.create_publisher(DoaTrackArray, 'tracks', 10)
        self._target = self.create_publisher(PoseStamped, 'target', 10)
        self._vector = self.create_publisher(Vector3Stamped, 'target_vector', 10)
        if subscribe:
            self._order = StampOrder()
            self._inbox = Inbox(
                self,
                DoaEstimateArray,
                'detections',
                self._on_detections,
                self._diagnostics,
                lasts=lambda _: hop,
                limit=_LATE,
            )
        self.get_logger().info(f'{config}')

    def _on_detections(self, message: DoaEstimateArray) -> None:
        check_header(message.header)
        self._order.check(stamp_of(message.header))
        self.process(message)

    def process(self, message: DoaEstimateArray) -> None:
        """Take the detections of one window and pass on the tracks.

        Raises:
            MessageError: a detection is not usable.
        """
        tracks = self._tracker.update(
            stamp_of(message.header), estimates_of(message), age=message.age
        )
        found = track_array(message.header, tracks)
        self._tracks.publish(found)
        if found.tracks:
            self._target.publish(target_pose(message.header, tracks[0]))
            if self._vector.get_subscription_count():
                self._vector.publish(target_vector(message.header, tracks[0]))
        if self._listener is not None:
            self._listener(found)


def main() -> int:
    """Run the node."""
    return run(lambda: [DoaTrackerNode()])
