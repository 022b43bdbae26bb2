# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Which topics each node publishes."""

from dataclasses import dataclass

from geometry_msgs.msg import PoseStamped, Vector3Stamped
from visualization_msgs.msg import MarkerArray

from doa_ros.msg import (
    AudioFrame,
    DoaEstimateArray,
    DoaSpectrum,
    DoaTrackArray,
    GccPhat,
    MicArrayInfo,
)


@dataclass(frozen=True)
class PublishedTopic:
    """A topic that a node publishes.

    Attributes:
        name: in the namespace of the node.
        message_type: of its messages.
        description: what it says and when, for people.
    """

    name: str
    message_type: type
    description: str


AUDIO = PublishedTopic(
    'audio',
    AudioFrame,
    'the sound of all channels; only with `publish_audio`, and while someone subscribes',
)
ARRAY_INFO = PublishedTopic(
    'array_info', MicArrayInfo, 'latched: microphone positions in the frame of the array'
)
TRUTH = PublishedTopic(
    'truth', DoaEstimateArray, 'where the talkers really are; only with source `sim`'
)
GCC_PHAT = PublishedTopic(
    'gcc_phat',
    GccPhat,
    'the features: of the UMA-8, 15 pairs x 39 lags; only while someone subscribes',
)
ESTIMATES = PublishedTopic(
    'estimates', DoaEstimateArray, '20 per second: directions; empty when nothing is heard'
)
DETECTIONS = PublishedTopic(
    'detections',
    DoaEstimateArray,
    'possible sources, including doubtful ones, for doa_tracker: those of each window alone or, '
    'with uma8_several, the peaks of the recurrent filter; only while someone subscribes',
)
SPECTRUM = PublishedTopic(
    'spectrum', DoaSpectrum, 'probability per direction; only while someone subscribes'
)
TRACKS = PublishedTopic(
    'tracks',
    DoaTrackArray,
    '20 per second: talkers with smoothed directions, predicted for half a second when all are '
    'silent, each with a number that is the same after a pause and that no other talker gets, not '
    'even after a restart',
)
TARGET = PublishedTopic(
    'target',
    PoseStamped,
    '+x points to the most confident track; only while there is one in `tracks`',
)
TARGET_VECTOR = PublishedTopic(
    'target_vector',
    Vector3Stamped,
    'the same as a unit vector; only while someone subscribes',
)
WINDOW_MARKERS = PublishedTopic(
    'markers',
    MarkerArray,
    'for RViz, of ten windows a second: an arrow per estimate; per track, in its own colour, an '
    'arrow, number, azimuth and confidence, a cone of one standard deviation, and a trail of '
    'where the tip was; the spectrum as a ring; only while someone subscribes',
)
ARRAY_MARKERS = PublishedTopic(
    'array_markers',
    MarkerArray,
    'for RViz, latched: the microphones in their true size with the numbers of their channels, '
    'and a dial of azimuths',
)

# By node, in the order of the chain.
TOPICS: dict[str, tuple[PublishedTopic, ...]] = {
    'audio_capture': (AUDIO, ARRAY_INFO, TRUTH),
    'gcc_phat': (GCC_PHAT,),
    'doa_estimator': (ESTIMATES, DETECTIONS, SPECTRUM),
    'doa_tracker': (TRACKS, TARGET, TARGET_VECTOR),
    'doa_markers': (WINDOW_MARKERS, ARRAY_MARKERS),
}
