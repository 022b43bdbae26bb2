# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The losses of a fit over its epochs: history.csv and curves.png in the folder of a run."""

import csv
from pathlib import Path


def read_history(path: Path) -> list[dict[str, str]]:
    """Return the rows of a history.csv; of an epoch that was done again the last one."""
    with path.open(encoding='utf-8') as file:
        return list({row['epoch']: row for row in csv.DictReader(file)}.values())


def earlier_losses(out: Path) -> list[float]:
    """Return the validation losses of an interrupted fit in a run's folder; none without one."""
    history = out / 'history.csv'
    if not ((out / 'backup').exists() and history.exists()):
        return []
    return [float(row['val_loss']) for row in read_history(history)]


def draw_curves(history: Path, path: Path) -> None:
    """Plot the losses of a history.csv over the epochs."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    rows = read_history(history)
    figure = Figure(figsize=(7, 4), layout='constrained')
    axes = figure.add_subplot(xlabel='epoch', ylabel='cross-entropy')
    epochs = [int(row['epoch']) + 1 for row in rows]
    for column, label in (('loss', 'train'), ('val_loss', 'validation')):
        axes.plot(epochs, [float(row[column]) for row in rows], label=label)
    axes.xaxis.set_major_locator(MaxNLocator('auto', integer=True))
    axes.legend()
    axes.grid(alpha=0.3)
    figure.savefig(path, dpi=120)
