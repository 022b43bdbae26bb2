# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Show how often doa-check is right about an array whose channels are not as described.

Simulated rooms (RT60 0.2 to 0.7 s, SNR 5 to 20 dB, real noise from all around), boards with errors
of gain, phase and place, and a person who speaks up to 10 degrees beside where the check asks.
The channels come in every symmetric order of the array, with two of them swapped, or from a board
that is the mirror image of the described one, turned every way. The check is right when every
channel of the array file that it writes has the place of the microphone that is heard on it.
"""

import argparse
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
import io
import math
from pathlib import Path
import tempfile

import numpy as np
from scipy import stats
from tqdm import tqdm

from doa_ros.cli.array_file import array_file
from doa_ros.cli.check_steps import FRONT, QUIET, RIGHT, Recorder, Step, check
from doa_ros.core.array_file import load_array
from doa_ros.core.errors import AudioError
from doa_ros.core.geometry import MicArray
from doa_ros.core.symmetry import symmetries
from doa_ros.resources import DEFAULT_ARRAY, find_resource

from ..evaluation.scenes.blocks import HOP
from ..evaluation.scenes.rooms import demo_corpus
from ..sections import SimulateConfig
from ..simulation.scenes import Place, Scene, draw_scene
from ..simulation.simulator import Simulator
from ..tables import Row, show_table

_SEED = 17
# How far beside the direction somebody stands [rad].
_CARELESS = math.radians(10)
# Least distance of a talker from the walls [m].
_WALL = 0.2
_SCENES = SimulateConfig(
    length=QUIET.duration + FRONT.duration,
    lead=QUIET.duration,
    rt60_min=0.2,
    rt60_max=0.7,
    snr_min=5.0,
    snr_max=20.0,
    distance_min=0.8,
    distance_max=1.2,
    elevation_max_deg=60.0,
    noise_only=0.0,
    short_sounds=0.0,
    directional_noise=0.0,
    ego_noise=0.0,
    one_board=True,
)


@dataclass(frozen=True)
class Case:
    """Which microphone is heard on which channel.

    Attributes:
        name: of the kind of cases.
        heard: for each described microphone the one that its channel carries.
        mirrored: whether the board is the mirror image of the described one.
    """

    name: str
    heard: tuple[int, ...]
    mirrored: bool = False


def cases(array: MicArray) -> Iterator[Case]:
    """Yield every symmetric order, every swap of two channels, and mirrored boards."""
    count = len(array.positions)
    for symmetry in symmetries(array):
        yield Case('symmetric orders', symmetry.permutation)
        if not symmetry.mirrored:
            yield Case('mirrored boards', symmetry.permutation, mirrored=True)
    for first, second in array.pairs.tolist():
        heard = list(range(count))
        heard[first], heard[second] = second, first
        yield Case('two channels swapped', tuple(heard))


def check_study(path: Path, *, rooms: int) -> None:
    """Check in all rooms; print the shares, and what went wrong where.

    Args:
        path: array file.
        rooms: for each case.
    """
    array = load_array(path).unmounted()
    right: dict[str, list[bool]] = {}
    todo = [(case, room) for room in range(rooms) for case in cases(array)]
    for number, (case, _) in enumerate(tqdm(todo, unit='check')):
        problem = judged(path, array, case, number)
        right.setdefault(case.name, []).append(not problem)
        if problem:
            tqdm.write(f'{case.name}, check {number}: {problem}')
    rows: list[Row] = []
    for name, results in right.items():
        interval = stats.binomtest(sum(results), len(results)).proportion_ci(method='wilson')
        rows.append(
            {
                'case': name,
                'checks': len(results),
                'right': f'{np.mean(results):.3f}',
                '95 % interval': f'{interval.low:.3f} to {interval.high:.3f}',
            }
        )
    show_table(rows, f'doa-check of {array.name} in simulated rooms')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    parser.add_argument('--array', default=DEFAULT_ARRAY, help='name or path')
    parser.add_argument('--rooms', type=int, default=10, help='for each case (%(default)s)')


def run(args: argparse.Namespace) -> None:
    """Do what the command line asks for."""
    check_study(find_resource('arrays', args.array), rooms=args.rooms)


def judged(path: Path, array: MicArray, case: Case, number: int) -> str:
    """Return what is wrong with the array file that the check of one room writes.

    Args:
        path: array file that describes the array.
        array: the same.
        case: how the board differs from it.
        number: of the room.

    Returns:
        A sentence; empty where the array file is right.
    """
    record = simulated(array, case, number)
    try:
        with redirect_stdout(io.StringIO()):
            result = check(array, record)
        if result.orientation is None:
            return result.health.findings[0].message
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / 'array.yaml'
            out.write_text(array_file(path, result.array, result.orientation), encoding='utf-8')
            written = load_array(out)
    except AudioError as error:
        return str(error)
    truth = array.positions * [1, -1, 1] if case.mirrored else array.positions
    # By channel, the described microphone that it is for.
    described = {channel: k for k, channel in enumerate(array.channels)}
    places = truth[[case.heard[described[channel]] for channel in written.channels]]
    # Whatever is heard from above or below, a flat array hears alike.
    wrong = written.frame_positions[:, :2] - places[:, :2]
    farthest = float(np.linalg.norm(wrong, axis=1).max())
    return '' if farthest < 1e-3 else f'microphones are up to {1e3 * farthest:.0f} mm away'


def simulated(array: MicArray, case: Case, number: int) -> Recorder:
    """Return a recorder of the steps in a random room.

    Args:
        array: as described.
        case: how the board differs from it.
        number: of the room.
    """
    rng = np.random.default_rng([_SEED, number])
    positions = array.positions * [1, -1, 1] if case.mirrored else array.positions
    board = replace(array, positions=positions)
    config = replace(_SCENES, seed=number, sampling_frequency=array.sampling_frequency)
    simulator = Simulator(board, config, demo_corpus(array.sampling_frequency), HOP)
    drawn, places = _draw(rng, config)
    quiet = round(QUIET.duration * array.sampling_frequency)
    audio: dict[Step, np.ndarray] = {}
    for step, place in places.items():
        scene = replace(drawn, sources=(place,), peak_dbfs=-30.0)
        heard = simulator.clip(rng, scene, step.request).audio
        stream = np.zeros((len(heard), array.channel_count), dtype=np.float32)
        stream[:, list(array.channels)] = heard[:, list(case.heard)]
        # The noise before the first voice is that of the quiet room.
        audio.setdefault(QUIET, stream[:quiet])
        audio[step] = stream[quiet:]

    return audio.__getitem__


def _draw(rng: np.random.Generator, config: SimulateConfig) -> tuple[Scene, dict[Step, Place]]:
    """Return a room, and where somebody speaks from in it."""
    while True:
        scene = draw_scene(rng, config)
        (source,) = scene.sources
        places = {
            step: Place(
                azimuth + rng.uniform(-_CARELESS, _CARELESS), source.elevation, source.distance
            )
            for step, azimuth in ((FRONT, 0.0), (RIGHT, -math.pi / 2))
        }
        positions = np.array([scene.position(place) for place in places.values()])
        if (positions > _WALL).all() and (positions < scene.room.size - _WALL).all():
            return scene, places
