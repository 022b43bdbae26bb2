# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Plots of a report."""

from dataclasses import fields
import warnings

import numpy as np

from training.evaluation.metrics.frames import Frames
from training.evaluation.report.figures import draw_reliability


def test_without_voiced_frames_there_is_no_reliability_and_no_warning():
    columns = {field.name: np.full(5, np.nan) for field in fields(Frames)}
    columns |= {name: np.zeros(5, dtype=bool) for name in ('voiced', 'heard')}
    frames = Frames(**{**columns, 'method': np.full(5, 'a'), 'silent': np.ones(5, dtype=bool)})
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        figure = draw_reliability(frames)
    assert figure.axes[0].get_legend() is None
