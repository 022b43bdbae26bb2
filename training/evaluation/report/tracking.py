# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The report of methods that track talkers, with plots of true and found azimuths over time."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Plot
import numpy as np
from pandas import DataFrame

from ..metrics.tracking import METRICS
from ..metrics.tracking.matches import Trace
from ..scenes.blocks import HOP
from .figure_tables import Goals
from .goal_report import goal_report
from .report import Plots, Report

_COLOURS = 10


def tracking_report(
    matches: DataFrame, traces: Sequence[Trace], *, goals: Goals, notes: Sequence[str]
) -> Report:
    """Return the report of matches.

    Args:
        matches, traces: of `collect_tracks`.
        goals: by condition.
        notes: sentences for the reader.
    """
    return goal_report(matches, METRICS, lambda _: _draw(traces), goals=goals, notes=notes)


def _draw(traces: Sequence[Trace]) -> Plots:
    """Return a plot per condition: a column per clip and a row per method."""
    plots = {}
    for number, condition in enumerate(dict.fromkeys(trace.condition for trace in traces)):
        here = [trace for trace in traces if trace.condition == condition]
        methods = list(dict.fromkeys(trace.method for trace in here))
        columns = len(here) // len(methods)
        figure = Plot(figsize=(5 * columns, 2.4 * len(methods)), layout='constrained')
        panels = figure.subplots(len(methods), columns, sharex=True, sharey=True, squeeze=False)
        for row, method in zip(panels, methods, strict=True):
            row[0].set_ylabel('azimuth [deg]')
            mine = [trace for trace in here if trace.method == method]
            for axes, trace in zip(row, mine, strict=True):
                _draw_trace(axes, trace)
                axes.set_title(method, fontsize=8)
        for axes in panels[-1]:
            axes.set_xlabel('time [s]')
        caption = (
            f'{condition}: true azimuths (grey, black while voiced), and what was found, one '
            'colour for each track'
        )
        plots[f'tracks_{number}'] = (caption, figure)
    return plots


def _draw_trace(axes: Axes, trace: Trace) -> None:
    times = HOP * np.arange(len(trace.tracks))
    for source in trace.sources:
        degrees = np.degrees(source.azimuth)
        axes.plot(times, degrees, '.', color='0.8', markersize=2)
        axes.plot(times[source.voiced], degrees[source.voiced], 'k.', markersize=2)
    found = [
        (time, np.degrees(azimuth), number)
        for time, tracks in zip(times, trace.tracks, strict=True)
        for number, azimuth in tracks
    ]
    if found:
        time, azimuth, number = zip(*found, strict=True)
        colours = [f'C{n % _COLOURS}' for n in number]
        axes.scatter(time, azimuth, s=3, c=colours, zorder=3)
    axes.set(xlim=(0, times[-1]), ylim=(-180, 180), yticks=range(-180, 181, 90))
    axes.grid(alpha=0.3)
