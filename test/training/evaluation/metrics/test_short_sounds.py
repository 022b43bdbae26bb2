# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
import numpy as np

from doa_ros.core.localization.decoding import Estimate
from training.data.clips import Source
from training.evaluation.metrics.short_sounds import answers_to


def estimate(azimuth_deg, confidence):
    return Estimate(np.radians(azimuth_deg), 0.0, 0.1, 0.1, confidence)


def test_an_answer_counts_when_it_is_soon_near_and_given():
    voiced = np.zeros(40, dtype=bool)
    for begin in (5, 15, 25, 35):
        voiced[begin : begin + 4] = True
    source = Source(np.full(40, np.radians(50)), np.zeros(40), voiced, kind='impulse')
    estimates = {k: estimate(50, 0.1) for k in range(40)}
    # Right after 100 ms; wrong; right but too late; and the last one, not given at all.
    estimates[6] = estimate(55, 0.9)
    estimates[15] = estimate(-20, 0.9)
    estimates[28] = estimate(50, 0.9)
    found = {block: [estimate] for block, estimate in estimates.items()}
    assert list(answers_to(source, found, 0.5)) == [
        (True, True),
        (True, False),
        (False, False),
        (False, False),
    ]
