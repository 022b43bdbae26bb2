# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Node `gcc_phat`: from `audio` to `gcc_phat`."""

from collections.abc import Callable

from std_msgs.msg import Header

from doa_ros.audio.audio_frame import block_from_audio_frame
from doa_ros.audio.source import AudioBlock
from doa_ros.conversions.audio import window_header
from doa_ros.conversions.features import gcc_phat_from_window
from doa_ros.core.features.config import FeatureConfig
from doa_ros.core.features.extractor import FeatureExtractor, WindowFeatures
from doa_ros.core.geometry import MicArray
from doa_ros.core.localization.compatibility import adapted_array, default_features
from doa_ros.core.localization.model_card import load_card
from doa_ros.core.monitoring import Events, Level, Rate, Status
from doa_ros.headers import StampOrder, check_header
from doa_ros.msg import AudioFrame
from doa_ros.nodes.chain import ArrayNode
from doa_ros.nodes.configs import FEATURES, GccPhatConfig
from doa_ros.nodes.executable import run
from doa_ros.nodes.publishing_thread import PublishingThread
from doa_ros.nodes.topics import GCC_PHAT
from doa_ros.parameters import configured, declare


class GccPhatNode(ArrayNode):
    """Computes the features.

    Args:
        publishing: the thread that publishes.
        listener: takes the features of every window in this process, with its header.
        subscribe: whether audio and array come by topics rather than by `process` and
            `take_array`.
    """

    def __init__(
        self,
        publishing: PublishingThread,
        listener: Callable[[Header, WindowFeatures], None] | None = None,
        *,
        subscribe: bool = True,
    ):
        super().__init__('gcc_phat', publishing, subscribe=subscribe)
        self._config = config = declare(self, GccPhatConfig)
        # Some defaults depend on the array, so that the parameters are declared once it is known.
        # A wrong value ends the node now.
        trained = None if config.network is None else load_card(config.network).features
        configured(self, FeatureConfig, FEATURES, trained)
        self._features: FeatureConfig | None = None
        self._extractor: FeatureExtractor | None = None
        self._listener = listener
        self._gaps = Events('gaps in the audio', 'it was lost before it came here')
        self._rate = Rate('features [1/s]', 'no audio arrives: is audio_capture running?')
        self.diagnose(
            'the audio arrives without gaps',
            [self._rate.status, self._gaps.status, self._dead_status],
        )
        self._topic = self.topic(GCC_PHAT)
        if subscribe:
            self._order = StampOrder()
            self.take_latest(AudioFrame, 'audio', self._on_audio, config)

    def take_array(self, array: MicArray) -> None:
        """Compute the features of an array from now on.

        Their settings are declared for the first array. Another one has to work with them, too.

        Raises:
            DoaError: the settings do not fit.
        """
        self._extractor = None
        network = self._config.network_for(array)
        self._array, _ = adapted_array(array, network)
        if self._features is None:
            defaults = default_features(self._array, network)
            self._features = declare(self, FeatureConfig, FEATURES, defaults)
        self._extractor = FeatureExtractor(self._array, self._features)
        self.get_logger().info(
            f'features of {len(self._array.pairs)} pairs of microphones of array {array.name}, '
            f'with {self._features.lag_count} delay taps, every {self._features.hop:g} s'
        )

    @property
    def features(self) -> FeatureConfig:
        """The settings of the features.

        Raises:
            LookupError: they are not known before the array is.
        """
        if self._features is None:
            raise LookupError('the array is not known')
        return self._features

    def _dead_status(self) -> Status:
        dead = ', '.join(self._extractor.dead_microphones if self._extractor else ())
        values = {'dead microphones': dead or 'none'}
        if not dead:
            return Status(Level.OK, '', values)
        return Status(
            Level.WARN,
            f'the pairs of {dead} are left out, because nothing is heard there; audio_capture '
            'says why',
            values,
        )

    def _on_audio(self, message: AudioFrame) -> None:
        if self._extractor is None:
            return
        check_header(message.header)
        block = block_from_audio_frame(message, self._array)
        self._order.check(block.stamp)
        self.process(message.header, block)

    def process(self, header: Header, block: AudioBlock) -> None:
        """Take a block of audio and pass on the features it completes."""
        if self._extractor is None:
            return
        with self._diagnostics.dropping():
            for window in self._extractor.push(block.first_sample_index, block.as_float()):
                self._pass_on(window_header(header, block, window.hop_index), window)

    def _pass_on(self, header: Header, window: WindowFeatures) -> None:
        self._rate.add()
        if window.gap:
            self._gaps.add()
            self.get_logger().warning(
                f'{window.gap} samples of audio lost; averaging starts anew',
                throttle_duration_sec=5.0,
            )
        if self._topic.wanted:
            self._topic.publish(gcc_phat_from_window(header, window, self._array, self.features))
        if self._listener is not None:
            self._listener(header, window)


def main() -> int:
    """Run the node."""
    return run('gcc_phat', lambda publishing: [GccPhatNode(publishing)])
