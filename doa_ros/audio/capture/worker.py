# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The program of the process that captures.

PortAudio has a process of its own, because it can hang, crash, or never find a new device.
`process` starts this module and talks to it as `protocol` says. It imports little, so that it
starts fast.
"""

from collections.abc import Callable, Iterable
import contextlib
from dataclasses import dataclass
import os
import signal
import sys
import threading
import time
import traceback
from types import ModuleType
from typing import BinaryIO

from doa_ros.audio.capture.alsa import Cards
from doa_ros.audio.capture.device_selection import Device, alsa_name, place, placed, select
from doa_ros.audio.capture.latest_queue import LatestQueue
from doa_ros.audio.capture.protocol import CapturedBlock, CaptureSettings, Kind, Note, write
from doa_ros.audio.capture.retry import retry_interval
from doa_ros.audio.capture.sample_clock import SampleClock
from doa_ros.core.errors import AudioError

CARDS = Cards()

# PortAudio delivers pieces of this length [s] whatever the length of a block: they tell the time
# well, and longer ones beat with the periods of the device.
_PIECE = 0.01
# Latency asked of the device [s].
_LATENCY = 0.1
# Pieces wait for at most this time [s] to be sent to the parent; older ones are dropped.
_QUEUE_SECONDS = 0.2
# A device that delivers nothing for the first time [s] is dead, and one that has just been started
# for the second. Both are counted in intervals, at each of which the parent hears that this
# process is alive: a computer that stands still for a while is no fault of the device.
_SILENCE_LIMIT = 0.4
_START_LIMIT = 3.0
_INTERVAL = 0.05
# A device that does not open is tried again after a pause of this length [s]: a look for devices
# takes 16 ms of CPU time of an x86 core, several times that of a small computer.
_RETRY_SECONDS, _MAX_RETRY_SECONDS = 0.4, 3.0
# Late callbacks lose samples. The priority is set where the user may.
_NICENESS = -10
_NO_DEVICES = (
    'no input devices: connect the array; where it is connected, end the program that uses it, or '
    'let this user use sound cards (sudo usermod -aG audio USER, then log in again)'
)


@dataclass(frozen=True)
class _Piece:
    """The samples of one callback of PortAudio.

    Attributes:
        samples: int32 of the machine, channels of a sample next to each other.
        delivered: samples per channel that have been delivered so far, with these.
        arrival: when they arrived, on the clock of `time.monotonic` [s].
        overflows: how often samples have been lost so far.
    """

    samples: bytes
    delivered: int
    arrival: float
    overflows: int


# The last piece of a stream.
_END = _Piece(b'', 0, 0.0, 0)


class _BlockStream:
    """Cuts what PortAudio delivers into blocks, with the time and the index of each.

    `callback` runs in PortAudio's thread, `run` in another.

    Args:
        settings: what shall be captured.
        send: takes each block, and an ALIVE at each interval in which nothing has arrived.
    """

    def __init__(self, settings: CaptureSettings, send: Callable[[CapturedBlock | Note], None]):
        self._settings = settings
        self._send = send
        self._pieces: LatestQueue[_Piece] = LatestQueue(round(_QUEUE_SECONDS / _PIECE))
        self._delivered = 0
        self._overflows = 0

    def callback(self, data, frames, _, status) -> None:
        """Take a piece, in PortAudio's thread: copy, stamp, return."""
        arrival = time.monotonic()
        self._delivered += frames
        # Before the first piece nothing is lost.
        self._overflows += bool(status.input_overflow and self._delivered > frames)
        self._pieces.put(_Piece(bytes(data), self._delivered, arrival, self._overflows))

    def finish(self) -> None:
        """End `run`: the stream has ended."""
        self._pieces.put(_END)

    def _next(self) -> _Piece:
        """Wait for the next piece.

        Raises:
            AudioError: the device has fallen silent.
        """
        limit = _SILENCE_LIMIT if self._delivered else _START_LIMIT
        for _ in range(round(limit / _INTERVAL)):
            if piece := self._pieces.get(_INTERVAL):
                return piece
            self._send(Note(Kind.ALIVE))
        raise AudioError(f'has delivered nothing for {limit:g} s; check its cable')

    def run(self) -> None:
        """Send blocks until `finish`.

        Raises:
            AudioError: the device has fallen silent or runs at another rate.
        """
        clock = SampleClock(self._settings.rate)
        sample_bytes = 4 * self._settings.channels
        block_bytes = self._settings.block * sample_bytes
        pending, pending_end = bytearray(), 0
        overflows = 0
        while (piece := self._next()) is not _END:
            if piece.overflows > overflows:
                # PortAudio does not say how many samples were lost; the clock does.
                clock.interrupt()
                overflows = piece.overflows
            end = clock.add(piece.delivered, piece.arrival)
            if not clock.settled:
                continue
            if end - len(piece.samples) // sample_bytes != pending_end:
                pending.clear()
            pending += piece.samples
            pending_end = end
            while len(pending) >= block_bytes:
                index = end - len(pending) // sample_bytes
                dropped = self._pieces.dropped * round(_PIECE * self._settings.rate)
                self._send(
                    CapturedBlock(
                        index,
                        clock.time(index),
                        overflows,
                        dropped,
                        clock.rate,
                        bytes(pending[:block_bytes]),
                    )
                )
                del pending[:block_bytes]


