# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Stands for sounddevice in the process that captures, for faults that no virtual device has.

The file that the variable FAKE_SOUNDDEVICE names says, at any time, what happens:

    devices     [name, input channels, host API] of each; their numbers are their places
    problem     what opening a device fails with; empty where it works
    busy        names of devices that do not open
    promised    rate that a stream says it has [Hz]
    rate        rate that it delivers at [Hz]
    silent      whether it delivers nothing
    lost        samples lost so far
    flagged     whether it says when samples are lost
    stopped     whether the stream ends
    hanging     whether PortAudio hangs when it opens a device

Every sample holds its index, in all channels.
"""

import json
import os
from pathlib import Path
import threading
import time
from types import SimpleNamespace

import numpy as np


class PortAudioError(Exception):
    """PortAudio says no."""


def _script():
    return SimpleNamespace(**json.loads(Path(os.environ['FAKE_SOUNDDEVICE']).read_text()))


# Like PortAudio, it sees new devices only after it was initialised anew.
_devices = _script().devices
_HOSTS = ['ALSA', 'PulseAudio']


def _terminate():
    global _devices
    _devices = None


def _initialize():
    global _devices
    _devices = _script().devices


def query_hostapis():
    return [{'name': name} for name in _HOSTS]


def query_devices():
    return [_query(index) for index in range(len(_devices))]


def _query(index):
    name, inputs, host = _devices[index]
    return {
        'name': _ffi.string(name).decode(),
        'max_input_channels': inputs,
        'hostapi': _HOSTS.index(host),
    }


class _FFI:
    """Names as C has them: a lone surrogate stands for a byte that is no UTF-8."""

    def string(self, name):
        return name.encode('utf-8', 'surrogateescape')


_ffi = _FFI()


class RawInputStream:
    """Delivers in a thread of its own."""

    def __init__(self, *, samplerate, channels, dtype, blocksize, callback, finished_callback,
                 device, latency):  # fmt: skip
        script = _script()
        while script.hanging:
            time.sleep(0.1)
        if script.problem or _devices[device][0] in script.busy:
            raise PortAudioError(script.problem or 'Device unavailable')
        assert dtype == 'int32'
        assert channels <= _query(device)['max_input_channels']
        self.samplerate = script.promised or samplerate
        self._shape = blocksize, channels
        self._callback, self._finished = callback, finished_callback
        self._thread = threading.Thread(target=self._deliver, daemon=True)

    def start(self):
        self._thread.start()

    def close(self, ignore_errors):
        pass

    def _deliver(self):
        count, channels = self._shape
        index, lost, due = 0, _script().lost, time.monotonic()
        while not (script := _script()).stopped:
            missing, lost = script.lost - lost, script.lost
            index += missing
            due += (count + missing) / script.rate
            time.sleep(max(0.0, due - time.monotonic()))
            samples = np.arange(index, index + count, dtype=np.int32)
            index += count
            if not script.silent:
                overflow = bool(missing and script.flagged)
                data = memoryview(np.repeat(samples, channels).tobytes())
                self._callback(data, count, None, SimpleNamespace(input_overflow=overflow))
        self._finished()
