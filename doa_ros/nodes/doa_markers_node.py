# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Node `doa_markers`: from `estimates` to `markers` for RViz."""

from dataclasses import dataclass

from rclpy.node import Node
from visualization_msgs.msg import MarkerArray

from doa_ros.conversions import marker_array
from doa_ros.core.config import Config, setting
from doa_ros.core.errors import MessageError
from doa_ros.msg import DoaEstimateArray
from doa_ros.nodes.diagnostics import Diagnostics
from doa_ros.nodes.executable import run
from doa_ros.parameters import declare, follow


@dataclass(frozen=True)
class MarkersConfig(Config):
    """Parameters of the node."""

    arrow_length: float = setting(
        1.0,
        'Length of an arrow of confidence 1 [m].',
        minimum=0.01,
        maximum=100.0,
        dynamic=True,
    )


class DoaMarkersNode(Node):
    """Shows every estimate as an arrow.

    Args:
        subscribe: whether estimates come from the topic `estimates` rather than by `process`.
    """

    def __init__(self, *, subscribe: bool = True):
        super().__init__('doa_markers')
        self._config = declare(self, MarkersConfig)
        follow(self, self._config, self._configure)
        self._shown = 0
        self._diagnostics = Diagnostics(self, 'all estimates are usable')
        self._publisher = self.create_publisher(MarkerArray, 'markers', 10)
        if subscribe:
            self.create_subscription(DoaEstimateArray, 'estimates', self._on_estimates, 10)
        self.get_logger().info(f'{self._config}')

    def _configure(self, config: MarkersConfig) -> None:
        self._config = config

    def _on_estimates(self, message: DoaEstimateArray) -> None:
        try:
            self.process(message)
        except MessageError as error:
            self._diagnostics.reject(error)

    def process(self, message: DoaEstimateArray) -> None:
        """Show the estimates of one window."""
        if not self._publisher.get_subscription_count():
            return
        if message.estimates or self._shown:
            self._publisher.publish(
                marker_array(message, self._shown, self._config.arrow_length)
            )
            self._shown = len(message.estimates)


def main() -> int:
    """Run the node."""
    return run(lambda: [DoaMarkersNode()])
