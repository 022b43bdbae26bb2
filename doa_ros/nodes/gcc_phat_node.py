# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Node `gcc_phat`: from `audio` to `gcc_phat`."""

from collections.abc import Callable

from std_msgs.msg import Header

from doa_ros.audio.audio_frame import block_from_audio_frame
from doa_ros.audio.source import AudioBlock
from doa_ros.conversions import gcc_phat_from_frame, window_header
from doa_ros.core.features.extractor import FeatureExtractor, WindowFeatures
from doa_ros.core.localization.localizer import MethodConfig
from doa_ros.core.monitoring import Events, Level, Rate, Status
from doa_ros.headers import StampOrder, check_header
from doa_ros.msg import AudioFrame, GccPhat
from doa_ros.nodes.chain import ChainNode
from doa_ros.nodes.configs import ModelConfig, PaceConfig
from doa_ros.nodes.executable import run
from doa_ros.nodes.latest_subscription import LatestSubscription
from doa_ros.nodes.model import declare_features
from doa_ros.nodes.publishing_thread import PublishingThread, depth_of
from doa_ros.parameters import declare


class GccPhatNode(ChainNode):
    """Computes the features.

    Args:
        publishing: the thread that publishes.
        listener: takes every frame in this process.
        subscribe: whether audio comes from the topic `audio` rather than by `process`.
    """

    def __init__(
        self,
        publishing: PublishingThread,
        listener: Callable[[Header, WindowFeatures], None] | None = None,
        *,
        subscribe: bool = True,
    ):
        super().__init__('gcc_phat', publishing)
        config = declare(self, ModelConfig)
        pace = declare(self, PaceConfig)
        method_config = declare(self, MethodConfig)
        self._array, _, self._features, _ = declare_features(self, config, method_config.method)
        self._extractor = FeatureExtractor(self._array, self._features)
        self._listener = listener
        self._gaps = Events('gaps in the audio', 'it was lost before it came here')
        self._rate = Rate('features [1/s]', 'no audio arrives: is audio_capture running?')
        self.diagnose(
            'the audio arrives without gaps',
            [self._rate.status, self._gaps.status, self._dead_status],
        )
        self._topic = self.topic(GccPhat, 'gcc_phat', depth_of(self._features.hop))
        if subscribe:
            self._order = StampOrder()
            self._subscription = LatestSubscription(
                self,
                AudioFrame,
                'audio',
                self._on_audio,
                self._diagnostics,
                publishing,
                pace,
                limit=self._features.window,
            )
        self.get_logger().info(
            f'features of {len(self._array.pairs)} pairs of microphones of array {config.array}, '
            f'with {self._features.lag_count} delay taps, every {self._features.hop:g} s'
        )

    def _dead_status(self) -> Status:
        dead = ', '.join(self._extractor.dead_microphones)
        values = {'dead microphones': dead or 'none'}
        if not dead:
            return Status(Level.OK, '', values)
        return Status(
            Level.WARN,
            f'the pairs of {dead} do not count, as nothing is heard there: audio_capture says why',
            values,
        )

    def _on_audio(self, message: AudioFrame) -> None:
        check_header(message.header)
        block = block_from_audio_frame(message, self._array)
        self._order.check(block.stamp)
        self.process(message.header, block)

    def process(self, header: Header, block: AudioBlock) -> None:
        """Take a block of audio and pass on the features it completes."""
        with self._diagnostics.dropping():
            for frame in self._extractor.push(block.first_sample_index, block.as_float()):
                self._pass_on(window_header(header, block, frame.hop_index), frame)

    def _pass_on(self, header: Header, frame: WindowFeatures) -> None:
        self._rate.add()
        if frame.gap:
            self._gaps.add()
            self.get_logger().warning(
                f'{frame.gap} samples of audio lost; averaging starts anew',
                throttle_duration_sec=5.0,
            )
        if self._topic.wanted:
            self._topic.publish(gcc_phat_from_frame(header, frame, self._array, self._features))
        if self._listener is not None:
            self._listener(header, frame)


def main() -> int:
    """Run the node."""
    return run('gcc_phat', lambda publishing: [GccPhatNode(publishing)])