def main() -> None:
    """List devices, or capture as the parent wants."""
    # Whoever ends a whole group or service ends the parent, and that ends this process.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    # Libraries may print; only messages go to the parent.
    output = os.fdopen(os.dup(sys.stdout.fileno()), 'wb')
    with open(os.devnull, 'wb') as nothing:
        os.dup2(nothing.fileno(), sys.stdout.fileno())
    try:
        if sys.argv[1] == 'list':
            write(output, Note(Kind.LISTING, _listing()))
            os._exit(0)
        problem = _capture(CaptureSettings.from_json(sys.argv[2]), output)
    except AudioError as error:
        problem = str(error)
    except Exception:
        problem = traceback.format_exc()
    with contextlib.suppress(OSError):
        write(output, Note(Kind.FAILED, problem))
    # Ending in order would ask PortAudio to close the device, and it could hang.
    os._exit(1)


def _capture(settings: CaptureSettings, output: BinaryIO) -> str:
    """Send what the device delivers, as soon as it opens; return why it has ended."""
    with contextlib.suppress(AttributeError, OSError):
        os.nice(_NICENESS)
    opening, starting = threading.Event(), threading.Event()
    threading.Thread(target=_obey, args=([opening, starting],), daemon=True).start()
    sounddevice = _portaudio()
    blocks = _BlockStream(settings, lambda message: write(output, message))
    write(output, Note(Kind.READY))
    opening.wait()
    begin, opened = time.monotonic(), None
    while opened is None:
        _look_again(sounddevice)
        try:
            opened = _open(sounddevice, settings, blocks)
        except AudioError as error:
            write(output, Note(Kind.WAITING, str(error)))
            waited = time.monotonic() - begin
            time.sleep(retry_interval(waited, least=_RETRY_SECONDS, most=_MAX_RETRY_SECONDS))
    name, stream, warning = opened
    if warning:
        write(output, Note(Kind.WARNING, warning))
    write(output, Note(Kind.OPENED, name))
    starting.wait()
    try:
        stream.start()
        blocks.run()
    except sounddevice.PortAudioError as error:
        raise AudioError(f'device {name!r} does not start ({error})') from None
    except AudioError as error:
        raise AudioError(f'device {name!r} {error}') from None
    return f'device {name!r} has stopped; check its cable'


