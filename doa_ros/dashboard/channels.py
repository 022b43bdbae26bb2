# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The channels of the array, as the page shows them: levels, and what is wrong with each."""

from collections.abc import Mapping
from itertools import zip_longest
import math
import re

from doa_ros.core.samples import QUIETEST_DBFS

# `channel 3 (ring_3) [dBFS]`, as `ChannelHealth` names its values.
_LEVEL = re.compile(r'channel (\d+)(?: \((.*)\))? \[dBFS\]')
# How its sentences about channels begin.
_FAULT = re.compile(r'\bchannel (\d+) (?=\(|must)|\bchannels (\d[\d, and]*) are')


def channels_of(message: str, values: Mapping[str, str]) -> list[dict[str, object]]:
    """Return what the diagnostics of audio_capture say of each channel.

    Args:
        message, values: of the diagnostics.

    Returns:
        Per channel its `number`, `label` ('' where it is no microphone), `level` [dB of full
        scale], None where it is not known, and `fault`, a sentence, '' where it is well.
    """
    faults = _faults(message)
    return [
        {
            'number': int(match[1]),
            'label': match[2] or '',
            'level': _level(value),
            'fault': faults.get(int(match[1]), ''),
        }
        for name, value in values.items()
        if (match := _LEVEL.fullmatch(name))
    ]


def _level(text: str) -> float | None:
    try:
        level = float(text)
    except ValueError:
        return None
    return None if math.isnan(level) else max(min(level, 0.0), QUIETEST_DBFS)


def _faults(message: str) -> dict[int, str]:
    faults: dict[int, str] = {}
    found = list(_FAULT.finditer(message))
    for match, following in zip_longest(found, found[1:]):
        sentence = message[match.start() : following.start() if following else None]
        for channel in re.findall(r'\d+', match[1] or match[2]):
            faults.setdefault(int(channel), sentence.strip('; '))
    return faults
