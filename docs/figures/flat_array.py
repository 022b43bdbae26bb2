# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Why a flat array folds: a sound from below arrives as one from above does."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure
import numpy as np
from walk import ARRAY, FEATURES

from doa_ros.core.features import feature_type_of
from doa_ros.core.features.config import FeatureConfig
from doa_ros.core.features.extractor import FeatureExtractor
from doa_ros.core.geometry import MicArray, unit_vector

_ELEVATION = np.radians(35)
# As wide as the ring; two of its microphones are above the others.
_TETRAHEDRON = 0.03 * np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]])


def draw() -> Figure:
    """Return the figure."""
    figure = Figure(figsize=(10, 3.6), layout='constrained')
    side, curves = figure.subplots(1, 2)
    _draw_side(side)
    space = MicArray(
        name='tetrahedron',
        positions=_TETRAHEDRON,
        labels=tuple('abcd'),
        channels=(0, 1, 2, 3),
        channel_count=4,
        sampling_frequency=ARRAY.sampling_frequency,
    )
    looked = np.radians(np.arange(-90, 91))
    for array, name in ((ARRAY, 'flat hexagon'), (space, 'tetrahedron')):
        curves.plot(np.degrees(looked), _response(array, looked), label=name)
    curves.axvline(np.degrees(_ELEVATION), ls=':', color='grey')
    curves.set(
        title='how well each elevation explains the sound',
        xlabel='elevation [deg]; dotted: the source',
        ylabel='steered response',
        xticks=range(-90, 91, 30),
    )
    curves.legend()
    return figure


def _response(array: MicArray, elevations: np.ndarray) -> np.ndarray:
    """Return the steered response of a plane wave from `_ELEVATION`, at azimuth 0."""
    rate = array.sampling_frequency
    spectrum = np.fft.rfft(np.random.default_rng(1).standard_normal(rate))
    # Who is nearer to the source hears it earlier.
    delays = -array.frame_positions @ unit_vector(0.0, _ELEVATION) / array.speed_of_sound
    shift = np.exp(-2j * np.pi * np.outer(delays, np.fft.rfftfreq(rate, 1 / rate)))
    sound = np.fft.irfft(spectrum * shift, rate).T.astype(np.float32)
    # Steady noise would be taken for background.
    features = FeatureConfig(**(FEATURES.to_mapping() | {'weight_min': 1.0}))
    *_, last = FeatureExtractor(array, features).push(0, sound)
    looks = unit_vector(np.zeros(len(elevations)), elevations)
    return feature_type_of(array, features).steering_matrix(looks) @ last.features.ravel()


def _draw_side(axes: Axes) -> None:
    """Draw the array from the side, and the ways of two sounds to it."""
    places = np.array([-1.0, -0.5, 0.5, 1.0])
    for sign, colour in ((1, 'tab:blue'), (-1, 'tab:orange')):
        way = np.array([np.cos(_ELEVATION), sign * np.sin(_ELEVATION)])
        for x in places:
            # All begin on one wave front.
            begin = np.array([x, 0.0]) + way * (3.2 - x * way[0])
            axes.plot([begin[0], x], [begin[1], 0], color=colour, lw=1)
        front = np.array([[-way[1], way[0]]]) * np.array([[-0.9], [0.9]]) + 3.2 * way
        axes.plot(front[:, 0], front[:, 1], color=colour, lw=3)
        place = 3.6 * way
        words = 'from above' if sign > 0 else 'from below'
        axes.text(place[0], place[1], words, color=colour, va='center')
    axes.plot(places, np.zeros(4), 'o', color='black')
    axes.axhline(0, color='black', lw=0.5)
    axes.set(title='flat array from the side: the ways are as long', xlim=(-1.5, 4.6), aspect=1)
    axes.axis('off')
