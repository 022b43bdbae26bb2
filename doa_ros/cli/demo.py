# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""doa-demo: run the pipeline on simulated talkers, or on the array, and show how well it does."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass, field
import math
from pathlib import Path
import time
from typing import TYPE_CHECKING

import numpy as np
import rclpy

from doa_ros.audio.scene_source import load_scene
from doa_ros.cli.node_process import NAMESPACE, NodeProcess, listen
from doa_ros.cli.plot_file import PlotFile
from doa_ros.cli.scoring import Score, Scorer
from doa_ros.cli.session import session
from doa_ros.conversions import directions_of, tracks_of
from doa_ros.core.ambiguity import ambiguity_in_frame
from doa_ros.core.errors import DoaError
from doa_ros.core.features.extractor import FeatureConfig
from doa_ros.core.geometry import load_array
from doa_ros.core.localization.decoding import Estimate
from doa_ros.core.localization.model_card import load_card
from doa_ros.core.tracking.track import Track
from doa_ros.headers import stamp_of
from doa_ros.msg import DoaEstimateArray, DoaTrackArray
from doa_ros.nodes.configs import ModelConfig
from doa_ros.resources import find_resource
from doa_ros.simulation.labels import silent_blocks, voiced_blocks

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_HOP = FeatureConfig.hop
# Time that messages take to arrive after the pipeline has ended, at most [s].
_LAST_MESSAGES = 0.5
# A line of the table every so many estimates.
_LINE_EVERY = 5
_WIDTHS = (8, 10, 12, 11, 14, 12)
# Width of a list of azimuths where there are several talkers.
_LIST_WIDTH = 20
# A talker is followed where a track is this near to him [rad].
_NEAR = math.radians(15)
# Of tracks in the plot; orange is for estimates.
_COLOURS = ('tab:blue', 'tab:green', 'tab:red', 'tab:purple', 'tab:cyan')


class Plain:
    """Prints without style, where rich is not installed."""

    def print(self, text: str, style: str | None = None) -> None:
        """Print a line."""
        print(text)


def make_console() -> Plain:
    """Return what prints lines: with style where rich is installed."""
    try:
        from rich.console import Console
    except ImportError:
        return Plain()
    return Console(highlight=False, markup=False)


@dataclass
class Recording:
    """What was heard, by stamp [ns].

    Attributes:
        truth: directions of those who speak, as far as the array can tell them.
        estimates: given by the pipeline.
        tracks: likewise; their ids count from 1, as the lines of a table are short.
        cpu: CPU time of the pipeline at its first and at its latest estimate [s].
        elevation_min: the lowest elevation that the array gives [rad]; NaN where it gives none.
    """

    truth: dict[int, tuple[Estimate, ...]] = field(default_factory=dict)
    estimates: dict[int, tuple[Estimate, ...]] = field(default_factory=dict)
    tracks: dict[int, tuple[Track, ...]] = field(default_factory=dict)
    cpu: list[float] = field(default_factory=list)
    elevation_min: float = 0.0
    _numbers: dict[int, int] = field(default_factory=dict)

    def add_tracks(self, stamp: int, tracks: tuple[Track, ...]) -> None:
        """Take tracks, with ids that can be any numbers."""
        self.tracks[stamp] = tuple(
            track._replace(id=self._numbers.setdefault(track.id, len(self._numbers) + 1))
            for track in tracks
        )

    def time(self, stamp: int) -> float:
        """Return a stamp as seconds since the first estimate; they come in order."""
        return (stamp - next(iter(self.estimates))) * 1e-9


def main() -> int:
    """Run the command line; return the exit status."""
    arguments = _parser().parse_args()
    plot = PlotFile(arguments.plot)
    _check(arguments)
    console = make_console()
    with session() as stopped:
        recording = _record(arguments, console, stopped)
        if recording.estimates or not stopped():
            summarise(recording, plot, console)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog='doa-demo', description=__doc__)
    parser.add_argument(
        '--source',
        choices=('sim', 'device'),
        default='sim',
        help='sim: a scene of about 20 s; device: the array, until Ctrl-C (%(default)s)',
    )
    parser.add_argument('--method', choices=('cnn', 'srp_phat'), default='cnn')
    parser.add_argument(
        '--model',
        default=ModelConfig.model,
        help='network of method cnn: shipped name or .tflite path (%(default)s)',
    )
    parser.add_argument('--scene', default='demo', help='shipped name or YAML path (%(default)s)')
    parser.add_argument('--array', default='uma8', help='shipped name or YAML path (%(default)s)')
    parser.add_argument('--device', default='', help="part of the device's name, or its USB port")
    parser.add_argument(
        '--plot', type=Path, default=Path('doa_demo.png'), help='picture to write (%(default)s)'
    )
    return parser


