# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Plots of methods that find one source."""

import warnings

import numpy as np
from pandas import DataFrame

from training.evaluation.report.single_source_plots import draw_reliability


def test_without_voiced_blocks_there_is_no_reliability_and_no_warning():
    unknown = dict.fromkeys(('azimuth', 'answer_azimuth', 'confidence'), np.full(5, np.nan))
    answers = DataFrame({'method': 'a', 'voiced': False, 'silent': True, **unknown})
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        figure = draw_reliability(answers)
    assert figure.axes[0].get_legend() is None
