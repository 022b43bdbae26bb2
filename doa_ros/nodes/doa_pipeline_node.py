# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Executable `doa_pipeline`: all nodes in one process, joined by calls instead of topics."""

from std_msgs.msg import Header

from doa_ros.core.geometry import MicArray
from doa_ros.core.localization.window_directions import WindowDirections
from doa_ros.nodes.audio_capture_node import AudioCaptureNode
from doa_ros.nodes.chain import ArrayNode, ChainNode
from doa_ros.nodes.doa_estimator_node import DoaEstimatorNode
from doa_ros.nodes.doa_markers_node import DoaMarkersNode
from doa_ros.nodes.doa_tracker_node import DoaTrackerNode
from doa_ros.nodes.executable import run
from doa_ros.nodes.gcc_phat_node import GccPhatNode
from doa_ros.nodes.publishing_thread import PublishingThread


def make_nodes(publishing: PublishingThread) -> list[ChainNode]:
    """Return the nodes of the chain; each keeps its own name, parameters and topics.

    Raises:
        StartError: one of them cannot work for the array.
        DoaError: another reason why the last node that was made cannot start.
    """
    markers = DoaMarkersNode(publishing, subscribe=False)
    tracker = DoaTrackerNode(publishing, markers.process_tracks, subscribe=False)

    def on_window(
        header: Header, estimates: WindowDirections, detections: WindowDirections
    ) -> None:
        tracker.process(header, detections)
        markers.process(header, estimates)

    estimator = DoaEstimatorNode(publishing, on_window, subscribe=False)
    gcc_phat = GccPhatNode(publishing, estimator.process, subscribe=False)

    def on_array(array: MicArray) -> None:
        receivers: list[ArrayNode] = [gcc_phat, estimator, tracker, markers]
        for node in receivers:
            with node.starting():
                node.take_array(array)
        with estimator.starting():
            estimator.take_features(gcc_phat.features)

    capture = AudioCaptureNode(publishing, gcc_phat.process, on_array)
    return [capture, gcc_phat, estimator, tracker, markers]


def main() -> int:
    """Run the nodes."""
    return run('doa_pipeline', make_nodes)
