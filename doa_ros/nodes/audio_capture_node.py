# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Node `audio_capture`: from a sound source to `audio`, `array_info` and, simulated, `truth`."""

from collections.abc import Callable
import threading

from rclpy.clock import Clock, ClockType
from std_msgs.msg import Header

from doa_ros import command
from doa_ros.audio.capture.device_source import CaptureState, DeviceSource
from doa_ros.audio.capture.process import list_devices
from doa_ros.audio.capture.status import CaptureStatus
from doa_ros.audio.file_source import FileSource
from doa_ros.audio.scene_source import SceneSource, SimulatedBlock
from doa_ros.audio.source import AudioBlock
from doa_ros.conversions.arrays import array_info
from doa_ros.conversions.audio import audio_frame_from_block, make_header
from doa_ros.conversions.directions import estimate_array
from doa_ros.core.array_check.channel_health import ChannelHealth
from doa_ros.core.array_file import load_array
from doa_ros.core.errors import ConfigError
from doa_ros.core.geometry import MicArray
from doa_ros.core.localization.window_directions import WindowDirections
from doa_ros.core.monitoring import Rate
from doa_ros.core.units import NANOSECONDS
from doa_ros.nodes.chain import LATCHED, WorkerNode
from doa_ros.nodes.configs import CaptureConfig
from doa_ros.nodes.executable import run
from doa_ros.nodes.publishing_thread import PublishingThread, Topic, depth_of
from doa_ros.nodes.sources import SOURCES, SourceListener
from doa_ros.nodes.topics import ARRAY_INFO, AUDIO, TRUTH
from doa_ros.parameters import declare
from doa_ros.resources import find_resource

# How often the clock is looked at, and for how long it may stand still before the log says so [s].
_CLOCK_PERIOD = 0.5
_CLOCK_PATIENCE = 2.0
_POLL = 0.05


