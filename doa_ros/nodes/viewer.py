# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What the nodes that show the sound to people have in common: the live page, and Foxglove."""

from collections.abc import Callable, Sequence
import math
import socket
from typing import Any

import numpy as np
from rclpy.clock import Clock, ClockType
from rclpy.qos import QoSProfile
from rclpy.subscription import Subscription
from std_msgs.msg import Header

from doa_ros.audio.audio_frame import block_from_audio_frame
from doa_ros.audio.source import AudioBlock
from doa_ros.conversions.directions import azimuth_spectrum_of, directions_of, tracks_of
from doa_ros.core.features.config import FeatureConfig
from doa_ros.core.features.extractor import WindowFeatures
from doa_ros.core.geometry import MicArray
from doa_ros.core.localization.spectrum import Spectrum
from doa_ros.core.localization.window_directions import WindowDirections
from doa_ros.core.tracking.track import Track
from doa_ros.msg import AudioFrame, DoaEstimateArray, DoaSpectrum, DoaTrackArray
from doa_ros.nodes.chain import ArrayNode
from doa_ros.nodes.publishing_thread import PublishingThread
from doa_ros.nodes.qos import overridable

# How often it is seen whether anybody looks [s].
_LOOK = 0.2
NEWEST, ALL = QoSProfile(depth=1), QoSProfile(depth=100)
"""Where only the newest message counts, and where all do."""
_EVERYWHERE = {'0.0.0.0', '::'}


class ViewerNode(ArrayNode):
    """A node that shows what the others find. While nobody looks, it takes only the array.

    Args:
        name: of the node.
        publishing: the thread that publishes.
        subscribe: whether all comes by topics, rather than by `take_array`, `take_features` and
            the `process` methods.
    """

    def __init__(self, name: str, publishing: PublishingThread, *, subscribe: bool):
        super().__init__(name, publishing, subscribe=subscribe)
        self._array: MicArray | None = None
        # What is subscribed to while somebody looks.
        self._wanted: list[tuple[type, str, Callable[[Any], None], QoSProfile]] = []
        self._watching: list[Subscription] = []
        if subscribe:
            self.want(AudioFrame, 'audio', self._on_audio, ALL)
            self.want(DoaSpectrum, 'spectrum', self._on_spectrum, NEWEST)
            self.want(DoaEstimateArray, 'estimates', self._on_estimates, NEWEST)
            self.want(DoaTrackArray, 'tracks', self._on_tracks, NEWEST)

    @property
    def watched(self) -> bool:
        """Whether what the others find is needed, as somebody looks."""
        raise NotImplementedError

    def want(
        self, message_type: type, topic: str, take: Callable[[Any], None], qos: QoSProfile
    ) -> None:
        """Subscribe to a topic while somebody looks.

        Args:
            message_type, topic, qos: of the subscription.
            take: takes a message; may raise MessageError, and the message is dropped.
        """
        self._wanted.append((message_type, topic, take, qos))

    def begin(self) -> None:
        """See from now on whether anybody looks."""
        # On a clock of its own: that of the node may stand still.
        self.create_timer(_LOOK, self.look, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def look(self) -> None:
        """Subscribe while somebody looks; it is called a few times a second."""
        if self.watched and not self._watching:
            self._watching = [self._subscribe(*wanted) for wanted in self._wanted]
        elif not self.watched and self._watching:
            for subscription in self._watching:
                self.destroy_subscription(subscription)
            self._watching = []

    def _subscribe(
        self, message_type: type, topic: str, take: Callable[[Any], None], qos: QoSProfile
    ) -> Subscription:
        def take_or_drop(message: Any) -> None:
            with self._diagnostics.dropping():
                take(message)

        with overridable(topic) as options:
            return self.create_subscription(
                message_type, topic, take_or_drop, qos, qos_overriding_options=options
            )

    def shown_host(self, host: str, what: str) -> str:
        """Return a host as it stands in the address of what is served there.

        Args:
            host: where it is served; if that is everywhere, this is logged.
            what: is served.
        """
        if host in _EVERYWHERE:
            self.get_logger().warning(f'everybody in the network can see {what}')
            return socket.gethostname()
        return f'[{host}]' if ':' in host else host

    def take_array(self, array: MicArray) -> None:
        """Show what an array hears from now on."""
        self._array = array

    def take_features(self, features: FeatureConfig) -> None:
        """Show features of these settings from now on, where they are shown."""

    def process_block(self, header: Header, block: AudioBlock) -> None:
        """Show a piece of sound."""
        raise NotImplementedError

    def process_features(self, header: Header, window: WindowFeatures) -> None:
        """Show the features of a window, where they are shown."""

    def process_spectrum(self, header: Header, spectrum: Spectrum) -> None:
        """Show the spectrum of a window; its first azimuth is 0."""
        if self.watched:
            probability = spectrum.azimuth_distribution
            self.show_spectrum(header, probability, 0.0, 2 * math.pi / len(probability))

    def show_spectrum(
        self, header: Header, probability: np.ndarray, azimuth_min: float, step: float
    ) -> None:
        """Show the spectrum of a window.

        Args:
            header: of the window.
            probability: per azimuth, shape (azimuths,).
            azimuth_min, step: the azimuth of the first, and from one to the next [rad].
        """
        raise NotImplementedError

    def process(self, header: Header, directions: WindowDirections) -> None:
        """Show the estimates of a window."""
        raise NotImplementedError

    def process_tracks(self, header: Header, tracks: Sequence[Track]) -> None:
        """Show the tracks as of a window."""
        raise NotImplementedError

    def _on_audio(self, message: AudioFrame) -> None:
        if self._array is not None:
            self.process_block(message.header, block_from_audio_frame(message, self._array))

    def _on_spectrum(self, message: DoaSpectrum) -> None:
        self.show_spectrum(message.header, *azimuth_spectrum_of(message))

    def _on_estimates(self, message: DoaEstimateArray) -> None:
        self.process(message.header, directions_of(message))

    def _on_tracks(self, message: DoaTrackArray) -> None:
        self.process_tracks(message.header, tracks_of(message))
