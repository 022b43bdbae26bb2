# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A sound card as sound source, through PortAudio."""

from collections.abc import Iterator
import queue
import threading
import time

import numpy as np

from doa_ros.audio.source import NANOSECONDS, AudioBlock, Clock
from doa_ros.core.errors import AudioError
from doa_ros.core.geometry import MicArray

# Buffer between PortAudio and the consumer; what does not fit is dropped and shows as a gap.
_QUEUE_SECONDS = 2.0
# Latency asked of the device [s].
_LATENCY = 0.1
# A running device that delivers nothing for this long is gone [s].
_SILENCE_LIMIT = 3.0
# The measured rate is compared with the promised one over stretches of this time [s], to this
# part; a busy computer that loses samples spoils one stretch, a wrong rate all of them.
_RATE_CHECK_SECONDS = 3.0
_RATE_TOLERANCE = 0.05
_WRONG_STRETCHES = 2
_CLOSE_SECONDS = 1.0
# Stamps follow the measured times by this part per block, which evens out their jitter ...
_STAMP_GAIN = 0.01
# ... unless the difference is as large as this, after a loss [ns].
_STAMP_LIMIT = NANOSECONDS // 10


def _portaudio():
    try:
        import sounddevice
    except ImportError:
        raise AudioError(
            'the Python package sounddevice is not installed; try: pip install sounddevice'
        ) from None
    except OSError as error:
        raise AudioError(
            f'PortAudio is not installed ({error}); on Debian or Ubuntu: '
            'sudo apt-get install libportaudio2'
        ) from None
    return sounddevice


