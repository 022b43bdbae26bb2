# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The report of methods that find one source."""

from collections.abc import Mapping, Sequence
from functools import partial
import math

import numpy as np
from pandas import DataFrame, concat

from ...deployment.costs import Cost
from ...tables import Table
from ..metrics.metric import Metric
from ..metrics.single_source import METRICS, results_of
from ..metrics.single_source.binning import BINNINGS, Binning
from ..metrics.single_source.trade_off import SHOWN_SENSITIVITIES, trade_off
from .figure_tables import Goals, figure_table, figure_text, goal_table
from .report import Report
from .single_source_plots import draw_all

# On the console; the files hold all metrics.
_SHORT = (
    'class_accuracy',
    'azimuth_mae_deg',
    'elevation_mae_deg',
    'within_10',
    'unanswered',
    'answered_azimuth_mae_deg',
    'silence_answered',
)
_OF_DEVIATIONS = (
    'azimuth_covered',
    'elevation_covered',
    'azimuth_stddev_median_deg',
    'elevation_stddev_median_deg',
    'calibration_error',
)
_OF_BINS = (
    'azimuth_mae_deg',
    'within_10',
    'elevation_mae_deg',
    'unanswered',
    'azimuth_stddev_median_deg',
)
_OF_MODELS = ('within_10', 'azimuth_mae_deg', 'elevation_mae_deg')
_BY_NAME = {metric.name: metric for metric in METRICS}


def single_source_report(
    answers: DataFrame,
    *,
    costs: Mapping[str, Cost],
    goals: Goals,
    notes: Sequence[str],
) -> Report:
    """Return the report of answers.

    Args:
        answers: of `collect_answers`.
        costs: of the models, by name.
        goals: by condition; empty where there are none.
        notes: sentences for the reader.
    """
    results = results_of(answers)
    by_condition = _by_condition(results)
    summary = [
        *([goal_table(by_condition, METRICS, goals)] if goals else []),
        figure_table(
            'All methods on the same windows', by_condition, _in_order(_SHORT), intervals=False
        ),
        _deviations(by_condition, results),
        _models(by_condition, costs),
    ]
    details = [
        figure_table('All figures, with 95 % intervals', by_condition, METRICS, intervals=True),
        _sensitivities(answers),
        *(_by_binning(results, binning) for binning in BINNINGS if _has(results, binning)),
    ]
    draw = partial(draw_all, answers, results)
    return Report(answers, results, summary, [*summary, *details], notes, draw)


def _in_order(names: Sequence[str]) -> list[Metric]:
    return [metric for metric in METRICS if metric.name in names]


def _by_condition(results: DataFrame) -> DataFrame:
    """Return the results of whole conditions, those of one condition together."""
    whole = results[(results['condition'] != '') & (results['binning'] == '')]
    return concat([here for _, here in whole.groupby('condition', sort=False)])


def _deviations(by_condition: DataFrame, results: DataFrame) -> Table:
    """Return how true are the deviations and confidences that answers come with."""
    together = results[(results['condition'] == '') & (results['binning'] == '')]
    rows = []
    for result in (*by_condition.to_dict('records'), *together.to_dict('records')):
        if not math.isnan(result['azimuth_covered']):
            texts = [
                figure_text(result, metric.name, True) for metric in _in_order(_OF_DEVIATIONS)
            ]
            rows.append([result['condition'] or 'all of them', result['method'], *texts])
    titles = [metric.title for metric in _in_order(_OF_DEVIATIONS)]
    return Table(
        'Stated standard deviations of the answers, with 95 % intervals',
        DataFrame(rows, columns=['condition', 'method', *titles]),
        labels=2,
    )


def _models(by_condition: DataFrame, costs: Mapping[str, Cost]) -> Table:
    """Return the accuracy of every model beside its cost."""
    rows = []
    for result in by_condition.to_dict('records'):
        if result['method'] in costs:
            cost = costs[result['method']]
            rows.append(
                [
                    result['condition'],
                    result['method'],
                    *(figure_text(result, name, False) for name in _OF_MODELS),
                    '-' if cost.parameters is None else f'{cost.parameters:,}',
                    f'{cost.size / 1024:.1f}',
                    f'{cost.compressed_size / 1024:.1f}',
                    f'{cost.latency * 1e6:.1f}',
                ]
            )
    headers = [
        'condition',
        'model',
        *(_BY_NAME[name].title for name in _OF_MODELS),
        'parameters',
        'size [KiB]',
        'compressed [KiB]',
        'latency [us]',
    ]
    return Table('Models: accuracy and cost', DataFrame(rows, columns=headers), labels=2)


def _sensitivities(answers: DataFrame) -> Table:
    """Return what the sensitivity trades, per condition and method with a confidence."""
    rows = []
    for condition, here in answers.groupby('condition', sort=False):
        for method, mine in here.groupby('method', sort=False):
            traded = trade_off(mine, SHOWN_SENSITIVITIES)
            if not np.isnan(traded.unanswered).any():
                shares = zip(1 - traded.unanswered, traded.false, traded.silence, strict=True)
                cells = [' / '.join(f'{100 * share:.0f}' for share in three) for three in shares]
                rows.append([condition, method, *cells])
    headers = ['condition', 'method', *(f'{setting:g}' for setting in SHOWN_SENSITIVITIES)]
    return Table(
        'Sensitivity: voiced windows answered / false answers / silence answered [%]',
        DataFrame(rows, columns=headers),
        labels=2,
    )


def _has(results: DataFrame, binning: Binning) -> bool:
    return bool((results['binning'] == binning.name).any())


def _by_binning(results: DataFrame, binning: Binning) -> Table:
    """Return figures over the classes of a binning, one line per class and method."""
    found = results[results['binning'] == binning.name]
    rows = [
        [
            label,
            result['method'],
            str(result['voiced']),
            str(result['rooms']),
            *(figure_text(result, name, True) for name in _OF_BINS),
        ]
        for label in binning.labels
        for result in found[found['label'] == label].to_dict('records')
    ]
    headers = [binning.title, 'method', 'voiced windows', 'rooms']
    headers += [_BY_NAME[name].title for name in _OF_BINS]
    return Table(f'By {binning.title}', DataFrame(rows, columns=headers), labels=2)