def _check(arguments) -> None:
    """Raise DoaError where the pipeline would end with it."""
    load_array(find_resource('arrays', arguments.array))
    if arguments.method == 'cnn':
        load_card(find_resource('models', arguments.model))
    if arguments.source == 'sim':
        load_scene(find_resource('scenes', arguments.scene))


def _record(arguments, console: Plain, stopped: Callable[[], bool]) -> Recording:
    ambiguity = ambiguity_in_frame(load_array(find_resource('arrays', arguments.array)))
    recording = Recording(elevation_min=ambiguity.elevation_min)
    several = arguments.source == 'sim' and _talkers(arguments.scene) > 1
    node = rclpy.create_node('doa_demo', namespace=NAMESPACE)

    def on_truth(message: DoaEstimateArray) -> None:
        recording.truth[stamp_of(message.header)] = tuple(
            talker.folded(ambiguity) for talker in directions_of(message).estimates
        )

    def on_estimates(message: DoaEstimateArray) -> None:
        stamp = stamp_of(message.header)
        recording.estimates[stamp] = directions_of(message).estimates
        if pipeline.status is None:
            recording.cpu[1:] = [pipeline.cpu_seconds()]
        if len(recording.estimates) % _LINE_EVERY == 0:
            if several:
                _print_tracks(console, recording, stamp)
            else:
                _print_line(console, recording, stamp)

    def on_tracks(message: DoaTrackArray) -> None:
        recording.add_tracks(stamp_of(message.header), tracks_of(message))

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
    if arguments.source == 'device':
        console.print('Speak to the array; Ctrl-C ends.')
    else:
        who = 'talkers who move' if several else 'a talker who walks'
        console.print(f'Rendering {who} around the array in a noisy room ...')
    with NodeProcess('doa_pipeline', parameters) as pipeline:
        listen(node, [pipeline], stopped)
        # What was sent last is still on its way.
        deadline = time.monotonic() + _LAST_MESSAGES
        listen(node, [], lambda: time.monotonic() > deadline)
        pipeline.check()
    node.destroy_node()
    return recording


def _print_line(console: Plain, recording: Recording, stamp: int) -> None:
    if len(recording.estimates) == _LINE_EVERY:
        heads = ('time', 'true az', 'estimated', 'true el', 'estimated', 'confidence')
        console.print(_row(heads), style='bold')
    truth = recording.truth.get(stamp, ())
    estimates = recording.estimates[stamp]
    cells = [f'{recording.time(stamp):.2f} s']
    for true, estimated in zip(_angles(truth), _angles(estimates), strict=True):
        cells += [true, estimated]
    cells.append(f'{estimates[0].confidence:.2f}' if estimates else '')
    style = None
    if truth and estimates:
        error = abs(math.remainder(estimates[0].azimuth - truth[0].azimuth, 2 * math.pi))
        style = 'green' if error <= math.radians(10) else 'red'
    console.print(_row(cells), style=style)


def _talkers(scene: str) -> int:
    """Return how many talkers a scene has."""
    return len(load_scene(find_resource('scenes', scene)))


def _print_tracks(console: Plain, recording: Recording, stamp: int) -> None:
    if len(recording.estimates) == _LINE_EVERY:
        heads = ('time', 'true azimuths', 'estimated', 'tracks by id (~ predicted)')
        console.print(_lists(heads), style='bold')
    # The tracks of this window are published right after its estimates: those before have come.
    latest = max((s for s in recording.tracks if s <= stamp), default=None)
    tracks = recording.tracks.get(latest, ())
    console.print(
        _lists(
            (
                f'{recording.time(stamp):.2f} s',
                '  '.join(_degrees(e) for e in recording.truth.get(stamp, ())),
                '  '.join(_degrees(e) for e in recording.estimates[stamp]),
                '  '.join(
                    f'{t.id}: {"~" if t.predicted else ""}{_degrees(t)}'
                    for t in sorted(tracks, key=lambda t: t.id)
                ),
            )
        )
    )


def _degrees(direction: Estimate | Track) -> str:
    return f'{math.degrees(direction.azimuth):.0f} deg'


def _lists(cells) -> str:
    time, *lists = cells
    return f'{time:>{_WIDTHS[0]}}   ' + ''.join(f'{cell:<{_LIST_WIDTH}}' for cell in lists)


def _angles(estimates: tuple[Estimate, ...]) -> tuple[str, str]:
    if not estimates:
        return '', ''
    best = estimates[0]
    elevation = '' if math.isnan(best.elevation) else f'{math.degrees(best.elevation):.0f} deg'
    return _degrees(best), elevation


def _row(cells) -> str:
    return ''.join(f'{cell:>{width}}' for cell, width in zip(cells, _WIDTHS, strict=True))


