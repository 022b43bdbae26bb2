#!/usr/bin/env python3
# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Say whose face speaks, to ROS4HRI (REP-155): from `doa/tracks` to `humans/candidate_matches`.

Each track is a voice with the id `vN`. The faces are those of `humans/faces`, seen by one camera
near the array. The confidence of a match is the probability that the voice comes from this face,
where it may as well come from anywhere around; 0 ends a match. Needs the package hri_msgs.
"""

from dataclasses import dataclass
from functools import partial
import math
import sys

from rclpy.subscription import Subscription

from doa_ros.conversions.directions import tracks_of
from doa_ros.core.config import Config, setting
from doa_ros.core.geometry import wrap_angle
from doa_ros.core.tracking.track import Track
from doa_ros.msg import DoaTrackArray
from doa_ros.nodes.robot import RobotNode, spin
from doa_ros.parameters import declare

try:
    from hri_msgs.msg import IdsList, IdsMatch, NormalizedRegionOfInterest2D
except ImportError:
    sys.exit('match_faces needs hri_msgs: sudo apt install ros-$ROS_DISTRO-hri-msgs')

# A match is told again when its confidence has changed by this.
_CHANGE = 0.1


@dataclass(frozen=True)
class MatchConfig(Config):
    """Where faces are seen, and when one is that of a voice."""

    camera_yaw: float = setting(0.0, 'Yaw of the camera in the frame of the array [rad].')
    field_of_view: float = setting(1.05, 'Of the camera, across [rad].', minimum=0.1, maximum=3.0)
    face_stddev: float = setting(0.08, 'Of the angle between face and voice [rad].', minimum=0.01)
    confidence_min: float = setting(0.5, 'Smallest confidence.', minimum=0.2, maximum=1.0)
    timeout: float = setting(0.5, 'Older faces do not count [s].', minimum=0.1)


class MatchFaces(RobotNode):
    """Matches voices and faces."""

    def __init__(self) -> None:
        super().__init__('match_faces')
        self._config = declare(self, MatchConfig)
        self._regions: dict[str, NormalizedRegionOfInterest2D] = {}  # by the ids of faces
        self._topics: dict[str, Subscription] = {}
        # Confidences as they were told, by the ids of voice and face.
        self._told: dict[tuple[str, str], float] = {}
        self._voices = self.create_publisher(IdsList, 'humans/voices/tracked', 1)
        self._matches = self.create_publisher(IdsMatch, 'humans/candidate_matches', 10)
        self.create_subscription(IdsList, 'humans/faces/tracked', self._on_faces, 1)
        self.create_subscription(DoaTrackArray, 'doa/tracks', self._on_tracks, 1)

    def _on_faces(self, message: IdsList) -> None:
        for face in self._topics.keys() - set(message.ids):
            self.destroy_subscription(self._topics.pop(face))
            self._regions.pop(face, None)
        for face in set(message.ids) - self._topics.keys():
            self._topics[face] = self.create_subscription(
                NormalizedRegionOfInterest2D,
                f'humans/faces/{face}/roi',
                partial(self._regions.__setitem__, face),
                1,
            )

    def _on_tracks(self, message: DoaTrackArray) -> None:
        tracks = {f'v{track.id}': track for track in tracks_of(message)}
        self._voices.publish(IdsList(header=message.header, ids=list(tracks)))
        azimuths, stddev = self._azimuths(), self._config.face_stddev
        found = {
            (voice, face): confidence
            for voice, track in tracks.items()
            for face, confidence in confidences(track, azimuths, stddev).items()
            if confidence >= self._config.confidence_min
        }
        for pair in found.keys() | self._told.keys():
            confidence = found.get(pair, 0.0)
            if abs(confidence - self._told.get(pair, 0.0)) > _CHANGE:
                self._told[pair] = confidence
                match = IdsMatch(id1_type=IdsMatch.VOICE, id2_type=IdsMatch.FACE)
                (match.id1, match.id2), match.confidence = pair, confidence
                self._matches.publish(match)
        self._told = {pair: told for pair, told in self._told.items() if told}

    def _azimuths(self) -> dict[str, float]:
        config = self._config
        return {
            face: config.camera_yaw + azimuth_of(region.xmin, region.xmax, config.field_of_view)
            for face, region in self._regions.items()
            if self.age_of(region.header) <= config.timeout
        }


def azimuth_of(xmin: float, xmax: float, field_of_view: float) -> float:
    """Return how far left of the camera's axis a face is [rad], by its normalized edges."""
    return math.atan((1 - xmin - xmax) * math.tan(field_of_view / 2))


def confidences(track: Track, azimuths: dict[str, float], stddev: float) -> dict[str, float]:
    """Return the probability of each face that the voice of a track is its own."""
    stddev = math.hypot(track.azimuth_stddev, stddev)
    densities = {
        face: math.exp(-((wrap_angle(track.azimuth - azimuth) / stddev) ** 2) / 2) / stddev
        for face, azimuth in azimuths.items()
    }
    # Of a voice from anywhere around, on the same scale: times the square root of two pi.
    total = math.sqrt(2 * math.pi) / (2 * math.pi) + sum(densities.values())
    return {face: density / total for face, density in densities.items()}


if __name__ == '__main__':
    sys.exit(spin(MatchFaces))
