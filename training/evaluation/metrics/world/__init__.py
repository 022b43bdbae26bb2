# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How right all estimates and tracks are in scenes of any kind: all metrics, and their table."""

from collections.abc import Iterable, Sequence

from pandas import DataFrame

from doa_ros.core.geometry import MicArray

from ....data.clips import Clip
from ...methods.method import DirectionMethod
from ..multi_source.angular_error import ELEVATION_MAE, sum_errors
from ..multi_source.matches import count_matches
from ..multi_source.recall import RECALL, count_found
from ..multi_source.source_count import SILENCE_ANSWERED, count_sources
from ..multi_source.spurious import SPURIOUS_IN_SPEECH, count_spurious
from .elevation_bias import ELEVATION_BIAS, sum_bias
from .elevation_covered import ELEVATION_COVERED, count_covered
from .phantoms import CONFIDENT_PHANTOMS, PHANTOMS, count_phantoms
from .predicted import PREDICTED_IN_SILENCE, count_predicted
from .recovery import RECOVERY
from .strongest import STRONGEST_AZIMUTH_MAE, STRONGEST_GREAT_CIRCLE, sum_strongest
from .wrong_answers import UNANSWERED, WRONG_AND_CONFIDENT, count_wrong

# In the order of the tables.
METRICS = (
    RECALL,
    WRONG_AND_CONFIDENT,
    PHANTOMS,
    CONFIDENT_PHANTOMS,
    SPURIOUS_IN_SPEECH,
    STRONGEST_AZIMUTH_MAE,
    ELEVATION_MAE,
    ELEVATION_BIAS,
    ELEVATION_COVERED,
    STRONGEST_GREAT_CIRCLE,
    UNANSWERED,
    SILENCE_ANSWERED,
    PREDICTED_IN_SILENCE,
    RECOVERY,
)
_COUNTERS = (
    count_found,
    count_spurious,
    count_sources,
    sum_errors,
    count_phantoms,
    count_wrong,
    sum_strongest,
    sum_bias,
    count_covered,
    count_predicted,
)


def collect_world(
    array: MicArray,
    methods: Sequence[DirectionMethod],
    clips: Iterable[tuple[str, Clip]],
    noise_begin: float,
) -> DataFrame:
    """Return what all METRICS are made of: see `multi_source.matches.count_matches`.

    Args:
        array, methods, clips: of `count_matches`.
        noise_begin: when a noise begins in every clip [s]; NaN where none does.
    """
    matches = count_matches(array, methods, clips, _COUNTERS)
    return matches.assign(noise_begin=noise_begin)
