# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The picture that the demo draws."""

from collections.abc import Mapping, Sequence
import math
from typing import TYPE_CHECKING

import numpy as np

from doa_ros.cli.demo_log import DemoLog
from doa_ros.core.localization.decoding import Estimate
from doa_ros.core.tracking.track import Track

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Directions = Mapping[int, Sequence[Estimate | Track]]
"""Directions by stamp [ns]."""

# The colours of tracks; orange is that of estimates.
_COLOURS = ('tab:blue', 'tab:green', 'tab:red', 'tab:purple', 'tab:cyan')


def draw(log: DemoLog) -> 'Figure':
    """Return a picture of truth, estimates and tracks over time."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 5.5), layout='constrained')
    lowest = math.degrees(np.nan_to_num(log.elevation_min))
    azimuths = figure.add_subplot(2, 1, 1, ylabel='azimuth [deg]', ylim=(-180, 180))
    elevations = figure.add_subplot(
        2, 1, 2, ylabel='elevation [deg]', ylim=(lowest, 90), xlabel='time [s]', sharex=azimuths
    )
    azimuths.set_yticks(range(-180, 181, 60))
    layers: list[tuple[str, Directions, str, str, float | None]] = [
        ('estimate', log.estimates, 'tab:orange', '.', None),
        ('talker, while speaking', log.truth, 'black', '_', None),
    ]
    for number, course in log.courses().items():
        colour = _COLOURS[number % len(_COLOURS)]
        own = {stamp: (track,) for stamp, track in course.items()}
        layers.append((f'track {number}', own, colour, '.', 2))
    for label, directions, colour, marker, size in layers:
        found = [(log.time(stamp), d) for stamp, those in directions.items() for d in those]
        if not found:
            continue
        times = [time for time, _ in found]
        for axes, values in (
            (azimuths, [d.azimuth for _, d in found]),
            (elevations, [d.elevation for _, d in found]),
        ):
            axes.plot(
                times,
                np.degrees(values),
                linestyle='',
                label=label,
                color=colour,
                marker=marker,
                markersize=size,
            )
    for axes in (azimuths, elevations):
        axes.grid(alpha=0.3)
    azimuths.legend(loc='lower right')
    return figure
