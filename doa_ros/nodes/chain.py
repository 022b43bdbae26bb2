# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What all nodes of the chain have in common."""

from collections.abc import Callable, Sequence

from rclpy.node import Node
from rclpy.qos import QoSProfile

from doa_ros.core.monitoring import Status
from doa_ros.nodes.diagnostics import Diagnostics
from doa_ros.nodes.publishing_thread import PublishingThread, Topic


class ChainNode(Node):
    """A node that publishes by the thread of its process and says how it is.

    Args:
        name: of the node.
        publishing: the thread that publishes.
    """

    def __init__(self, name: str, publishing: PublishingThread):
        super().__init__(name)
        publishing.nodes.append(self)
        self._publishing = publishing

    def diagnose(self, ok: str, parts: Sequence[Callable[[], Status]] = ()) -> Diagnostics:
        """Return diagnostics, as `Diagnostics` says; topics come after them."""
        self._diagnostics = Diagnostics(self, self._publishing, ok, parts)
        return self._diagnostics

    def topic(self, message_type: type, name: str, qos: QoSProfile | int) -> Topic:
        """Return a topic to publish on."""
        note = self._diagnostics.note_publishing
        return self._publishing.topic(self, message_type, name, qos, note)


class WorkerNode(ChainNode):
    """A node with work of its own besides callbacks. When the work ends, so does the process."""

    def work(self) -> None:
        """Work in a thread of its own until done or interrupted; may raise DoaError."""
        raise NotImplementedError

    def interrupt(self) -> None:
        """Make `work` return, from any thread."""
        raise NotImplementedError
