# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A sound card as sound source: supervises the process that captures."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
import math
import threading
import time

import numpy as np

from doa_ros.audio.capture.device_selection import Wanted
from doa_ros.audio.capture.process import CaptureProcess
from doa_ros.audio.capture.protocol import CapturedBlock, CaptureSettings, Kind, Note
from doa_ros.audio.capture.retry import retry_interval
from doa_ros.audio.capture.sample_count import SampleCount
from doa_ros.audio.source import AudioBlock, Clock
from doa_ros.audio.stamps import Stamps
from doa_ros.core.errors import AudioError, ConfigError
from doa_ros.core.geometry import MicArray

# A block is dropped if it was complete longer ago than an analysis window [s] and newer ones wait.
# Then all but the newest are dropped: one long gap leaves more to work with than many short ones.
_MAX_DELAY = 0.1
# Processes take their turn at this interval at least [s]; the longer nothing comes, the longer.
_RESTART_INTERVAL, _MAX_RESTART_INTERVAL = 0.5, 30.0
# One that dies while it stands by is replaced at this interval at least [s].
_STANDBY_INTERVAL = 2.0
# PortAudio leaks a little whenever it looks for devices [12 KiB]: after so many times without
# success it is the turn of a fresh process.
_ATTEMPTS = 200
# While the device is away, a changed reason is reported after this interval at least [s].
_TELL_INTERVAL = 5.0


@dataclass(frozen=True)
class CaptureState:
    """How a capture is doing.

    Attributes:
        capturing: whether the device delivers; at the start, true until something is wrong.
        message: a sentence on what has happened last, or on why the device is away; empty before
            the first fault.
        warning: a sentence on other devices that match, and how to choose one; empty without any.
        measured_rate: [Hz]; nan before it is known.
        queue_depth: blocks that wait for the consumer.
        lost_samples: samples missing in the stream, whatever the reason.
        dropped_samples: those of them that the consumer was too slow for.
        overflows: how often the driver has lost samples.
        restarts: how often another process has taken over.
    """

    capturing: bool = True
    message: str = ''
    warning: str = ''
    measured_rate: float = math.nan
    queue_depth: int = 0
    lost_samples: int = 0
    dropped_samples: int = 0
    overflows: int = 0
    restarts: int = 0


