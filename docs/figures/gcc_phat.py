# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The yellow stripes of GCC-PHAT: where they are, and how they move with a talker."""

from matplotlib.figure import Figure
import numpy as np
from walk import ARRAY, FEATURES, SCENE, times, walk, windows

from doa_ros.core.geometry import unit_vector

# Pairs of the ring: across it, and beside each other.
_SHOWN = (('ring_1', 'ring_4'), ('ring_2', 'ring_5'), ('ring_1', 'ring_2'))
_AZIMUTHS = (-120, 0, 120)
# How far from there the talker may be when they are best heard [rad].
_NEAR = 0.2
_MS = 1e3


def draw() -> Figure:
    """Return the figure."""
    found = windows(walk())
    when = times(found)
    features = np.array([window.features for window in found])
    lags = FEATURES.lags * _MS
    figure = Figure(figsize=(10, 6.4), layout='constrained')
    left, right = figure.subfigures(1, 2, squeeze=False, width_ratios=(3, 2))[0]
    left.suptitle('three pairs while a talker walks once around')
    names = [tuple(ARRAY.labels[i] for i in pair) for pair in ARRAY.pairs]
    rows = left.subplots(len(_SHOWN), 1, sharex=True)
    azimuths = np.radians(SCENE.azimuth_deg + SCENE.speed_deg * when)
    expected = ARRAY.tdoa(unit_vector(azimuths, np.full(len(when), SCENE.direction(0)[1]))) * _MS
    for axes, pair in zip(rows, _SHOWN, strict=True):
        number = names.index(pair)
        axes.pcolormesh(when, lags, features[:, number].T, shading='nearest')
        axes.plot(when, expected[:, number], ':', color='white', lw=1)
        axes.set(title=' and '.join(pair), ylabel='lag [ms]')
        axes.set_ylim(lags[0], lags[-1])
    rows[-1].set_xlabel('time [s]; dotted: the lag that geometry says')
    right.suptitle('all 15 pairs, for the network')
    images = right.subplots(len(_AZIMUTHS), 1, sharex=True)
    for axes, degrees in zip(images, _AZIMUTHS, strict=True):
        near = np.abs(azimuths - np.radians(degrees)) < _NEAR
        moment = np.argmax(near * features.max(axis=2).mean(axis=1))
        numbers = np.arange(1, len(names) + 1)
        axes.pcolormesh(lags, numbers, features[moment], shading='nearest')
        axes.set(title=f'talker at {np.degrees(azimuths[moment]):.0f} degrees', ylabel='pair')
    images[-1].set_xlabel('lag [ms]')
    return figure
