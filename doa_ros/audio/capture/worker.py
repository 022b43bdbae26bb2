# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The program of the process that captures.

PortAudio has a process of its own, because it can hang, crash, or never find a new device.
`process` starts this module and talks to it as `protocol` says. It imports little, so that it
starts fast.
"""

from collections.abc import Iterable
import contextlib
import os
import signal
import sys
import threading
import time
import traceback
from typing import BinaryIO

from doa_ros.audio.capture.block_stream import BlockStream
from doa_ros.audio.capture.portaudio import listing, load_portaudio, look_again, open_device
from doa_ros.audio.capture.protocol import CaptureSettings, Kind, Note, write
from doa_ros.audio.capture.retry import retry_interval
from doa_ros.core.errors import AudioError

# A device that does not open is tried again after a pause of this length [s]: a look for devices
# takes 16 ms of CPU time of an x86 core, several times that of a small computer.
_RETRY_SECONDS, _MAX_RETRY_SECONDS = 0.4, 3.0
# Late callbacks lose samples. The priority is set where the user may.
_NICENESS = -10


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
            write(output, Note(Kind.LISTING, listing()))
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
    sounddevice = load_portaudio()
    blocks = BlockStream(settings, lambda message: write(output, message))
    write(output, Note(Kind.READY))
    opening.wait()
    begin, opened = time.monotonic(), None
    while opened is None:
        look_again(sounddevice)
        try:
            opened = open_device(sounddevice, settings, blocks)
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


if __name__ == '__main__':
    main()