def _obey(steps: Iterable[threading.Event]) -> None:
    """Set an event at each byte from the parent; end this process when the parent has ended."""
    for step in steps:
        if not sys.stdin.buffer.read(1):
            break
        step.set()
    else:
        sys.stdin.buffer.read()
    os._exit(0)


def _portaudio() -> ModuleType:
    """Return the module sounddevice.

    Raises:
        AudioError: it or PortAudio is not installed.
    """
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
    sounddevice._ffi = _ReadableStrings(sounddevice._ffi)
    return sounddevice


class _ReadableStrings:
    """The C functions that sounddevice uses, with text that is always UTF-8.

    A device may be named in any bytes. If one name is not UTF-8, sounddevice lists no device at
    all. Here such bytes are escaped, so that the name can be read and chosen.
    """

    def __init__(self, ffi):
        self._ffi = ffi

    def string(self, *arguments) -> bytes:
        return self._ffi.string(*arguments).decode('utf-8', 'backslashreplace').encode()

    def __getattr__(self, name):
        return getattr(self._ffi, name)


def _look_again(sounddevice) -> None:
    """Make PortAudio see what has been connected since it looked for devices."""
    with contextlib.suppress(sounddevice.PortAudioError):
        sounddevice._terminate()
        sounddevice._initialize()


def _devices(sounddevice) -> list[Device]:
    hosts = [host['name'] for host in sounddevice.query_hostapis()]
    return [
        Device(index, d['name'], hosts[d['hostapi']], d['max_input_channels'])
        for index, d in enumerate(sounddevice.query_devices())
    ]


def _open(sounddevice, settings: CaptureSettings, blocks: _BlockStream):
    """Return name and stream of the first matching device that opens, and a warning or ''.

    Raises:
        AudioError: none does; the message says why.
    """
    try:
        devices = _devices(sounddevice)
    except sounddevice.PortAudioError as error:
        raise AudioError(f'PortAudio does not list its devices ({error})') from None
    selection = select(devices, settings.wanted, CARDS)
    problems = []
    for device in selection.devices:
        try:
            stream = _stream(sounddevice, device, settings, blocks)
        except AudioError as error:
            problems.append(str(error))
        else:
            return placed(device, CARDS), stream, selection.warning
    raise AudioError('; '.join(problems))


def _stream(sounddevice, device: Device, settings: CaptureSettings, blocks: _BlockStream):
    """Return an open stream of a device.

    Raises:
        AudioError: it does not open as the settings say.
    """
    try:
        stream = sounddevice.RawInputStream(
            device=device.index,
            samplerate=settings.rate,
            channels=settings.channels,
            dtype='int32',
            blocksize=round(_PIECE * settings.rate),
            latency=_LATENCY,
            callback=blocks.callback,
            finished_callback=blocks.finish,
        )
    except sounddevice.PortAudioError as error:
        user = CARDS.user(device.card)
        raise AudioError(
            f'device {device.name!r} does not open with {settings.channels} channels of '
            f'32 bits at {settings.rate} Hz ({error}); '
            + (f'{user} uses it: end that' if user else 'is it in use by another program?')
        ) from None
    if abs(stream.samplerate - settings.rate) > 1:
        stream.close(ignore_errors=True)
        raise AudioError(
            f'device {device.name!r} opened at {stream.samplerate:g} Hz instead of '
            f'{settings.rate} Hz'
        )
    return stream


def _listing() -> str:
    """Return a line per input device, as `list_devices` says."""
    lines = []
    for device in _devices(_portaudio()):
        if device.inputs:
            others = [alsa_name(device, CARDS), place(device.card, CARDS)]
            names = ' = '.join(filter(None, [device.name, *others]))
            server = '; of a sound server, not usable' if device.from_server else ''
            plural = 's' * (device.inputs != 1)
            lines.append(f'{device.index}: {names} ({device.inputs} channel{plural}{server})')
    return '\n'.join(lines) or _NO_DEVICES


if __name__ == '__main__':
    main()
