# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What averaging, weighting and whitening do: the steered response beside a fan."""

from matplotlib.figure import Figure
import numpy as np
from walk import ARRAY, FAN_AZIMUTH, FEATURES, SCENE, times, walk, windows

from doa_ros.core.features import feature_type_of
from doa_ros.core.features.steered_response import SteeredResponse
from doa_ros.core.geometry import wrap_angle

_FAN_DB = -10.0
# Settings of the features, one step after another.
_STEPS: dict[str, dict[str, float]] = {
    'one window': {'averaging_time': FEATURES.hop, 'weight_min': 1.0, 'whitening': False},
    '+ averaged over 0.5 s': {'weight_min': 1.0, 'whitening': False},
    '+ weighted by the noise floor': {'whitening': False},
    '+ whitened': {'whitening': True},
}


def draw() -> Figure:
    """Return the figure."""
    steered = SteeredResponse(feature_type_of(ARRAY, FEATURES), azimuth_count=120)
    azimuths = wrap_angle(steered.grid.azimuths)
    order = np.argsort(azimuths)
    degrees = np.degrees(azimuths[order])
    sound = walk(_FAN_DB)
    figure = Figure(figsize=(10, 6.4), layout='constrained')
    panels = figure.subplots(2, 2, sharex=True, sharey=True)
    for axes, (name, settings) in zip(panels.flat, _STEPS.items(), strict=True):
        found = windows(sound, **settings)
        # Of each azimuth, the elevation with the highest response.
        response = np.array([steered.response(w.features).max(axis=0) for w in found])[:, order]
        when = times(found)
        # The strongest direction of every window is as bright.
        response = np.maximum(response, 0) / response.max(axis=1, keepdims=True)
        axes.pcolormesh(when, degrees, response.T, shading='nearest')
        truth = SCENE.azimuth_deg + SCENE.speed_deg * when
        axes.plot(when, truth, ':', color='white', lw=1)
        axes.axhline(np.degrees(FAN_AZIMUTH), ls='--', color='white', lw=0.7)
        axes.set(title=name)
    for axes in panels[:, 0]:
        axes.set(ylabel='azimuth [deg]', yticks=range(-180, 181, 90))
        axes.set_ylim(degrees[0], degrees[-1])
    for axes in panels[1]:
        axes.set(xlabel='time [s]')
    figure.supxlabel(
        f'dotted: the talker; dashed: a fan, {-_FAN_DB:g} dB weaker', fontsize='medium'
    )
    return figure
