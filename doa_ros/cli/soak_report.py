# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What a soak says at its end, in words and as a picture."""

from typing import TYPE_CHECKING

import numpy as np

from doa_ros.cli.soak_faults import KINDS
from doa_ros.cli.soak_log import SoakLog

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def report(log: SoakLog) -> str:
    """Return the result in words, a Markdown table of the faults among them."""
    arrivals, gaps = log.arrivals, log.gaps()
    minutes = (arrivals[-1][0] - arrivals[0][0]) / 60
    unexplained = [length for _, length, explained in gaps if not explained]
    backwards = int((np.diff([stamp for _, stamp in arrivals]) <= 0).sum())
    lines = [
        '| fault | times | recovered | back after, median [s] | most [s] |',
        '| --- | --- | --- | --- | --- |',
    ]
    for kind in KINDS:
        faults = [fault for fault in log.faults if fault.kind == kind]
        times = [fault.recovered - fault.end for fault in faults if fault.recovered]
        cells = [f'{np.median(times):.2f}', f'{max(times):.2f}'] if times else ['', '']
        lines.append(f'| {kind} | {len(faults)} | {len(times)} | {" | ".join(cells)} |')
    lines += [
        '',
        f'{minutes:.1f} minutes, {len(arrivals)} estimates, {backwards} of them with a stamp that '
        'goes back',
        f'{len(log.faults)} faults, {len(log.missed)} without recovery',
        f'{len(log.restarts)} restarts of the capture, {log.needless_restarts()} of them '
        'without a fault',
        f'{len(gaps)} gaps in the estimates, {sum(gap[1] for gap in gaps):.1f} s together; '
        f'{len(unexplained)} of them without a fault, {sum(unexplained):.2f} s together',
        'memory of the pipeline over time [MB]: '
        + ', '.join(f'{value / 1e6:.1f}' for value in _thinned(log.memory)),
        f'memory grew by {log.growth() / 1e6:.2f} MB after the warm-up',
    ]
    return '\n'.join(lines)


def _thinned(memory: list[tuple[float, int, int]]) -> list[int]:
    """Return about a dozen of the values for the pipeline."""
    return [value for _, value, _ in memory[:: max(1, len(memory) // 12)]]


def draw(log: SoakLog) -> 'Figure':
    """Return a picture of memory, estimates per second and faults over time."""
    from matplotlib.figure import Figure

    begin = log.arrivals[0][0]
    figure = Figure(figsize=(9, 5.5), layout='constrained')
    memory = figure.add_subplot(2, 1, 1, ylabel='resident memory [MB]')
    times, pipeline, capture = np.array(log.memory, dtype=float).T
    minutes = (times - begin) / 60
    memory.plot(minutes, pipeline / 1e6, label='pipeline')
    memory.plot(minutes, capture / 1e6, label='its processes that capture and stand by')
    memory.set_ylim(bottom=0)
    memory.legend()
    rate = figure.add_subplot(
        2, 1, 2, ylabel='estimates [1/s]', xlabel='time [min]', sharex=memory
    )
    arrivals = (np.array([arrival for arrival, _ in log.arrivals]) - begin) / 60
    counts, edges = np.histogram(arrivals, bins=np.arange(0, arrivals[-1] + 5 / 60, 5 / 60))
    rate.stairs(counts / 5, edges)
    for fault in log.faults:
        colour = 'tab:orange' if fault.recovered else 'tab:red'
        rate.axvline((fault.begin - begin) / 60, color=colour, linewidth=0.5)
    return figure
