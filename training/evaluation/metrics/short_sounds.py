# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How short sounds are answered: soon, and by the right direction."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
from pandas import DataFrame

from doa_ros.core.geometry import MicArray, wrap_angle
from doa_ros.core.localization.decoding import WITHIN, Estimate

from ...data.clips import Clip, Source
from ..methods.inputs import MethodInput
from ..methods.localizer import LocalizerMethod
from ..scenes.blocks import HOP

# An estimate counts so long after the sound has begun [s].
_SOON = 0.15


def collect_short_sounds(
    array: MicArray, methods: Sequence[LocalizerMethod], clips: Iterable[tuple[str, Clip]]
) -> DataFrame:
    """Let every method answer the same short sounds.

    Args:
        array: the microphones, with z pointing up.
        methods: to be compared.
        clips: of one source of short sounds each, and the name of the condition.

    Returns:
        One row per short sound and method: its `method`, `condition` and `room`; whether it is
        `answered`, by an estimate within 150 ms; and whether the answer is `right`: the last
        estimate in that time is within 10 degrees of azimuth.
    """
    rows = []
    for condition, clip in clips:
        inputs = MethodInput(array, clip)
        for method in methods:
            names = {'method': method.name, 'condition': condition, 'room': clip.room}
            found = method.localizations(inputs)
            estimates = {block: heard.estimates for block, heard in found.items()}
            for answered, right in answers_to(clip.sources[0], estimates, method.least_confidence):
                rows.append({**names, 'answered': answered, 'right': right})
    return DataFrame(rows)


def answers_to(
    source: Source, estimates: Mapping[int, Sequence[Estimate]], least_confidence: float
) -> Iterator[tuple[bool, bool]]:
    """Yield of every short sound whether it is answered, and whether the answer is right.

    Args:
        source: of short sounds.
        estimates: by block, the best one first.
        least_confidence: from which on an estimate is given.
    """
    before = np.concatenate([[False], source.voiced[:-1]])
    for begin in np.flatnonzero(source.voiced & ~before):
        blocks = range(begin, begin + round(_SOON / HOP))
        given = [estimates[block][0] for block in blocks if estimates.get(block)]
        given = [estimate for estimate in given if estimate.confidence >= least_confidence]
        azimuth = source.azimuth[begin]
        right = bool(given) and bool(abs(wrap_angle(given[-1].azimuth - azimuth)) <= WITHIN)
        yield bool(given), right


def short_sound_notes(answers: DataFrame) -> list[str]:
    """Return a sentence for each condition and method, of `collect_short_sounds`."""
    notes = []
    for (condition, method), mine in answers.groupby(['condition', 'method'], sort=False):
        right, answered = (100 * mine[name].mean() for name in ('right', 'answered'))
        notes.append(
            f'{method}, short sounds in {condition}: {right:.1f} % of {len(mine)} are found '
            f'within 10 deg and 150 ms, {answered:.1f} % answered.'
        )
    return notes
