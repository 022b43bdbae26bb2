# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""ODAS, where its program `odaslive` is on the PATH.

F. Grondin and others, "ODAS: Open embeddeD Audition System", Frontiers in Robotics and AI 9, 2022.
Its tracks at the end of each block are compared. Every clip is given to a process of its own as a
file of raw audio. Tried with odaslive built from the sources of June 2024; the tests use a
stand-in.
"""

from collections.abc import Iterator, Sequence
import json
from pathlib import Path
import shutil
import subprocess
from tempfile import TemporaryDirectory

import numpy as np

from doa_ros.core.errors import AudioError
from doa_ros.core.geometry import MicArray, direction_of
from doa_ros.core.localization.decoding import Estimate

from ...scenes.blocks import HOP
from ..inputs import BASELINE_RATE, MethodInput
from ..method import DirectionMethod, TrackingMethod, Tracks, UnavailableError

PROGRAM = 'odaslive'
_HOP_SIZE = 128
_TIMEOUT = 120.0
_AUDIO, _TRACKS = 'audio.raw', 'tracks.json'

# The values are those of the configuration files that come with ODAS; the thresholds of activity
# (mu 0.3 and 0.15) are those of its files for quiet microphones.
_CONFIG = """\
version = "2.1";
raw: {{
  fS = {rate}; hopSize = {hop}; nBits = 16; nChannels = {count};
  interface: {{ type = "file"; path = "{audio}"; }};
}};
mapping: {{ map: ({channels}); }};
general: {{
  epsilon = 1E-20;
  size: {{ hopSize = {hop}; frameSize = 256; }};
  samplerate: {{ mu = {rate}; sigma2 = 0.01; }};
  speedofsound: {{ mu = {speed:.1f}; sigma2 = 25.0; }};
  mics = (
{microphones}
  );
  spatialfilters = ( {{ direction = (0.0, 0.0, 1.0); angle = (80.0, 100.0); }} );
  nThetas = 181;
  gainMin = 0.25;
}};
sne: {{ b = 3; alphaS = 0.1; L = 150; delta = 3.0; alphaD = 0.1; }};
ssl: {{
  nPots = 4; nMatches = 10; probMin = 0.5; nRefinedLevels = 1; interpRate = 4;
  scans = ( {{ level = 2; delta = -1; }}, {{ level = 4; delta = -1; }} );
  potential: {{ format = "undefined"; interface: {{ type = "blackhole"; }}; }};
}};
sst: {{
  mode = "kalman";
  add = "dynamic";
  active = ( {{ weight = 1.0; mu = 0.3; sigma2 = 0.0025; }} );
  inactive = ( {{ weight = 1.0; mu = 0.15; sigma2 = 0.0025; }} );
  sigmaR2_prob = 0.0025; sigmaR2_active = 0.0225; sigmaR2_target = 0.0025;
  Pfalse = 0.1; Pnew = 0.1; Ptrack = 0.8;
  theta_new = 0.9; N_prob = 5; theta_prob = 0.8;
  N_inactive = ( 150, 200, 250, 250 ); theta_inactive = 0.9;
  kalman: {{ sigmaQ = 0.001; }};
  particle: {{
    nParticles = 1000;
    st_alpha = 2.0; st_beta = 0.04; st_ratio = 0.5;
    ve_alpha = 0.05; ve_beta = 0.2; ve_ratio = 0.3;
    ac_alpha = 0.5; ac_beta = 0.2; ac_ratio = 0.2;
    Nmin = 0.7;
  }};
  target: ();
  tracked: {{ format = "json"; interface: {{ type = "file"; path = "{tracks}"; }}; }};
}};
sss: {{
  mode_sep = "dds"; mode_pf = "ms"; gain_sep = 1.0; gain_pf = 10.0;
  dds: {{ }};
  dgss: {{ mu = 0.01; lambda = 0.5; }};
  dmvdr: {{ }};
  ms: {{
    alphaPmin = 0.07; eta = 0.5; alphaZ = 0.8; thetaWin = 0.3; alphaWin = 0.3;
    maxAbsenceProb = 0.9; Gmin = 0.01; winSizeLocal = 3; winSizeGlobal = 23; winSizeFrame = 256;
  }};
  ss: {{ Gmin = 0.01; Gmid = 0.9; Gslope = 10.0; }};
  separated: {{
    fS = {rate}; hopSize = {hop}; nBits = 16; interface: {{ type = "blackhole"; }};
  }};
  postfiltered: {{
    fS = {rate}; hopSize = {hop}; nBits = 16; gain = 10.0; interface: {{ type = "blackhole"; }};
  }};
}};
classify: {{
  frameSize = 4096; winSize = 3; tauMin = 88; tauMax = 551; deltaTauMax = 20;
  alpha = 0.3; gamma = 0.05; phiMin = 0.5; r0 = 0.2;
  category: {{ format = "undefined"; interface: {{ type = "blackhole"; }}; }};
}};
"""
_MICROPHONE = """\
    {{ mu = ({:.6f}, {:.6f}, {:.6f});
      sigma2 = (1E-6, 0.0, 0.0, 0.0, 1E-6, 0.0, 0.0, 0.0, 1E-6);
      direction = (0.0, 0.0, 1.0); angle = (80.0, 100.0); }}"""


class Odas(DirectionMethod):
    """The directions of the tracks of ODAS, the most active track first.

    Args:
        array: the microphones.

    Raises:
        UnavailableError: odaslive is not on the PATH.
    """

    name = 'ODAS (tracks)'

    def __init__(self, array: MicArray):
        _require_program()
        self._array = array

    def estimates(self, clip: MethodInput) -> list[Sequence[Estimate]]:
        """See DirectionMethod.

        Raises:
            AudioError: odaslive failed.
        """
        tracks = _tracks(self._array, clip)
        return [[estimate for _, estimate in tracks[block]] for block in clip.blocks]


class OdasTracks(TrackingMethod):
    """The tracks of ODAS: see `Odas`."""

    name = Odas.name

    def __init__(self, array: MicArray):
        _require_program()
        self._array = array

    def tracks(self, clip: MethodInput) -> list[Tracks]:
        """See TrackingMethod.

        Raises:
            AudioError: odaslive failed.
        """
        return [
            [(number, estimate.azimuth) for number, estimate in tracks]
            for tracks in _tracks(self._array, clip)
        ]


def _require_program() -> None:
    if not shutil.which(PROGRAM):
        raise UnavailableError(Odas.name, f'{PROGRAM} is not on the PATH')


def _tracks(array: MicArray, clip: MethodInput) -> list[list[tuple[int, Estimate]]]:
    """Return number and direction of the tracks at every block, the most active one first."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        audio = clip.baseline_audio
        # At most 16 hops of silence flush what is on its way when the audio ends.
        audio = np.concatenate([audio, np.zeros((16 * _HOP_SIZE, audio.shape[1]))])
        scaled = 0.5 * audio / max(np.abs(audio).max(), 1e-12)
        (folder / _AUDIO).write_bytes(np.round(32767 * scaled).astype('<i2').tobytes())
        (folder / 'odas.cfg').write_text(
            odas_config(array, folder / _AUDIO, folder / _TRACKS), encoding='utf-8'
        )
        _run(folder)
        text = (folder / _TRACKS).read_text(encoding='utf-8', errors='replace')
    tracks = dict(parse_tracks(text))
    ends = (np.arange(clip.block_count) + 1) * HOP * BASELINE_RATE // _HOP_SIZE
    return [_by_activity(tracks.get(int(end), [])) for end in ends]


