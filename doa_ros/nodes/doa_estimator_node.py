# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Node `doa_estimator`: from `gcc_phat` to `estimates`, `detections` and `spectrum`."""

from collections.abc import Callable

from rclpy.node import Node
from std_msgs.msg import Header

from doa_ros.audio.frame import StampOrder, stamp_of
from doa_ros.conversions import estimate_array, frame_from_gcc_phat, spectrum_message
from doa_ros.core.ambiguity import ambiguity_in_frame
from doa_ros.core.features import GccFrame
from doa_ros.core.localizer import Localization, Localizer, LocalizerConfig
from doa_ros.core.monitoring import Durations, Rate
from doa_ros.msg import DoaEstimateArray, DoaSpectrum, GccPhat
from doa_ros.nodes.configs import ModelConfig
from doa_ros.nodes.diagnostics import Diagnostics
from doa_ros.nodes.executable import run
from doa_ros.nodes.inbox import Inbox
from doa_ros.nodes.model import declare_features
from doa_ros.nodes.outbox import Outbox, Topic, depth_of
from doa_ros.parameters import declare, follow


class DoaEstimatorNode(Node):
    """Finds directions in features.

    Args:
        outbox: publishes.
        listener: takes estimates and detections of every window in this process.
        subscribe: whether features come from the topic `gcc_phat` rather than by `process`.
    """

    def __init__(
        self,
        outbox: Outbox,
        listener: Callable[[DoaEstimateArray, DoaEstimateArray], None] | None = None,
        *,
        subscribe: bool = True,
    ):
        super().__init__('doa_estimator')
        config = declare(self, ModelConfig)
        localizer_config = declare(self, LocalizerConfig)
        self._array, model, self._features, difference = declare_features(
            self, config, localizer_config.method
        )
        if difference:
            self.get_logger().warning(difference)
        self._localizer = Localizer(self._array, self._features, localizer_config, model)
        follow(self, localizer_config, self._localizer.configure)
        self._listener = listener
        self._inference = Durations('inference')
        self._rate = Rate('estimates [1/s]', 'no features arrive: is gcc_phat running?')
        self._diagnostics = Diagnostics(
            self, outbox, 'the features arrive', [self._rate.status, self._inference.status]
        )
        depth = depth_of(self._features.hop)

        def topic(message_type, name) -> Topic:
            return outbox.topic(
                self, message_type, name, depth, self._diagnostics.note_publishing
            )

        self._estimates = topic(DoaEstimateArray, 'estimates')
        self._detections = topic(DoaEstimateArray, 'detections')
        self._spectrum = topic(DoaSpectrum, 'spectrum')
        if subscribe:
            self._order = StampOrder()
            self._previous: int | None = None
            self._inbox = Inbox(
                self,
                GccPhat,
                'gcc_phat',
                self._on_gcc_phat,
                self._diagnostics,
                limit=self._features.window,
            )
        self.get_logger().info(f'{config} {localizer_config} {self._features}')
        self.get_logger().info(
            f'array {self._array.name!r}: {ambiguity_in_frame(self._array)}'
        )

    def _on_gcc_phat(self, message: GccPhat) -> None:
        frame = frame_from_gcc_phat(message, self._array, self._features, self._previous)
        self._order.check(stamp_of(message.header))
        self._previous = message.first_sample_index
        self.process(message.header, frame)

    def process(self, header: Header, frame: GccFrame) -> None:
        """Take features and pass on the directions in them."""
        with self._diagnostics.dropping():
            with self._inference.measure():
                result = self._localizer.locate(frame)
            self._rate.add()
            self._pass_on(header, frame, result)

    def _pass_on(self, header: Header, frame: GccFrame, result: Localization) -> None:
        estimates, detections = (
            estimate_array(header, self._features.window, found, frame.age)
            for found in (result.estimates, result.detections)
        )
        self._estimates.publish(estimates)
        if self._detections.wanted:
            self._detections.publish(detections)
        if self._spectrum.wanted:
            self._spectrum.publish(
                spectrum_message(
                    header, self._features.window, result.spectrum, self._localizer.grid
                )
            )
        if self._listener is not None:
            self._listener(estimates, detections)


def main() -> int:
    """Run the node."""
    return run(lambda outbox: [DoaEstimatorNode(outbox)])