class DeviceSource:
    """Captures all channels of a device as int32.

    Args:
        array: the array it belongs to; gives rate and channel count.
        name: part of the device's name; empty takes the one in the array file.
        block_duration: length of a block [s].

    Raises:
        AudioError: no PortAudio, no such device, or it has not the channels or the rate.
    """

    def __init__(self, array: MicArray, *, name: str = '', block_duration: float):
        self._sounddevice = _portaudio()
        self.sampling_frequency = array.sampling_frequency
        self.channel_count = array.channel_count
        self._block = round(block_duration * self.sampling_frequency)
        self._name, number = self._select(name or array.device)
        self._queue: queue.Queue[tuple[int, float, bytes] | None] = queue.Queue(
            max(2, round(_QUEUE_SECONDS / block_duration))
        )
        self._next_index = 0
        self._last_capture = 0.0
        self._stretch_start: tuple[int, float] | None = None
        self._wrong_stretches = 0
        self._closed = threading.Event()
        settings = {
            'device': number,
            'samplerate': self.sampling_frequency,
            'channels': self.channel_count,
            'dtype': 'int32',
        }
        try:
            self._sounddevice.check_input_settings(**settings)
            self._stream = self._sounddevice.RawInputStream(
                blocksize=self._block,
                latency=_LATENCY,
                callback=self._capture,
                **settings,
            )
        except self._sounddevice.PortAudioError as error:
            raise AudioError(
                f'device {self._name!r} does not open with {self.channel_count} channels of '
                f'32 bits at {self.sampling_frequency} Hz ({error}); is it in use by another '
                'program?'
            ) from None
        if abs(self._stream.samplerate - self.sampling_frequency) > 1:
            raise AudioError(
                f'device {self._name!r} opened at {self._stream.samplerate:g} Hz instead of '
                f'{self.sampling_frequency} Hz'
            )

    def _select(self, name: str) -> tuple[str, int]:
        devices = [d for d in self._sounddevice.query_devices() if d['max_input_channels'] > 0]
        found = [d for d in devices if name.lower() in d['name'].lower()]
        names = '; '.join(f'{d["name"]} ({d["max_input_channels"]} in)' for d in devices) or 'none'
        if not name or not found:
            raise AudioError(
                f'no input device whose name contains {name!r} (found: {names}); connect it, '
                'set the parameter device to a part of its name, or try source:=sim'
            )
        fitting = [d for d in found if d['max_input_channels'] >= self.channel_count]
        if not fitting:
            device = found[0]
            advice = (
                'it runs its factory (DSP) firmware: flash the RAW firmware of its maker'
                if device['max_input_channels'] <= 2
                else 'choose another device or another array'
            )
            raise AudioError(
                f'device {device["name"]!r} has {device["max_input_channels"]} input channels '
                f'and the array needs {self.channel_count}; {advice}'
            )
        return fitting[0]['name'], fitting[0]['index']

    def _capture(self, data, frames, when, status):
        # PortAudio's thread: copy, stamp and return.
        now = time.monotonic()
        if status.input_overflow and self._next_index:
            # Lost samples are not counted by PortAudio; the clock tells how many at least.
            lost = round((now - self._last_capture) * self.sampling_frequency) - frames
            self._next_index += max(lost, 1)
        self._last_capture = now
        # The base of PortAudio's clock differs between systems: only differences count. The
        # first sample of a block is at least as old as the block is long.
        age = when.currentTime - when.inputBufferAdcTime
        shortest = frames / self.sampling_frequency
        age = max(age, shortest) if age < 1 else shortest
        index, self._next_index = self._next_index, self._next_index + frames
        try:
            self._queue.put_nowait((index, now - age, bytes(data)))
        except queue.Full:
            pass  # Shows as a jump of first_sample_index.

    def blocks(self, clock: Clock) -> Iterator[AudioBlock]:
        """Yield what the device captures until `close`.

        Raises:
            AudioError: the device stopped delivering or runs at another rate.
        """
        try:
            self._stream.start()
        except self._sounddevice.PortAudioError as error:
            raise AudioError(f'device {self._name!r} does not start ({error})') from None
        stamps = _Stamps(self.sampling_frequency)
        while not self._closed.is_set():
            try:
                item = self._queue.get(timeout=_SILENCE_LIMIT)
            except queue.Empty:
                raise AudioError(
                    f'device {self._name!r} has delivered nothing for {_SILENCE_LIMIT:g} s; '
                    'check its cable and power'
                ) from None
            if item is None:
                return
            index, captured, data = item
            self._check_rate(index, captured)
            samples = np.frombuffer(data, dtype=np.int32).reshape(-1, self.channel_count)
            measured = clock() - round((time.monotonic() - captured) * NANOSECONDS)
            stamp = stamps.smooth(index, measured)
            yield AudioBlock(samples, self.sampling_frequency, index, stamp)

    def _check_rate(self, index: int, captured: float):
        start_index, start = self._stretch_start = self._stretch_start or (index, captured)
        if captured - start < _RATE_CHECK_SECONDS:
            return
        measured = (index - start_index) / (captured - start)
        self._stretch_start = index, captured
        wrong = abs(measured / self.sampling_frequency - 1) > _RATE_TOLERANCE
        self._wrong_stretches = self._wrong_stretches + 1 if wrong else 0
        if self._wrong_stretches == _WRONG_STRETCHES:
            raise AudioError(
                f'device {self._name!r} delivers {measured:.0f} samples per second instead of '
                f'{self.sampling_frequency}; it does not support this rate'
            )

    def close(self) -> None:
        """End `blocks` and release the device."""
        self._closed.set()
        try:
            self._queue.put_nowait(None)
        except queue.Full:
            pass  # The consumer has blocks to wake it.
        # PortAudio can hang when a device is gone; leave it behind rather than wait.
        closing = threading.Thread(target=self._release, daemon=True)
        closing.start()
        closing.join(_CLOSE_SECONDS)

    def _release(self):
        # abort returns at once where stop may wait for a device that is gone.
        self._stream.abort(ignore_errors=True)
        self._stream.close(ignore_errors=True)


class _Stamps:
    """Stamps that grow evenly with the sample counter and never go back."""

    def __init__(self, rate: int):
        self._rate = rate
        self._last: tuple[int, int] | None = None

    def smooth(self, index: int, measured: int) -> int:
        """Return the stamp [ns] of a block that was measured to begin at `measured`."""
        stamp = measured
        if self._last is not None:
            last_index, last = self._last
            expected = last + (index - last_index) * NANOSECONDS // self._rate
            error = measured - expected
            if abs(error) < _STAMP_LIMIT:
                stamp = expected + round(_STAMP_GAIN * error)
            stamp = max(stamp, last + 1)
        self._last = index, stamp
        return stamp