class AudioCaptureNode(WorkerNode):
    """Publishes what a sound source delivers.

    Args:
        publishing: the thread that publishes.
        listener: takes every block in this process; None where listeners are other processes.
        on_array: takes the array before the sound begins, in this process.
    """

    def __init__(
        self,
        publishing: PublishingThread,
        listener: Callable[[Header, AudioBlock], None] | None = None,
        on_array: Callable[[MicArray], None] | None = None,
    ):
        super().__init__('audio_capture', publishing)
        self._config = declare(self, CaptureConfig)
        self._array = array = load_array(find_resource('arrays', self._config.array))
        if listener is None and not self._config.publish_audio:
            raise ConfigError(
                'audio_capture alone needs publish_audio:=true: other processes get the sound '
                'only by the topic audio; doa_pipeline finds directions without it'
            )
        self._listener = listener
        if on_array is not None:
            on_array(array)
        self._interrupted = threading.Event()
        kind = SOURCES[self._config.source]
        self._origin = kind.origin(self._config)
        source_listener = SourceListener(self._tell, self.get_logger().warning)
        self._source = kind.open(self._config, array, source_listener)
        if not isinstance(self._source, DeviceSource) and not self._config.real_time:
            publishing.make_lossless()
        self._health = ChannelHealth(array)
        self._rate = Rate('samples [1/s]', 'no sound arrives: the log says why')
        parts = [self._rate.status, self._health.status]
        if isinstance(self._source, DeviceSource):
            parts.append(CaptureStatus(self._source).status)
        self.diagnose('all channels are well', parts)

        depth = depth_of(self._config.block_duration)
        self._audio: Topic | None = None
        if self._config.publish_audio:
            self._audio = self.topic(AUDIO, depth)
        # Only of a scene is it known who speaks where.
        self._truth: Topic | None = None
        if isinstance(self._source, SceneSource):
            self._truth = self.topic(TRUTH, depth)
        self._array_info = self.topic(ARRAY_INFO, LATCHED)
        self._shown, self._still = 0, 0.0
        # On a clock of its own: that of the node may stand still.
        self.create_timer(
            _CLOCK_PERIOD, self._watch_clock, clock=Clock(clock_type=ClockType.STEADY_TIME)
        )
        self.get_logger().info(f'the sound comes from {self._origin}')

    def _now(self) -> int:
        return self.get_clock().now().nanoseconds

    def _tell(self, state: CaptureState) -> None:
        if not state.capturing:
            self.get_logger().error(state.message)
        elif state.warning:
            self.get_logger().warning(state.message)
        else:
            self.get_logger().info(state.message)

    def _watch_clock(self) -> None:
        """Say it where the clock stands still, or goes on after that."""
        shown, still = self._now(), self._still
        self._still = still + _CLOCK_PERIOD if shown == self._shown else 0.0
        self._shown = shown
        if still < _CLOCK_PATIENCE <= self._still:
            self.get_logger().warning(
                '/clock stands still: a recording or scene waits until it goes on'
                if shown
                else 'waiting for the first message on /clock, as use_sim_time is set'
            )
        elif still >= _CLOCK_PATIENCE > self._still:
            self.get_logger().info('/clock goes on')

    def work(self) -> None:
        """Publish until the source ends."""
        # Before the first message on /clock, it shows 0.
        self._wait_until(self._now)
        self._publish_array_info()
        recording = isinstance(self._source, FileSource)
        if recording and self._audio is not None and self._listener is None:
            self._wait_for_subscriber(self._audio)
        if not isinstance(self._source, DeviceSource):
            # Otherwise the subscribers of other topics would miss its beginning, too.
            self._publishing.wait_for_discovery(self._interrupted)
        next_stamp = 0
        for block in self._source.blocks(self._now):
            if block.first_sample_index == 0 and next_stamp:
                self._warn_of_set_clock(block.stamp - next_stamp)
                self._publish_array_info()
            duration = len(block.samples) / block.sampling_frequency
            next_stamp = block.stamp + round(duration * NANOSECONDS)
            header = make_header(block.stamp, self._config.frame_id)
            # Audio is large: it crosses DDS only while someone listens.
            if self._audio is not None and self._audio.wanted:
                self._audio.publish(audio_frame_from_block(header, block))
            if self._truth is not None and isinstance(block, SimulatedBlock):
                self._truth.publish(
                    estimate_array(header, WindowDirections(block.truth, duration, duration))
                )
            if self._listener is not None:
                self._listener(header, block)
            self._rate.add(len(block.samples))
            self._health.push(block.first_sample_index, block.samples)
        if not self._interrupted.is_set():
            self.get_logger().info(f'end of {self._origin}')

    def _wait_for_subscriber(self, topic: Topic) -> None:
        # Otherwise the beginning of a recording would be lost while the subscribers start.
        if not topic.wanted:
            self.get_logger().info(f'waiting for a subscriber of {topic.name}')
        self._wait_until(lambda: topic.wanted)

    def _wait_until(self, condition: Callable[[], bool | int]) -> None:
        """Wait until something is true, or interrupted."""
        while not condition() and not self._interrupted.wait(_POLL):
            pass

    def _publish_array_info(self) -> None:
        header = make_header(self._now(), self._config.frame_id)
        self._array_info.publish(array_info(header, self._array))

    def _warn_of_set_clock(self, by: int) -> None:
        """Say that the clock was set, by so much [ns], so that another stream begins."""
        way = 'forward' if by > 0 else 'back'
        self.get_logger().warning(
            f'the clock was set {way} by {abs(by) / NANOSECONDS:.1f} s: everything starts anew'
        )

    def interrupt(self) -> None:
        """End `work`."""
        self._interrupted.set()
        self._source.close()


def main() -> int:
    """Run the node, or show which devices there are."""
    return run(
        'audio_capture',
        lambda publishing: [AudioCaptureNode(publishing)],
        {
            '--list-devices': (
                'show which devices there are, and end',
                lambda: command.run('audio_capture', _list_devices),
            )
        },
    )


def _list_devices() -> int:
    print(list_devices())
    return 0