def summarise(recording: Recording, plot: PlotFile, console: Plain) -> None:
    """Print how well the talkers were found and write the plot.

    Raises:
        DoaError: nothing was heard, or the plot cannot be written.
    """
    stamps = list(recording.estimates)
    if not stamps:
        raise DoaError('no estimates came; is another doa_ros running in this ROS domain?')
    seconds = recording.time(stamps[-1])
    console.print(f'\nSummary ({seconds:.1f} s, {len(stamps)} estimates)', style='bold')
    if max(map(len, recording.truth.values()), default=0) > 1:
        console.print(f'  {"voices with a track within 15 deg":<36}{followed(recording):.1%}')
        for line in _lives(recording):
            console.print(f'  {line}')
    elif recording.truth:
        score = score_recording(recording)
        rows = {
            'mean azimuth error': f'{score.azimuth_mae_deg:.1f} deg',
            'mean elevation error': f'{score.elevation_mae_deg:.1f} deg',
            'voiced frames within 10 deg': f'{score.voiced_within_10:.1%} of {score.voiced}',
            'voiced frames answered': f'{score.answered:.1%}',
            'silent frames answered': f'{score.silence_answered:.1%} of {score.silent}',
        }
        for name, value in rows.items():
            console.print(f'  {name:<30}{value}')
    if len(recording.cpu) == 2 and seconds > 0:
        factor = (recording.cpu[1] - recording.cpu[0]) / seconds
        console.print(f'  {"real-time factor":<30}{factor:.3f} CPU seconds per second of audio')
    console.print(f'  {"plot":<30}{plot.write(lambda: draw(recording))}')


def followed(recording: Recording) -> float:
    """Return how many of those who speak in a window are near a track in it, 0..1."""
    near = [
        any(
            abs(math.remainder(track.azimuth - talker.azimuth, 2 * math.pi)) <= _NEAR
            for track in recording.tracks[stamp]
        )
        for stamp, talkers in recording.truth.items()
        for talker in talkers
        if stamp in recording.tracks
    ]
    return sum(near) / len(near) if near else math.nan


def _lives(recording: Recording) -> list[str]:
    """Return a line about each track."""
    lives: dict[int, list[tuple[int, Track]]] = {}
    for stamp, tracks in recording.tracks.items():
        for track in tracks:
            lives.setdefault(track.id, []).append((stamp, track))
    return [
        f'track {number}: {recording.time(begin):.1f} to {recording.time(end):.1f} s, '
        f'from {_degrees(first)} to {_degrees(last)}'
        for number, life in sorted(lives.items())
        for (begin, first), (end, last) in [(life[0], life[-1])]
    ]


def score_recording(recording: Recording) -> Score:
    """Score the estimates against the truth of the same stamps."""
    scorer = Scorer()
    stamps = sorted(recording.truth)
    active = np.array([bool(recording.truth[stamp]) for stamp in stamps])
    voiced, silent = voiced_blocks(active), silent_blocks(active, _HOP)
    latest = Estimate(math.nan, math.nan, math.nan, math.nan, 0.0)
    for k, stamp in enumerate(stamps):
        # In a short pause, the talker is still where the last word came from.
        latest = recording.truth[stamp][0] if active[k] else latest
        if stamp in recording.estimates:
            scorer.add(
                recording.estimates[stamp],
                latest.azimuth,
                latest.elevation,
                voiced=bool(voiced[k]),
                silent=bool(silent[k]),
            )
    return scorer.score()


def draw(recording: Recording) -> 'Figure':
    """Return a picture of truth, estimates and tracks over time."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 5.5), layout='constrained')
    lowest = math.degrees(np.nan_to_num(recording.elevation_min))
    azimuths = figure.add_subplot(2, 1, 1, ylabel='azimuth [deg]', ylim=(-180, 180))
    elevations = figure.add_subplot(
        2, 1, 2, ylabel='elevation [deg]', ylim=(lowest, 90), xlabel='time [s]', sharex=azimuths
    )
    azimuths.set_yticks(range(-180, 181, 60))
    for axes, angle in ((azimuths, 'azimuth'), (elevations, 'elevation')):
        layers = [
            (recording.estimates, {'marker': '.', 'color': 'tab:orange', 'label': 'estimate'}),
            (
                recording.truth,
                {'marker': '_', 'color': 'black', 'label': 'talker, while speaking'},
            ),
        ]
        for number in sorted({t.id for tracks in recording.tracks.values() for t in tracks}):
            own = {
                stamp: [t for t in tracks if t.id == number]
                for stamp, tracks in recording.tracks.items()
            }
            style = {'marker': '.', 'markersize': 2, 'color': _COLOURS[number % len(_COLOURS)]}
            layers.append((own, {**style, 'label': f'track {number}'}))
        for found, style in layers:
            points = [
                (recording.time(stamp), math.degrees(getattr(e, angle)))
                for stamp, directions in found.items()
                for e in directions
            ]
            if points:
                axes.plot(*zip(*points, strict=True), linestyle='', **style)
        axes.grid(alpha=0.3)
    azimuths.legend(loc='lower right')
    return figure
