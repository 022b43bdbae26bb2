# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Plots of methods that find one source."""

from collections.abc import Callable
import math

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Plot
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
import numpy as np
from pandas import DataFrame

from ..metrics.single_source.accuracy import nearest_class
from ..metrics.single_source.angular_error import azimuth_error
from ..metrics.single_source.answers import is_guessed
from ..metrics.single_source.binning import BINNINGS, Binning
from ..metrics.single_source.calibration import reliability
from ..metrics.single_source.trade_off import SHOWN_SENSITIVITIES, trade_off
from .error_bars import error_bars
from .report import Plots

_AZIMUTH = Binning('azimuth', 'azimuth [deg]', tuple(range(-180, 181, 30)), math.pi / 180)
_BINNINGS = {binning.name: binning for binning in (_AZIMUTH, *BINNINGS)}
# Errors beyond this look alike [deg].
_WORST_DEG = 30.0


def draw_all(answers: DataFrame, results: DataFrame) -> Plots:
    """Return all plots of answers, and of their figures."""
    return {
        'errors': ('Errors by method and condition, with 95 % intervals', draw_errors(results)),
        'confusion': (
            'Confusion of azimuth classes: share of each true class, best guess of voiced windows',
            _panels(answers, _confusion),
        ),
        'error_over_direction': (
            'Mean azimuth error [deg] over the true direction',
            _panels(answers, _map_of('azimuth', 'elevation')),
        ),
        'error_over_snr_rt60': (
            'Mean azimuth error [deg] over SNR and reverberation time',
            _panels(answers, _map_of('snr', 'rt60')),
        ),
        'reliability': (
            'Confidence and share within 10 degrees; the diagonal is perfect calibration',
            draw_reliability(answers),
        ),
        'sensitivity': (
            'What the sensitivity trades. Left: voiced windows that are answered (solid) and '
            'false answers, in silence or more than 10 degrees off (dashed). Right: false answers '
            'against unanswered voices; the dots are some settings',
            draw_trade_off(answers),
        ),
    }


def draw_errors(results: DataFrame) -> Plot:
    """Return bars of the mean errors of each method, one colour per condition."""
    whole = results[(results['condition'] != '') & (results['binning'] == '')]
    methods = list(whole['method'].unique())
    conditions = list(whole['condition'].unique())
    height = 0.8 / len(conditions)
    figure = Plot(figsize=(10, 1.5 + 0.45 * len(methods)), layout='constrained')
    left, right = figure.subplots(1, 2, sharey=True)
    for axes, metric, title in (
        (left, 'azimuth_mae_deg', 'azimuth MAE [deg]'),
        (right, 'elevation_mae_deg', 'elevation MAE [deg]'),
    ):
        for k, condition in enumerate(conditions):
            mine = whole[whole['condition'] == condition]
            axes.barh(
                [methods.index(method) + height * k for method in mine['method']],
                mine[metric],
                height=0.95 * height,
                xerr=error_bars(mine, metric),
                error_kw={'elinewidth': 0.8, 'capsize': 2},
                label=condition,
            )
        axes.set_title(title)
        axes.grid(axis='x', alpha=0.3)
    left.set_yticks(np.arange(len(methods)) + 0.4 - height / 2, methods)
    left.invert_yaxis()
    right.legend()
    return figure


def draw_reliability(answers: DataFrame) -> Plot:
    """Return how often each method with a confidence is right, over its confidence."""
    figure = Plot(figsize=(6, 5), layout='constrained')
    axes = figure.add_subplot(
        xlabel='mean confidence', ylabel='share within 10 degrees', xlim=(0, 1), ylim=(0, 1.02)
    )
    axes.plot([0, 1], [0, 1], 'k:', linewidth=1)
    for method, mine in answers.groupby('method', sort=False):
        confidence, right, number = reliability(mine)
        filled = number > 0
        if filled.any():
            axes.plot(confidence[filled], right[filled], 'o-', label=method, markersize=4)
    if axes.get_legend_handles_labels()[0]:  # Recordings may hold noise alone.
        axes.legend()
    axes.grid(alpha=0.3)
    return figure


