# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What a hexagon cannot tell: the order of its microphones by itself, and some angles."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure
import numpy as np
from walk import ARRAY

from doa_ros.core.geometry import unit_vector

# Error of each delay [s]: a tenth of a sample at 48 kHz.
_DELAY_ERROR = 2e-6
_STEP = 1e-4


def draw() -> Figure:
    """Return the figure."""
    figure = Figure(figsize=(10, 3.8), layout='constrained')
    left, right = figure.subfigures(1, 2, squeeze=False)[0]
    left.suptitle('twelve orders with the same distances')
    for number, axes in enumerate(left.subplots(3, 4).flat):
        _draw_order(axes, turned=number % 6, mirrored=number >= 6)
    axes = right.subplots()
    elevations = np.arange(1.0, 90.0)
    errors = np.degrees([_errors(np.radians(elevation)) for elevation in elevations])
    for column, name in enumerate(('azimuth', 'elevation')):
        axes.plot(elevations, errors[:, column], label=name)
    axes.set(
        title=f'error of the angles where delays are wrong by {_DELAY_ERROR * 1e6:g} µs',
        xlabel='elevation of the talker [deg]',
        ylabel='standard deviation [deg]',
        ylim=(0, 10),
        xticks=range(0, 91, 15),
    )
    axes.legend()
    return figure


def _draw_order(axes: Axes, *, turned: int, mirrored: bool) -> None:
    angles = np.arange(6) * np.pi / 3
    x, y = np.cos(angles), np.sin(angles)
    axes.fill(x, y, fill=False, color='tab:orange' if mirrored else 'tab:blue')
    for place in range(6):
        label = 1 + ((turned - place if mirrored else place + turned) % 6)
        axes.text(1.35 * x[place], 1.35 * y[place], f'{label}', ha='center', va='center')
    axes.set(aspect=1, xlim=(-1.8, 1.8), ylim=(-1.8, 1.8))
    axes.axis('off')


def _errors(elevation: float) -> np.ndarray:
    """Return the standard deviations of azimuth and elevation [rad] of the best estimate.

    It is that of least squares from arrival times that are wrong independently of each other, as
    averaged over all azimuths.
    """
    errors = []
    for azimuth in np.radians(np.arange(0, 60, 5)):
        here = _times(azimuth, elevation)
        slopes = [_times(azimuth + _STEP, elevation), _times(azimuth, elevation + _STEP)]
        jacobian = (np.array(slopes) - here) / _STEP
        errors.append(np.sqrt(np.diag(np.linalg.inv(jacobian @ jacobian.T))) * _DELAY_ERROR)
    return np.mean(errors, axis=0)


def _times(azimuth: float, elevation: float) -> np.ndarray:
    """Return the arrival times at the microphones, beside their mean [s]."""
    times = -ARRAY.frame_positions @ unit_vector(azimuth, elevation) / ARRAY.speed_of_sound
    return times - times.mean()