def odas_config(array: MicArray, audio: Path, tracks: Path) -> str:
    """Return the configuration of odaslive for raw 16 bit audio of the microphones alone."""
    count = len(array.positions)
    return _CONFIG.format(
        rate=BASELINE_RATE,
        hop=_HOP_SIZE,
        count=count,
        channels=', '.join(str(number + 1) for number in range(count)),
        microphones=',\n'.join(_MICROPHONE.format(*place) for place in array.positions),
        speed=array.speed_of_sound,
        audio=audio,
        tracks=tracks,
    )


def parse_tracks(text: str) -> Iterator[tuple[int, list[dict]]]:
    """Yield the number of a hop, from 1 on, and its sources, for each JSON object of the output.

    An object that was cut off at the end is left out.
    """
    decoder, place = json.JSONDecoder(), 0
    while True:
        place = text.find('{', place)
        if place < 0:
            return
        try:
            content, place = decoder.raw_decode(text, place)
        except ValueError:
            return
        yield int(content['timeStamp']), content['src']


def _run(folder: Path):
    try:
        done = subprocess.run(
            [PROGRAM, '-c', 'odas.cfg'],
            cwd=folder,
            capture_output=True,
            text=True,
            errors='replace',
            timeout=_TIMEOUT,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise AudioError(f'{PROGRAM} did not run: {error}') from None
    if done.returncode or not (folder / _TRACKS).is_file():
        reason = ' '.join((done.stderr or done.stdout).split())[-300:]
        raise AudioError(f'{PROGRAM} failed (status {done.returncode}): {reason}')


def _by_activity(sources: list[dict]) -> list[tuple[int, Estimate]]:
    # Places of ODAS's list without a track have id 0.
    tracks = [source for source in sources if source['id']]
    tracks.sort(key=lambda source: -source['activity'])
    directions = [direction_of([track['x'], track['y'], track['z']]) for track in tracks]
    return [
        (track['id'], Estimate(float(azimuth), float(elevation), *(np.nan,) * 3))
        for track, (azimuth, elevation) in zip(tracks, directions, strict=True)
    ]