def draw_trade_off(answers: DataFrame) -> Plot:
    """Return what is answered over the sensitivity, and false answers over unanswered windows."""
    figure = Plot(figsize=(12, 5), layout='constrained')
    shares = figure.add_subplot(
        1, 2, 1, xlabel='sensitivity', ylabel='share of the windows', xlim=(0, 1), ylim=(0, 1.02)
    )
    axes = figure.add_subplot(
        1,
        2,
        2,
        xlabel='unanswered share of the voiced windows',
        ylabel='false answers',
        xlim=(0, 1),
    )
    for method, mine in answers.groupby('method', sort=False):
        traded, shown = trade_off(mine), trade_off(mine, SHOWN_SENSITIVITIES)
        if np.isnan(traded.unanswered).any():
            continue
        (line,) = axes.plot(traded.unanswered, traded.false, label=method)
        shares.plot(traded.sensitivity, 1 - traded.unanswered, color=line.get_color())
        shares.plot(traded.sensitivity, traded.false, '--', color=line.get_color())
        axes.plot(shown.unanswered, shown.false, 'o', color=line.get_color(), markersize=4)
        for place in zip(shown.sensitivity, shown.unanswered, shown.false, strict=True):
            axes.annotate(
                f'{place[0]:g}', place[1:], (3, 3), textcoords='offset points', fontsize=6
            )
    if axes.get_legend_handles_labels()[0]:
        axes.legend()
    lines = [
        Line2D([], [], color='black', linestyle='-', label='voiced windows with an answer'),
        Line2D([], [], color='black', linestyle='--', label='false answers'),
    ]
    shares.legend(handles=lines)
    # Most of it happens below a hundredth, where sensitivities are set.
    axes.set_yscale('symlog', linthresh=1e-3)
    axes.set_ylim(0, 1)
    for panel in (shares, axes):
        panel.grid(alpha=0.3)
    return figure


def _panels(answers: DataFrame, draw: Callable[[Axes, DataFrame], AxesImage]) -> Plot:
    """Return one panel per method, all with one colour bar."""
    methods = list(answers['method'].unique())
    columns = min(3, len(methods))
    rows = math.ceil(len(methods) / columns)
    figure = Plot(figsize=(4.2 * columns, 3.4 * rows + 0.3), layout='constrained')
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in panels[len(methods) :]:
        axes.set_axis_off()
    for axes, method in zip(panels, methods, strict=False):
        image = draw(axes, answers[answers['method'] == method])
        axes.set_title(method, fontsize=9)
    figure.colorbar(image, ax=panels.tolist(), shrink=0.8)
    return figure


def _confusion(axes: Axes, answers: DataFrame) -> AxesImage:
    guessed = answers[is_guessed(answers)]
    classes = int(answers['azimuth_classes'].iloc[0])
    table = np.zeros((classes, classes))
    true = nearest_class(guessed['azimuth'], classes)
    np.add.at(table, (true, nearest_class(guessed['answer_azimuth'], classes)), 1)
    share = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    image = axes.imshow(
        np.where(table.sum(axis=1, keepdims=True) > 0, share, np.nan),
        origin='lower',
        extent=(0, 360, 0, 360),
        vmin=0,
        vmax=1,
        cmap='viridis',
    )
    axes.set(xlabel='guessed azimuth [deg]', ylabel='true azimuth [deg]')
    return image


def _map_of(horizontal: str, vertical: str) -> Callable[[Axes, DataFrame], AxesImage]:
    across, up = _BINNINGS[horizontal], _BINNINGS[vertical]

    def draw(axes: Axes, answers: DataFrame) -> AxesImage:
        guessed = answers[is_guessed(answers)]
        shape = len(up.labels), len(across.labels)
        x, y = across.index(guessed), up.index(guessed)
        known = (x >= 0) & (y >= 0)
        place = np.ravel_multi_index((y[known], x[known]), shape)
        number = np.bincount(place, minlength=math.prod(shape))
        errors = np.degrees(azimuth_error(guessed)[known])
        with np.errstate(invalid='ignore'):
            mean = (np.bincount(place, errors, math.prod(shape)) / number).reshape(shape)
        image = axes.imshow(
            mean, origin='lower', aspect='auto', vmin=0, vmax=_WORST_DEG, cmap='magma_r'
        )
        for (row, column), value in np.ndenumerate(mean):
            if not math.isnan(value):
                colour = 'white' if value > _WORST_DEG / 2 else 'black'
                axes.text(
                    column, row, f'{value:.0f}', ha='center', va='center', fontsize=6,
                    color=colour,
                )  # fmt: skip
        axes.set_xticks(range(shape[1]), across.labels, rotation=60, fontsize=6)
        axes.set_yticks(range(shape[0]), up.labels, fontsize=6)
        axes.set(xlabel=across.title, ylabel=up.title)
        return image

    return draw
