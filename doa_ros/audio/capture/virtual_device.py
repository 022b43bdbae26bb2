# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A UMA-8 without hardware, for tests: a real ALSA device behind PortAudio."""

import os
from pathlib import Path
import shutil
import subprocess
import time

from doa_ros.core.errors import AudioError

NEEDED = (
    'needs a sound server: sudo apt-get install pulseaudio pulseaudio-utils libasound2-plugins'
)
"""What to say where `is_available` does not hold."""

_PLUGIN = 'alsa-lib/libasound_module_pcm_pulse.so'
_FORMAT = (
    'format=s32le rate=48000 channels=8 channel_map='
    'front-left,front-right,rear-left,rear-right,front-center,lfe,side-left,side-right'
)
# The pace of the device, with somebody who listens closely: otherwise it would work 2 s ahead,
# as it does anyway at first [s].
_CLOCK = (
    f'module-null-sink sink_name=rest {_FORMAT}',
    f'module-null-sink sink_name=clock {_FORMAT}',
    'module-loopback source=clock.monitor sink=rest latency_msec=30 adjust_time=0',
)
_AHEAD = 2.2
_PLUG = f'module-remap-source source_name=uma8 master=clock.monitor {_FORMAT}'
_ALSA = """\
</usr/share/alsa/alsa.conf>
pcm.uma8_clock {{ type pulse server "unix:{run}/native" device "uma8" }}
pcm."micArray RAW SPK" {{
  type file
  slave.pcm "uma8_clock"
  file "/dev/null"
  infile "{recording}"
  format "raw"
}}
"""
_START_SECONDS = 20.0


class VirtualUma8:
    """A UMA-8 that plays a recording from its beginning whenever it is opened.

    It is ALSA's file plugin, which plays 8 channels of 32 bits as input, at the pace of a
    PulseAudio of its own.

    Args:
        run: an empty folder, absolute.
        recording: raw, 8 channels of int32 at 48 kHz. It should be longer than anybody listens:
            the plugin wraps it at a wrong place.

    Attributes:
        environment: variables of a process that sees it.
        daemon: the process behind it.
        plugged: when the device was connected last, on the clock of `time.monotonic` [s].

    Raises:
        AudioError: there is no PulseAudio, or it does not start.
    """

    def __init__(self, run: Path, recording: Path):
        if not is_available():
            raise AudioError(NEEDED)
        self._run = run
        (run / 'asound.conf').write_text(_ALSA.format(run=run, recording=recording))
        self.environment = {
            'HOME': str(run),
            'XDG_RUNTIME_DIR': str(run),
            'PULSE_SERVER': f'unix:{run}/native',
            'ALSA_CONFIG_PATH': str(run / 'asound.conf'),
        }
        self.start()

    def start(self) -> None:
        """Start the daemon and plug the device in.

        Raises:
            AudioError: it does not start.
        """
        self.daemon = subprocess.Popen(
            ['pulseaudio', '-n', '--daemonize=no', '--exit-idle-time=-1', '--use-pid-file=no',
             '--disable-shm=yes', '--load', 'module-native-protocol-unix auth-anonymous=1 '
             f'socket={self._run}/native'],
            env={**os.environ, **self.environment},
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        end = time.monotonic() + _START_SECONDS
        while self._pactl('info') != 0:
            if time.monotonic() > end:
                raise AudioError('PulseAudio does not start')
            time.sleep(0.05)
        self.plug()

    def kill(self) -> None:
        """Kill the daemon: the connection to the device breaks."""
        self.daemon.kill()
        self.daemon.wait()

    def unplug(self) -> None:
        """Take the device away while the daemon lives."""
        # Nothing may be left that streams could be moved to.
        self._change('unload-module', 'module-null-sink')

    def plug(self) -> None:
        """Connect the device."""
        for module in _CLOCK:
            self._change('load-module', *module.split())
        time.sleep(_AHEAD)
        self.plugged = time.monotonic()
        self._change('load-module', *_PLUG.split())

    def _change(self, *command: str) -> None:
        if self._pactl(*command) != 0:
            raise AudioError(f'PulseAudio does not do {" ".join(command)}')

    def _pactl(self, *command: str) -> int:
        return subprocess.run(
            ['pactl', *command],
            env={**os.environ, **self.environment},
            capture_output=True,
            timeout=20,
        ).returncode


def is_available() -> bool:
    """Return whether this computer has what a virtual device needs."""
    programs = shutil.which('pulseaudio') and shutil.which('pactl')
    return bool(programs) and any(Path('/usr/lib').glob(f'*/{_PLUGIN}'))
