# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Plots of the benchmark of talkers."""

from matplotlib.figure import Figure as Plot
import numpy as np

from ..metrics.bootstrap import Figure
from ..metrics.ratios import RatioReport


def draw_found_and_spurious(report: RatioReport) -> dict[str, tuple[str, Plot]]:
    """Return the plot of the talkers found over the spurious estimates, with its caption."""
    conditions = list(report.goals)
    methods = list(dict.fromkeys(group.method for group in report.groups))
    figure = Plot(figsize=(4.5 * len(conditions), 4.2), layout='constrained')
    panels = figure.subplots(1, len(conditions), sharey=True, squeeze=False)[0]
    for axes, condition in zip(panels, conditions, strict=True):
        for group in report.groups:
            if group.condition == condition:
                found, spurious = (group.figures[name] for name in ('recall', 'spurious'))
                axes.errorbar(
                    spurious.value,
                    found.value,
                    xerr=_around(spurious),
                    yerr=_around(found),
                    fmt='o',
                    color=f'C{methods.index(group.method)}',
                    label=group.method,
                )
        goals = report.goals[condition]
        axes.plot(goals['spurious'], goals['recall'], 'k*', markersize=12)
        axes.set(title=condition, xlabel='spurious estimates', xlim=(-0.02, 1), ylim=(0, 1.02))
        axes.grid(alpha=0.3)
    panels[0].set_ylabel('talkers found within 15 degrees')
    panels[-1].legend(fontsize=7)
    caption = 'Talkers found and spurious estimates, with 95 % intervals; the stars are the goals'
    return {'found_and_spurious': (caption, figure)}


def _around(figure: Figure) -> np.ndarray:
    return np.nan_to_num([[figure.value - figure.low], [figure.high - figure.value]]).clip(0)
