# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""PortAudio, by the package sounddevice: which devices there are, and the stream of one."""

import contextlib
from types import ModuleType

from doa_ros.audio.capture.alsa import Cards
from doa_ros.audio.capture.block_stream import PIECE, BlockStream
from doa_ros.audio.capture.device_selection import Device, alsa_name, place, placed, select
from doa_ros.audio.capture.protocol import CaptureSettings
from doa_ros.core.errors import AudioError

CARDS = Cards()
"""The sound cards behind the devices."""

# Latency asked of the device [s].
_LATENCY = 0.1
_NO_DEVICES = (
    'no input devices: connect the array; where it is connected, end the program that uses it, or '
    'let this user use sound cards (sudo usermod -aG audio USER, then log in again)'
)


def load_portaudio() -> ModuleType:
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


def look_again(sounddevice) -> None:
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


def open_device(sounddevice, settings: CaptureSettings, blocks: BlockStream):
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


def _stream(sounddevice, device: Device, settings: CaptureSettings, blocks: BlockStream):
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
            blocksize=round(PIECE * settings.rate),
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


def listing() -> str:
    """Return a line per input device, as `list_devices` says."""
    lines = []
    for device in _devices(load_portaudio()):
        if device.inputs:
            others = [alsa_name(device, CARDS), place(device.card, CARDS)]
            names = ' = '.join(filter(None, [device.name, *others]))
            server = '; of a sound server, not usable' if device.from_server else ''
            plural = 's' * (device.inputs != 1)
            lines.append(f'{device.index}: {names} ({device.inputs} channel{plural}{server})')
    return '\n'.join(lines) or _NO_DEVICES
