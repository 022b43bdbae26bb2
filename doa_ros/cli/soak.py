# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""doa-soak: run the pipeline on a virtual UMA-8 that fails again and again, and watch it.

Needs PulseAudio. The exit status is not 0 where the pipeline ended, did not recover from a fault
or grew by more than 2 MB.
"""

import argparse
from contextlib import ExitStack
import os
from pathlib import Path
import random
import tempfile

import numpy as np

from doa_ros.audio.capture.virtual_device import VirtualUma8
from doa_ros.audio.scene_source import SceneSource
from doa_ros.cli.node_process import NodeProcess
from doa_ros.cli.plot_file import PlotFile
from doa_ros.cli.session import Session, session
from doa_ros.cli.soak_faults import Soak
from doa_ros.cli.soak_log import SoakLog
from doa_ros.cli.soak_report import draw, report
from doa_ros.command import positive
from doa_ros.core.array_file import load_array
from doa_ros.resources import find_resource

_BLOCK = 0.05
# The length of what the device plays, from the beginning after each fault [s]: longer than any
# time between faults.
_RECORDING = 150.0
_MAX_GROWTH = 2e6


def main() -> int:
    """Run the command line; return the exit status."""
    arguments = _parser().parse_args()
    plot = PlotFile(arguments.plot)
    with session('soak') as ros:
        log = _soak(arguments, ros)
        if log.arrivals:
            print(report(log))
            print(f'plot: {plot.write(lambda: draw(log))}')
    return 1 if log.missed or log.growth() > _MAX_GROWTH else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog='doa-soak', description=__doc__)
    parser.add_argument('--minutes', type=positive, default=60.0, help='how long (%(default)s)')
    parser.add_argument('--seed', type=int, default=1, help='of the faults (%(default)s)')
    parser.add_argument(
        '--plot', type=Path, default=Path('doa_soak.png'), help='picture to write (%(default)s)'
    )
    return parser


def _soak(arguments: argparse.Namespace, ros: Session) -> SoakLog:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix='doa_soak_')))
        recording = folder / 'scene.raw'
        _write_scene(recording)
        card = VirtualUma8(folder, recording)
        stack.callback(card.kill)
        os.environ.update(card.environment)
        pipeline = stack.enter_context(NodeProcess('doa_pipeline', {}, ros.namespace))
        soak = Soak(ros, pipeline, card, random.Random(arguments.seed))
        soak.run(60 * arguments.minutes)
        return soak.log


def _write_scene(path: Path) -> None:
    array = load_array(find_resource('arrays', 'uma8'))
    source = SceneSource(
        find_resource('scenes', 'demo'), array, block_duration=_BLOCK, real_time=False
    )
    scene = np.concatenate([block.samples for block in source.blocks(lambda: 0)])
    seconds = len(scene) / array.sampling_frequency
    with path.open('wb') as file:
        for _ in range(round(_RECORDING / seconds)):
            scene.astype('<i4').tofile(file)
