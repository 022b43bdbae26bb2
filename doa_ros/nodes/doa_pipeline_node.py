# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Executable `doa_pipeline`: all nodes in one process, joined by calls instead of topics."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from std_msgs.msg import Header

from doa_ros.core.geometry import MicArray
from doa_ros.core.localization.window_directions import WindowDirections
from doa_ros.nodes.audio_capture_node import AudioCaptureNode
from doa_ros.nodes.chain import ArrayNode, ChainNode
from doa_ros.nodes.doa_estimator_node import DoaEstimatorNode
from doa_ros.nodes.doa_markers_node import DoaMarkersNode
from doa_ros.nodes.doa_tracker_node import DoaTrackerNode
from doa_ros.nodes.executable import run_nodes
from doa_ros.nodes.gcc_phat_node import GccPhatNode
from doa_ros.nodes.publishing_thread import PublishingThread
from doa_ros.nodes.usage import parse
from doa_ros.nodes.viewer import ViewerNode


def make_nodes(
    publishing: PublishingThread, viewers: Iterable[Callable[..., ViewerNode]] = ()
) -> list[ChainNode]:
    """Return the nodes of the chain; each keeps its own name, parameters and topics.

    Args:
        publishing: the thread that publishes.
        viewers: make those that show what the others find, as far as they are asked for.

    Raises:
        StartError: one of them cannot work for the array.
        DoaError: another reason why the last node that was made cannot start.
    """
    shown = [viewer(publishing, subscribe=False) for viewer in viewers]
    markers = DoaMarkersNode(publishing, subscribe=False)
    on_tracks = _each(markers.process_tracks, *(viewer.process_tracks for viewer in shown))
    tracker = DoaTrackerNode(publishing, on_tracks, subscribe=False)

    def on_window(
        header: Header, estimates: WindowDirections, detections: WindowDirections
    ) -> None:
        tracker.process(header, detections)
        markers.process(header, estimates)
        for viewer in shown:
            viewer.process(header, estimates)

    on_spectrum = _each(markers.process_spectrum, *(viewer.process_spectrum for viewer in shown))
    estimator = DoaEstimatorNode(publishing, on_window, on_spectrum, subscribe=False)
    on_features = _each(estimator.process, *(viewer.process_features for viewer in shown))
    gcc_phat = GccPhatNode(publishing, on_features, subscribe=False)

    def on_array(array: MicArray) -> None:
        receivers: list[ArrayNode] = [gcc_phat, estimator, tracker, markers, *shown]
        for node in receivers:
            with node.starting():
                node.take_array(array)
        with estimator.starting():
            estimator.take_features(gcc_phat.features)
        for viewer in shown:
            viewer.take_features(gcc_phat.features)

    on_block = _each(gcc_phat.process, *(viewer.process_block for viewer in shown))
    capture = AudioCaptureNode(publishing, on_block, on_array)
    return [capture, gcc_phat, estimator, tracker, markers, *shown]


def _each(*listeners: Callable[[Header, Any], None]) -> Callable[[Header, Any], None]:
    """Return what calls each of the listeners, in this order."""
    if len(listeners) == 1:
        return listeners[0]

    def call(header: Header, content: Any) -> None:
        for listener in listeners:
            listener(header, content)

    return call


def _dashboard() -> type[ViewerNode]:
    from doa_ros.nodes.doa_dashboard_node import DoaDashboardNode

    return DoaDashboardNode


def _foxglove() -> type[ViewerNode]:
    from doa_ros.nodes.doa_foxglove_node import DoaFoxgloveNode

    return DoaFoxgloveNode


# What the options do, and what then loads their nodes: most robots do without.
_VIEWERS = {
    '--dashboard': ('serve the live page, too', _dashboard),
    '--foxglove': ('serve Foxglove, too', _foxglove),
}


def main() -> int:
    """Run the nodes."""
    chosen = parse('doa_pipeline', {option: text for option, (text, _) in _VIEWERS.items()})
    viewers = [load() for option, (_, load) in _VIEWERS.items() if option in chosen]
    return run_nodes('doa_pipeline', partial(make_nodes, viewers=viewers))
