# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Node `doa_estimator`: from `gcc_phat` to `estimates`, `detections` and `spectrum`."""

from collections.abc import Callable

from rclpy.node import Node
from std_msgs.msg import Header

from doa_ros.audio.frame import StampOrder, stamp_of
from doa_ros.conversions import estimate_array, frame_from_gcc_phat, spectrum_message
from doa_ros.core.features import GccFrame
from doa_ros.core.localizer import Localizer, LocalizerConfig
from doa_ros.core.monitoring import Durations, Rate
from doa_ros.msg import DoaEstimateArray, DoaSpectrum, GccPhat
from doa_ros.nodes.diagnostics import Diagnostics
from doa_ros.nodes.executable import run
from doa_ros.nodes.inbox import Inbox
from doa_ros.nodes.model import ModelConfig, declare_features
from doa_ros.parameters import declare, follow


class DoaEstimatorNode(Node):
    """Finds directions in features.

    Args:
        listener: takes estimates and detections of every window in this process.
        subscribe: whether features come from the topic `gcc_phat` rather than by `process`.
    """

    def __init__(
        self,
        listener: Callable[[DoaEstimateArray, DoaEstimateArray], None] | None = None,
        *,
        subscribe: bool = True,
    ):
        super().__init__('doa_estimator')
        config = declare(self, ModelConfig)
        localizer_config = declare(self, LocalizerConfig)
        self._array, model, self._features = declare_features(
            self, config, localizer_config.method
        )
        self._localizer = Localizer(self._array, self._features, localizer_config, model)
        follow(self, localizer_config, self._localizer.configure)
        self._listener = listener
        self._inference = Durations('inference')
        self._rate = Rate('estimates [1/s]', 'no features arrive: is gcc_phat running?')
        self._diagnostics = Diagnostics(
            self, 'the features arrive', [self._rate.status, self._inference.status]
        )
        self._estimates = self.create_publisher(DoaEstimateArray, 'estimates', 10)
        self._detections = self.create_publisher(DoaEstimateArray, 'detections', 10)
        self._spectrum = self.create_publisher(DoaSpectrum, 'spectrum', 10)
        if subscribe:
            self._order = StampOrder()
            self._previous: int | None = None
            self._inbox = Inbox(
                self,
                GccPhat,
                'gcc_phat',
                self._on_gcc_phat,
                self._diagnostics,
                lasts=lambda _: self._features.hop,
                limit=self._features.window,
            )
        self.get_logger().info(f'{config} {localizer_config} {self._features}')

    def _on_gcc_phat(self, message: GccPhat) -> None:
        frame = frame_from_gcc_phat(message, self._array, self._features, self._previous)
        self._order.check(stamp_of(message.header))
        self._previous = message.first_sample_index
        self.process(message.header, frame)

    def process(self, header: Header, frame: GccFrame) -> None:
        """Take features and pass on the directions in them."""
        with self._inference.measure():
            result = self._localizer.locate(frame)
        self._rate.add()
        estimates, detections = (
            estimate_array(header, self._features.window, found, frame.age)
            for found in (result.estimates, result.detections)
        )
        self._estimates.publish(estimates)
        if self._detections.get_subscription_count():
            self._detections.publish(detections)
        if self._spectrum.get_subscription_count():
            self._spectrum.publish(
                spectrum_message(
                    header, self._features.window, result.spectrum, self._localizer.grid
                )
            )
        if self._listener is not None:
            self._listener(estimates, detections)


def main() -> int:
    """Run the node."""
    return run(lambda: [DoaEstimatorNode()])
