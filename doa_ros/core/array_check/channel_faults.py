# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The faults of channels, and those that the statistics of one period show."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from doa_ros.core.array_check.channel_statistics import ChannelStatistics
from doa_ros.core.monitoring import Level

# With fewer microphones the azimuth is ambiguous.
_LEAST_MICROPHONES = 3


class Fault(StrEnum):
    """What can be wrong with a channel."""

    DEAD = 'dead'
    CLIPPED = 'clipped'
    DC_OFFSET = 'DC offset'
    STUCK_BITS = 'stuck bits'
    NOT_SILENT = 'not silent'
    GAIN = 'gain mismatch'
    SWAPPED = 'swapped'
    ROTATED = 'rotated'


@dataclass(frozen=True)
class Finding:
    """One fault.

    Attributes:
        fault: its kind.
        channels: of the stream, counted from 0.
        level: how bad it is.
        message: a sentence that says what to do.
    """

    fault: Fault
    channels: tuple[int, ...]
    level: Level
    message: str


def channel_shift(
    period: ChannelStatistics, silent: tuple[int, ...], unused: set[int]
) -> int | None:
    """Return by how many channels all are rotated, as the silent ones show; None if by none.

    Args:
        period: what was measured.
        silent: the channels that the device leaves 0 in every sample.
        unused: the channels without a microphone, `silent` among them.
    """
    zero = set(np.flatnonzero(period.zero).tolist())
    if not silent or zero & set(silent):
        return None
    count = period.channel_count

    def fits(shift: int) -> bool:
        # Other channels without a microphone may be silent as well.
        expected, possible = ({(c + shift) % count for c in group} for group in (silent, unused))
        return expected <= zero <= possible

    shifts = [shift for shift in range(1, count) if fits(shift)]
    return min(shifts, key=lambda shift: min(shift, count - shift), default=None)


def silent_findings(
    period: ChannelStatistics, silent: tuple[int, ...], shift: int | None
) -> Iterator[Finding]:
    """Yield what is wrong with the silent channels.

    Args:
        period, silent: as for `channel_shift`.
        shift: its result.
    """
    if shift is not None:
        zero = tuple(np.flatnonzero(period.zero).tolist())
        there = (silent[0] + shift) % period.channel_count
        yield Finding(
            Fault.ROTATED,
            zero,
            Level.ERROR,
            f'the channels are rotated by {shift}, as channel {there} is silent instead of '
            f'channel {silent[0]}: directions are wrong; open the device again',
        )
        return
    for channel in silent:
        if not period.zero[channel]:
            yield Finding(
                Fault.NOT_SILENT,
                (channel,),
                Level.WARN,
                f'channel {channel} must be 0 in every sample and is not: something mixes the '
                'channels; keep PulseAudio and PipeWire away, and check the firmware',
            )


def dead_findings(
    names: dict[int, str], dead: set[int], period: ChannelStatistics
) -> Iterator[Finding]:
    """Yield which microphones are dead.

    Args:
        names: labels of the microphones by their channels.
        dead: channels of those that are.
        period: what was measured; says why.
    """
    if len(dead) == len(names):
        yield Finding(
            Fault.DEAD,
            tuple(sorted(dead)),
            Level.ERROR,
            'no microphone delivers anything: reconnect the device',
        )
        return
    level = Level.WARN if len(names) - len(dead) >= _LEAST_MICROPHONES else Level.ERROR
    for channel in sorted(dead):
        reason = 'never changes' if period.constant[channel] else 'is far below the others'
        yield Finding(
            Fault.DEAD,
            (channel,),
            level,
            f'channel {channel} ({names[channel]}) is dead, it {reason}: free its sound port or '
            'replace the board; until then its pairs are left out',
        )


def stuck_findings(names: dict[int, str], period: ChannelStatistics) -> Iterator[Finding]:
    """Yield which microphones have bits that never change, below the highest one that does.

    Args:
        names: labels of the microphones by their channels.
        period: what was measured of integers; floats have no bits to look at.
    """
    varying = period.varying_bits
    names = {c: name for c, name in names.items() if varying[c]}
    # The lowest bit that varies in most microphones: the sample format has no lower ones.
    lowest = sorted(varying[c] & -varying[c] for c in names)[len(names) // 2] if names else 0
    for channel, name in names.items():
        # Bits above the highest one that varies belong to an offset.
        stuck = ((1 << varying[channel].bit_length()) - lowest) & ~varying[channel]
        if stuck > 0:
            bits = [str(b) for b in range(stuck.bit_length()) if stuck >> b & 1]
            yield Finding(
                Fault.STUCK_BITS,
                (channel,),
                Level.WARN,
                f'channel {channel} ({name}) has bits that never change ({", ".join(bits)}): '
                'check the sample format and the cable, else replace the board',
            )
