# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Executable `doa_pipeline`: all nodes in one process, joined by calls instead of topics."""

from collections.abc import Callable
from functools import partial
from typing import Any

from std_msgs.msg import Header

from doa_ros.core.geometry import MicArray
from doa_ros.core.localization.window_directions import WindowDirections
from doa_ros.nodes.audio_capture_node import AudioCaptureNode
from doa_ros.nodes.chain import ArrayNode, ChainNode
from doa_ros.nodes.doa_dashboard_node import DoaDashboardNode
from doa_ros.nodes.doa_estimator_node import DoaEstimatorNode
from doa_ros.nodes.doa_markers_node import DoaMarkersNode
from doa_ros.nodes.doa_tracker_node import DoaTrackerNode
from doa_ros.nodes.executable import run, run_nodes
from doa_ros.nodes.gcc_phat_node import GccPhatNode
from doa_ros.nodes.publishing_thread import PublishingThread


def make_nodes(publishing: PublishingThread, *, dashboard: bool = False) -> list[ChainNode]:
    """Return the nodes of the chain; each keeps its own name, parameters and topics.

    Args:
        publishing: the thread that publishes.
        dashboard: whether doa_dashboard is one of them.

    Raises:
        StartError: one of them cannot work for the array.
        DoaError: another reason why the last node that was made cannot start.
    """
    pages = [DoaDashboardNode(publishing, subscribe=False)] if dashboard else []
    markers = DoaMarkersNode(publishing, subscribe=False)
    on_tracks = _each(markers.process_tracks, *(page.process_tracks for page in pages))
    tracker = DoaTrackerNode(publishing, on_tracks, subscribe=False)

    def on_window(
        header: Header, estimates: WindowDirections, detections: WindowDirections
    ) -> None:
        tracker.process(header, detections)
        markers.process(header, estimates)
        for page in pages:
            page.process(header, estimates)

    on_spectrum = _each(markers.process_spectrum, *(page.process_spectrum for page in pages))
    estimator = DoaEstimatorNode(publishing, on_window, on_spectrum, subscribe=False)
    on_features = _each(estimator.process, *(page.process_features for page in pages))
    gcc_phat = GccPhatNode(publishing, on_features, subscribe=False)

    def on_array(array: MicArray) -> None:
        receivers: list[ArrayNode] = [gcc_phat, estimator, tracker, markers, *pages]
        for node in receivers:
            with node.starting():
                node.take_array(array)
        with estimator.starting():
            estimator.take_features(gcc_phat.features)
        for page in pages:
            page.take_features(gcc_phat.features)

    on_block = _each(gcc_phat.process, *(page.process_block for page in pages))
    capture = AudioCaptureNode(publishing, on_block, on_array)
    return [capture, gcc_phat, estimator, tracker, markers, *pages]


def _each(*listeners: Callable[[Header, Any], None]) -> Callable[[Header, Any], None]:
    """Return what calls each of the listeners, in this order."""
    if len(listeners) == 1:
        return listeners[0]

    def call(header: Header, content: Any) -> None:
        for listener in listeners:
            listener(header, content)

    return call


def main() -> int:
    """Run the nodes."""
    with_page = partial(make_nodes, dashboard=True)
    page = 'serve the live page, too', lambda: run_nodes('doa_pipeline', with_page)
    return run('doa_pipeline', make_nodes, {'--dashboard': page})
