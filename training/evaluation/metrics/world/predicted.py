# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Whether tracks that outlive their talker say that they are predicted."""

from ...methods.localizer import PREDICTED
from ..metric import ratio_metric
from ..multi_source.matches import MatchedBlock


def count_predicted(matched: MatchedBlock) -> dict[str, float]:
    """Return the number of `tracks_in_silence`, and of `predicted_in_silence` among them."""
    is_silent = not (matched.voiced or matched.uncertain)
    flags = [e.attributes[PREDICTED] for e in matched.estimates if PREDICTED in e.attributes]
    return {
        'tracks_in_silence': is_silent * len(flags),
        'predicted_in_silence': is_silent * sum(flags),
    }


PREDICTED_IN_SILENCE = ratio_metric(
    'predicted_in_silence',
    'predicted in silence',
    lambda m: m['predicted_in_silence'],
    lambda m: m['tracks_in_silence'],
)
