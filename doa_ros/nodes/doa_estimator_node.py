# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Node `doa_estimator`: from `gcc_phat` to `estimates`, `detections` and `spectrum`."""

from collections.abc import Callable

from std_msgs.msg import Header
from std_srvs.srv import SetBool

from doa_ros.conversions.directions import estimate_array, spectrum_message
from doa_ros.conversions.features import features_from_settings, window_from_gcc_phat
from doa_ros.core.ambiguity import ambiguity_in_frame
from doa_ros.core.errors import ModelError
from doa_ros.core.features.config import FeatureConfig
from doa_ros.core.features.extractor import WindowFeatures
from doa_ros.core.geometry import MicArray
from doa_ros.core.localization.compatibility import adapted_array
from doa_ros.core.localization.decoding import Estimate
from doa_ros.core.localization.localizer import Localizer
from doa_ros.core.localization.model_card import load_card
from doa_ros.core.localization.spectrum import Spectrum
from doa_ros.core.localization.window_directions import WindowDirections
from doa_ros.core.monitoring import Durations, Level, Rate, Status
from doa_ros.headers import StampOrder, stamp_of
from doa_ros.msg import FeatureSettings, GccPhat
from doa_ros.nodes.chain import ArrayNode
from doa_ros.nodes.configs import EstimatorConfig
from doa_ros.nodes.executable import run
from doa_ros.nodes.publishing_thread import PublishingThread
from doa_ros.nodes.topics import DETECTIONS, ESTIMATES, SPECTRUM
from doa_ros.parameters import declare, on_change


class DoaEstimatorNode(ArrayNode):
    """Finds directions in features.

    Args:
        publishing: the thread that publishes.
        listener: takes estimates and detections of every window in this process, with its header.
        on_spectrum: takes the spectrum of every window in this process, with its header.
        subscribe: whether array, settings and features come by topics rather than by `take_array`,
            `take_features` and `process`.
    """

    def __init__(
        self,
        publishing: PublishingThread,
        listener: Callable[[Header, WindowDirections, WindowDirections], None] | None = None,
        on_spectrum: Callable[[Header, Spectrum], None] | None = None,
        *,
        subscribe: bool = True,
    ):
        super().__init__('doa_estimator', publishing, subscribe=subscribe)
        self._config = config = declare(self, EstimatorConfig)
        self._network = config.network
        if self._network is not None:
            load_card(self._network)
        on_change(self, config, self._configure)
        self._settings: FeatureSettings | None = None
        self._localizer: Localizer | None = None
        self._listener, self._on_spectrum = listener, on_spectrum
        self._inference = Durations('inference')
        self._rate = Rate('estimates [1/s]', 'no features arrive: is gcc_phat running?')
        self._muted = False
        self.create_service(SetBool, '~/enable', self._on_enable)
        self.diagnose(
            'the features arrive',
            [self._rate.status, self._inference.status, self._mute_status],
        )
        self._estimates = self.topic(ESTIMATES)
        self._detections = self.topic(DETECTIONS)
        self._spectrum = self.topic(SPECTRUM)
        if subscribe:
            self._order = StampOrder()
            self._previous: int | None = None
            self.take_latest(GccPhat, 'gcc_phat', self._on_gcc_phat, config)
        by = f'the network {config.model}' if self._network else config.method
        self.get_logger().info(f'directions by {by}, sensitivity {config.sensitivity:g}')

    def _configure(self, config: EstimatorConfig) -> None:
        self._config = config
        if self._localizer is not None:
            self._localizer.configure(config)
            self._warn_of_whitening()

    def take_array(self, array: MicArray) -> None:
        """Work for an array from now on, as soon as `take_features` is called for it.

        Raises:
            DoaError: it resolves no azimuth.
        """
        self._settings = self._localizer = None
        named, self._network = self._network, self._config.network_for(array)
        if self._network is not None and self._network != named:
            self.get_logger().info(f'array {array.name!r} has the network {self._network.stem}')
        self._array, difference = adapted_array(array, self._network)
        if difference:
            self.get_logger().warning(difference)
        self.get_logger().info(f'array {array.name!r}: {ambiguity_in_frame(array)}')

    def take_features(self, features: FeatureConfig) -> None:
        """Find directions in features of these settings from now on.

        Raises:
            DoaError: the network does not fit the array or the features.
        """
        self._localizer = None
        self._features = features
        self._localizer = Localizer(self._array, features, self._config, self._network)
        self._warn_of_whitening()

    def _warn_of_whitening(self) -> None:
        if self._config.report_stationary and self._features.whitening:
            self.get_logger().warning(
                'report_stationary cannot report what whitening removes: start with '
                'features.whitening:=false, too'
            )

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
        if message.settings != self._settings:
            features = features_from_settings(message.settings)
            self._settings = message.settings
            with self.refusing():
                self._take_received(features)
        if self._localizer is None:
            return
        window = window_from_gcc_phat(message, self._array, self._features, self._previous)
        self._order.check(stamp_of(message.header))
        self._previous = message.first_sample_index
        self.process(message.header, window)

    def _take_received(self, features: FeatureConfig) -> None:
        try:
            self.take_features(features)
        except ModelError as error:
            raise ModelError(f'{error}; does gcc_phat have the same model and method?') from None

    def process(self, header: Header, window: WindowFeatures) -> None:
        """Take features and pass on the directions in them."""
        if self._localizer is None:
            return
        with self._diagnostics.dropping():
            if self._muted:
                # What it remembers is old when it answers again.
                self._localizer.reset()
                self._pass_on(header, window, (), ())
                return
            with self._inference.measure():
                found = self._localizer.locate(window)
            self._pass_on(header, window, found.estimates, found.detections)
            if self._on_spectrum is not None:
                self._on_spectrum(header, found.spectrum)
            if self._spectrum.wanted:
                self._spectrum.publish(
                    spectrum_message(
                        header, self._features.window, found.spectrum, self._localizer.grid
                    )
                )

    def _pass_on(
        self,
        header: Header,
        window: WindowFeatures,
        heard: tuple[Estimate, ...],
        detected: tuple[Estimate, ...],
    ) -> None:
        self._rate.add()
        duration, hop = self._features.window, self._features.hop
        estimates = WindowDirections(heard, duration, hop, window.sound_age)
        detections = WindowDirections(detected, duration, hop, window.sound_age)
        self._estimates.publish(estimate_array(header, estimates))
        if self._detections.wanted:
            self._detections.publish(estimate_array(header, detections))
        if self._listener is not None:
            self._listener(header, estimates, detections)


def main() -> int:
    """Run the node."""
    return run('doa_estimator', lambda publishing: [DoaEstimatorNode(publishing)])
