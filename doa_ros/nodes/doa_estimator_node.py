# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Node `doa_estimator`: from `gcc_phat` to `estimates`, `detections` and `spectrum`."""

from collections.abc import Callable

from std_msgs.msg import Header
from std_srvs.srv import SetBool

from doa_ros.conversions import estimate_array, frame_from_gcc_phat, spectrum_message
from doa_ros.core.ambiguity import ambiguity_in_frame
from doa_ros.core.features.extractor import WindowFeatures
from doa_ros.core.localization.localizer import Localizer, LocalizerConfig
from doa_ros.core.localization.source_filter import Localization
from doa_ros.core.localization.window_directions import WindowDirections
from doa_ros.core.monitoring import Durations, Level, Rate, Status
from doa_ros.headers import StampOrder, stamp_of
from doa_ros.msg import DoaEstimateArray, DoaSpectrum, GccPhat
from doa_ros.nodes.chain import ChainNode
from doa_ros.nodes.configs import ModelConfig, PaceConfig
from doa_ros.nodes.executable import run
from doa_ros.nodes.latest_subscription import LatestSubscription
from doa_ros.nodes.model import declare_features
from doa_ros.nodes.publishing_thread import PublishingThread, depth_of
from doa_ros.parameters import declare, on_change


class DoaEstimatorNode(ChainNode):
    """Finds directions in features.

    Args:
        publishing: the thread that publishes.
        listener: takes estimates and detections of every window in this process, with its header.
        subscribe: whether features come from the topic `gcc_phat` rather than by `process`.
    """

    def __init__(
        self,
        publishing: PublishingThread,
        listener: Callable[[Header, WindowDirections, WindowDirections], None] | None = None,
        *,
        subscribe: bool = True,
    ):
        super().__init__('doa_estimator', publishing)
        config = declare(self, ModelConfig)
        pace = declare(self, PaceConfig)
        localizer_config = declare(self, LocalizerConfig)
        self._array, model, self._features, difference = declare_features(
            self, config, localizer_config.method
        )
        if difference:
            self.get_logger().warning(difference)
        self._localizer = Localizer(self._array, self._features, localizer_config, model)
        on_change(self, localizer_config, self._localizer.configure)
        self._listener = listener
        self._inference = Durations('inference')
        self._rate = Rate('estimates [1/s]', 'no features arrive: is gcc_phat running?')
        self._muted = False
        self.create_service(SetBool, '~/enable', self._on_enable)
        self.diagnose(
            'the features arrive',
            [self._rate.status, self._inference.status, self._mute_status],
        )
        depth = depth_of(self._features.hop)
        self._estimates = self.topic(DoaEstimateArray, 'estimates', depth)
        self._detections = self.topic(DoaEstimateArray, 'detections', depth)
        self._spectrum = self.topic(DoaSpectrum, 'spectrum', depth)
        if subscribe:
            self._order = StampOrder()
            self._previous: int | None = None
            self._subscription = LatestSubscription(
                self,
                GccPhat,
                'gcc_phat',
                self._on_gcc_phat,
                self._diagnostics,
                publishing,
                pace,
                limit=self._features.window,
            )
        by = f'the network {config.model}' if model else localizer_config.method
        self.get_logger().info(f'directions by {by}, sensitivity {localizer_config.sensitivity:g}')
        self.get_logger().info(f'array {self._array.name!r}: {ambiguity_in_frame(self._array)}')

    def _on_enable(self, request: SetBool.Request, response: SetBool.Response):
        response.success = True
        if self._muted == request.data:
            self._muted = not request.data
            response.message = 'muted' if self._muted else 'answers again'
            self.get_logger().info(response.message)
        else:
            response.message = 'is muted already' if self._muted else 'answers already'
        return response

    def _mute_status(self) -> Status:
        message = 'muted: the service ~/enable makes it answer again' if self._muted else ''
        return Status(Level.OK, message, {'muted': 'yes' if self._muted else 'no'})

    def _on_gcc_phat(self, message: GccPhat) -> None:
        frame = frame_from_gcc_phat(message, self._array, self._features, self._previous)
        self._order.check(stamp_of(message.header))
        self._previous = message.first_sample_index
        self.process(message.header, frame)

    def process(self, header: Header, frame: WindowFeatures) -> None:
        """Take features and pass on the directions in them."""
        with self._diagnostics.dropping():
            self._pass_on(header, frame, None if self._muted else self._locate(frame))

    def _locate(self, frame: WindowFeatures) -> Localization:
        with self._inference.measure():
            return self._localizer.locate(frame)

    def _pass_on(self, header: Header, frame: WindowFeatures, result: Localization | None) -> None:
        """Publish what was found; None where it is muted: as if nothing was heard."""
        self._rate.add()
        if result is None:
            # When it answers again, what it knew is old.
            self._localizer.reset()
        window, hop = self._features.window, self._features.hop
        estimates, detections = (
            WindowDirections(found, window, hop, frame.sound_age)
            for found in ((result.estimates, result.detections) if result else ((), ()))
        )
        self._estimates.publish(estimate_array(header, estimates))
        if self._detections.wanted:
            self._detections.publish(estimate_array(header, detections))
        if result is not None and self._spectrum.wanted:
            self._spectrum.publish(
                spectrum_message(header, window, result.spectrum, self._localizer.grid)
            )
        if self._listener is not None:
            self._listener(header, estimates, detections)


def main() -> int:
    """Run the node."""
    return run('doa_estimator', lambda publishing: [DoaEstimatorNode(publishing)])