class DeviceSource:
    """Captures all channels of a device as int32, in a process of its own.

    Whatever happens to the device once it has delivered, the source waits for it to come back;
    the next block then tells by its index how many samples are missing. Before that it depends on
    `required` whether the source waits for the device or gives up. Another process stands by,
    as most of the time it takes to replace one goes into starting it. A consumer that is too slow
    loses the oldest blocks.

    Args:
        array: the array it belongs to; gives rate and channel count.
        name: index, USB port, ALSA name or part of the name of the device; empty takes the one
            in the array file.
        block_duration: length of a block [s].
        required: whether it is an error, raised here or by `blocks`, where the device is missing
            or not usable at the start; otherwise it is waited for, whatever is wrong.
        advice: what a user can do instead of mending the device; is added to what is wrong.
        on_change: is called when the device is away, when the reason changes, when the device is
            back, and with a warning, by the thread that iterates over `blocks`.

    Raises:
        ConfigError: neither `array` nor `name` says which device.
        AudioError: `required`, and there is no PortAudio, no such device, or it has not the
            channels or the rate.
    """

    def __init__(
        self,
        array: MicArray,
        *,
        name: str = '',
        block_duration: float,
        required: bool = True,
        advice: str = '',
        on_change: Callable[[CaptureState], None] = lambda state: None,
    ):
        self.sampling_frequency = array.sampling_frequency
        self.channel_count = array.channel_count
        self._required, self._advice = required, advice
        name = name or array.device
        if not name:
            problem = f'array {array.name!r} names no device: enter one in its file'
            raise ConfigError(self._advised(problem))
        block = round(block_duration * array.sampling_frequency)
        wanted = Wanted(
            name, array.channel_count, array.device, array.factory_channels, array.factory_advice
        )
        self._settings = CaptureSettings(wanted, array.sampling_frequency, block)
        # More than may wait, so that the age decides.
        self._capacity = 2 + math.ceil(2 * _MAX_DELAY / block_duration)
        self._on_change = on_change
        self._state = self._told = CaptureState()
        self._told_at = -math.inf
        # The device that is open, and the one that the latest block is of.
        self._device = self._delivering = ''
        self._closed = threading.Event()
        self._count = SampleCount(array.sampling_frequency, block)
        self._standby: CaptureProcess | None = None
        self._standby_since = -math.inf
        self._take_turn()
        if required:
            self._wait_until_opened()

    def _wait_until_opened(self) -> None:
        while not self._device:
            match self._process.next():
                case Note(Kind.OPENED, name):
                    self._device = name
                case Note(Kind.WARNING, warning):
                    self._warn(warning)
                case Note() as problem:
                    self.close()
                    raise AudioError(self._problem(problem))

    @property
    def device(self) -> str:
        """Name of the device and where it is connected; empty before one was opened."""
        return self._device

    @property
    def state(self) -> CaptureState:
        """How it is doing; from any thread."""
        return replace(self._state, queue_depth=self._process.queued)

    def _problem(self, message: Note) -> str:
        # Another device helps where one does not open, not where PortAudio is missing.
        return self._advised(message.text) if message.kind == Kind.WAITING else message.text

    def _advised(self, problem: str) -> str:
        return '; '.join(filter(None, [problem, self._advice]))

    def _warn(self, warning: str) -> None:
        self._state = replace(self._state, warning=warning)

    def _warned(self, message: str) -> str:
        return '; '.join(filter(None, [message, self._state.warning]))

    def _stand_by(self) -> CaptureProcess:
        """See to it that a process stands by and return it; to be called often, as it may die."""
        now = time.monotonic()
        if self._standby is None or (
            self._standby.ended and now > self._standby_since + _STANDBY_INTERVAL
        ):
            self._standby = CaptureProcess(self._settings, self._capacity)
            self._standby_since = now
        return self._standby

    def _take_turn(self) -> None:
        self._turn = time.monotonic()
        self._process, self._standby = self._stand_by(), None
        self._process.open()
        if self._closed.is_set():
            # `close`, in another thread, may have seen the one before.
            self._process.kill()
        self._attempts = 0
        self._warn('')
        self._count.begin_process()
        self._behind = False

    def blocks(self, clock: Clock) -> Iterator[AudioBlock]:
        """Yield what the device captures until `close`.

        Raises:
            AudioError: `required`, and the device has never delivered or runs at another rate.
        """
        self._stamps = Stamps(clock)
        if self._device:
            self._process.start()
        try:
            while True:
                message = self._process.next()
                if self._closed.is_set():
                    return
                match message:
                    case CapturedBlock():
                        self._stand_by()
                        if self._is_late(message):
                            self._count.drop()
                        elif (block := self._deliver(message)) is not None:
                            yield block
                    case Note(Kind.OPENED, name):
                        self._device = name
                        self._process.start()
                    case Note(Kind.WARNING, warning):
                        self._warn(warning)
                    case Note(Kind.FAILED):
                        self._restart(message)
                    case Note():
                        self._tell_away(message)
                        self._attempts += 1
                        if self._attempts == _ATTEMPTS:
                            self._restart(message)
        finally:
            self._kill()

    def _is_late(self, captured: CapturedBlock) -> bool:
        delay = time.monotonic() - captured.time - self._settings.block / self.sampling_frequency
        self._behind = self._process.queued > 0 and (self._behind or delay > _MAX_DELAY)
        return self._behind

    def _deliver(self, captured: CapturedBlock) -> AudioBlock | None:
        """Return the block, None where it has no time on the clock."""
        first, away = not self._count.started, captured.time - self._count.end_time
        index = self._count.take(captured, self._process.dropped)
        self._state = replace(
            self._state,
            measured_rate=captured.rate,
            lost_samples=self._count.lost,
            dropped_samples=self._count.dropped,
            overflows=self._count.overflows,
        )
        if not self._state.capturing:
            if first:
                found = 'was found'
            elif self._device == self._delivering:
                found = 'is back'
            else:
                found = f'has taken the place of {self._delivering!r}'
            self._change(True, self._warned(f'device {self._device!r} {found} after {away:.1f} s'))
        elif self._state.warning and first:
            self._change(True, self._warned(f'device {self._device!r} is used'))
        self._delivering = self._device
        samples = np.frombuffer(captured.samples, dtype=np.int32).reshape(-1, self.channel_count)
        place = self._stamps.place(index, captured.time)
        return None if place is None else AudioBlock(samples, self.sampling_frequency, *place)

    def _restart(self, message: Note) -> None:
        if self._required and not self._count.started:
            raise AudioError(message.text)
        self._tell_away(message)
        self._process.kill()
        now = time.monotonic()
        interval = retry_interval(
            now - self._count.end_time, least=_RESTART_INTERVAL, most=_MAX_RESTART_INTERVAL
        )
        if self._closed.wait(max(0.0, self._turn + interval - now)):
            return
        self._take_turn()
        self._state = replace(self._state, restarts=self._state.restarts + 1)

    def _tell_away(self, message: Note) -> None:
        if self._count.started:
            self._change(False, f'{message.text}; capture goes on when it is back')
        else:
            self._change(False, f'{self._problem(message)}; capture begins as soon as it can')

    def _change(self, capturing: bool, message: str) -> None:
        self._state = replace(self._state, capturing=capturing, message=message)
        now = time.monotonic()
        another = message != self._told.message and now > self._told_at + _TELL_INTERVAL
        if capturing != self._told.capturing or another:
            self._told, self._told_at = self._state, now
            self._on_change(self._state)

    def _kill(self) -> None:
        self._process.kill()
        if self._standby is not None:
            self._standby.kill()

    def close(self) -> None:
        """End `blocks` and release the device."""
        self._closed.set()
        self._kill()
