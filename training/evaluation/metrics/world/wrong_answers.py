# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Windows in which somebody speaks: those with a wrong answer, and those without an answer."""

from ..metric import ratio_metric
from ..multi_source.matches import NEAR, MatchedBlock
from .angles import distance_from
from .phantoms import CONFIDENT


def count_wrong(matched: MatchedBlock) -> dict[str, float]:
    """Return whether somebody is `speaking`, and whether the answer is `wrong` or `unanswered`.

    It is wrong where any estimate of a confidence of 0.8 or more is within 15 degrees of nobody.
    """
    wrong = any(
        estimate.confidence >= CONFIDENT
        and all(distance_from(estimate, t, matched.block) > NEAR for t in matched.talkers)
        for estimate in matched.estimates
    )
    speaking = bool(matched.voiced)
    return {
        'speaking': speaking,
        'wrong': speaking and wrong,
        'unanswered': speaking and not matched.estimates,
    }


WRONG_AND_CONFIDENT = ratio_metric(
    'wrong_and_confident', 'wrong and confident', lambda m: m['wrong'], lambda m: m['speaking']
)
UNANSWERED = ratio_metric(
    'unanswered', 'unanswered', lambda m: m['unanswered'], lambda m: m['speaking']
)
