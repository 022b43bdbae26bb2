# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""doa-demo: run the pipeline on simulated talkers, or on the array, and show how well it does."""

import argparse
from pathlib import Path
import time

from doa_ros.audio.scene_source import load_scene
from doa_ros.cli.demo_log import DemoLog
from doa_ros.cli.demo_report import (
    Console,
    LiveTable,
    OneTalkerTable,
    TalkersTable,
    make_console,
    summarise,
)
from doa_ros.cli.node_process import NodeProcess, listen
from doa_ros.cli.plot_file import PlotFile
from doa_ros.cli.session import Session, session
from doa_ros.conversions.directions import directions_of, tracks_of
from doa_ros.core.ambiguity import ambiguity_in_frame
from doa_ros.core.array_file import load_array
from doa_ros.core.localization.localizer import METHODS
from doa_ros.core.localization.model_card import load_card
from doa_ros.headers import stamp_of
from doa_ros.msg import DoaEstimateArray, DoaTrackArray
from doa_ros.nodes.configs import ModelConfig
from doa_ros.resources import DEFAULT_ARRAY, DEFAULT_MODEL, find_resource

# The namespace of doa.launch.py, so that RViz shows the demo, too.
_NAMESPACE = 'doa'
# After the pipeline has ended, its last messages arrive within this time [s].
_LAST_MESSAGES = 0.5


def main() -> int:
    """Run the command line; return the exit status."""
    arguments = _parser().parse_args()
    plot = PlotFile(arguments.plot)
    _check(arguments)
    console = make_console()
    with session('doa_demo', _NAMESPACE) as ros:
        log = _record(arguments, console, ros)
        if log.estimates or not ros.stopped():
            summarise(log, plot, console)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog='doa-demo', description=__doc__)
    parser.add_argument(
        '--source',
        choices=('sim', 'device'),
        default='sim',
        help='sim: a scene of about 20 s; device: the array, until Ctrl-C (%(default)s)',
    )
    parser.add_argument('--method', choices=METHODS, default=ModelConfig.method)
    parser.add_argument(
        '--model',
        default=DEFAULT_MODEL,
        help='network of method cnn: shipped name or .tflite path (%(default)s)',
    )
    parser.add_argument('--scene', default='demo', help='shipped name or YAML path (%(default)s)')
    parser.add_argument(
        '--array', default=DEFAULT_ARRAY, help='shipped name or YAML path (%(default)s)'
    )
    parser.add_argument('--device', default='', help="part of the device's name, or its USB port")
    parser.add_argument(
        '--plot', type=Path, default=Path('doa_demo.png'), help='picture to write (%(default)s)'
    )
    return parser


def _check(arguments: argparse.Namespace) -> None:
    """Raise DoaError where the pipeline would end with it."""
    load_array(find_resource('arrays', arguments.array))
    if arguments.method == 'cnn':
        load_card(find_resource('models', arguments.model))
    if arguments.source == 'sim':
        load_scene(find_resource('scenes', arguments.scene))


def _record(arguments: argparse.Namespace, console: Console, ros: Session) -> DemoLog:
    """Run the pipeline and return what it gives."""
    ambiguity = ambiguity_in_frame(load_array(find_resource('arrays', arguments.array)))
    log = DemoLog(elevation_min=ambiguity.elevation_min)
    table: LiveTable = OneTalkerTable(console, log)
    if arguments.source == 'device':
        console.print('Speak to the array; Ctrl-C ends.')
    elif len(load_scene(find_resource('scenes', arguments.scene))) > 1:
        table = TalkersTable(console, log)
        console.print('Rendering talkers who move around the array in a noisy room ...')
    else:
        console.print('Rendering a talker who walks around the array in a noisy room ...')

    def on_truth(message: DoaEstimateArray) -> None:
        log.truth[stamp_of(message.header)] = tuple(
            talker.folded(ambiguity) for talker in directions_of(message).estimates
        )

    def on_estimates(message: DoaEstimateArray) -> None:
        stamp = stamp_of(message.header)
        log.estimates[stamp] = directions_of(message).estimates
        if pipeline.status is None:
            log.cpu[1:] = [pipeline.cpu_seconds()]
        table.show(stamp)

    def on_tracks(message: DoaTrackArray) -> None:
        log.tracks[stamp_of(message.header)] = tracks_of(message)

    node = ros.node
    node.create_subscription(DoaEstimateArray, 'truth', on_truth, 100)
    node.create_subscription(DoaEstimateArray, 'estimates', on_estimates, 100)
    node.create_subscription(DoaTrackArray, 'tracks', on_tracks, 100)
    parameters = {
        'source': arguments.source,
        'required': True,
        'method': arguments.method,
        'model': arguments.model,
        'scene': arguments.scene,
        'array': arguments.array,
    }
    if arguments.device:
        parameters['device'] = arguments.device
    with NodeProcess('doa_pipeline', parameters, ros.namespace) as pipeline:
        listen(node, [pipeline], ros.stopped)
        # The last messages are still on their way.
        deadline = time.monotonic() + _LAST_MESSAGES
        listen(node, [], lambda: time.monotonic() > deadline)
        pipeline.check()
    return log
