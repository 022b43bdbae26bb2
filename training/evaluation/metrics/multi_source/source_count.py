# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The number of estimates beside the number of talkers."""

from ..metric import ratio_metric
from .matches import MatchedBlock


def count_sources(matched: MatchedBlock) -> dict[str, float]:
    """Return the number of estimates as `given`; `certain` where it is known who speaks."""
    return {'certain': not matched.uncertain, 'given': len(matched.estimates)}


RIGHT_COUNT = ratio_metric(
    'right_count',
    'right number',
    lambda m: m['certain'] & (m['given'] == m['talkers']),
    lambda m: m['certain'],
)
SILENCE_ANSWERED = ratio_metric(
    'silence_answered',
    'silence answered',
    lambda m: m['certain'] & (m['talkers'] == 0) & (m['given'] > 0),
    lambda m: m['certain'] & (m['talkers'] == 0),
)
