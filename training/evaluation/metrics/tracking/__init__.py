# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How well a method tracks talkers who walk: all metrics, and the table they read."""

from collections.abc import Iterable, Sequence

from pandas import DataFrame

from doa_ros.core.geometry import MicArray

from ....data.clips import Clip
from ...methods.method import TrackingMethod
from .accuracy import AZIMUTH_RMSE, FOUND, sum_errors
from .confirmation import DELAY, PROMPT, count_confirmed
from .false_tracks import FALSE_TRACKS, SILENCE_ANSWERED, count_answered_silence, count_false
from .identity import CHANGES, KEPT, THROUGH, count_identities
from .matches import Trace, count_matches
from .ospa import OSPA, sum_ospa

# In the order of the tables.
METRICS = (
    AZIMUTH_RMSE,
    FOUND,
    THROUGH,
    KEPT,
    CHANGES,
    PROMPT,
    DELAY,
    OSPA,
    FALSE_TRACKS,
    SILENCE_ANSWERED,
)
_COUNTERS = (
    sum_errors,
    count_identities,
    count_confirmed,
    count_false,
    sum_ospa,
    count_answered_silence,
)
_TRACED = 3


def collect_tracks(
    array: MicArray,
    methods: Sequence[TrackingMethod],
    clips: Iterable[tuple[str, Clip]],
    traced: int = _TRACED,
) -> tuple[DataFrame, list[Trace]]:
    """Return what all METRICS are made of, and traces: see `matches.count_matches`."""
    return count_matches(array, methods, clips, _COUNTERS, traced)
