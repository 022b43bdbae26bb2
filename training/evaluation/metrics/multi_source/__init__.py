# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How well a method finds several talkers at a time: all metrics, and the table they read."""

from collections.abc import Iterable, Sequence

from pandas import DataFrame

from doa_ros.core.geometry import MicArray

from ....data.clips import Clip
from ...methods.method import DirectionMethod
from .angular_error import AZIMUTH_MAE, ELEVATION_MAE, sum_errors
from .matches import count_matches
from .recall import RECALL, RECALL_OF_ONE, RECALL_OF_TWO, count_found
from .source_count import RIGHT_COUNT, SILENCE_ANSWERED, count_sources
from .spurious import SPURIOUS, SPURIOUS_IN_SPEECH, count_spurious

# In the order of the tables.
METRICS = (
    RECALL,
    SPURIOUS,
    SPURIOUS_IN_SPEECH,
    RECALL_OF_ONE,
    RECALL_OF_TWO,
    RIGHT_COUNT,
    SILENCE_ANSWERED,
    AZIMUTH_MAE,
    ELEVATION_MAE,
)
_COUNTERS = (count_found, count_spurious, count_sources, sum_errors)


def collect_matches(
    array: MicArray, methods: Sequence[DirectionMethod], clips: Iterable[tuple[str, Clip]]
) -> DataFrame:
    """Return what all METRICS are made of: see `matches.count_matches`."""
    return count_matches(array, methods, clips, _COUNTERS)
