# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Watches the channels of a microphone array and reports the faulty ones, from their sound alone.

`channel_statistics` measures the channels over a period, `channel_faults` says what is wrong; here
are the limits, what depends on several periods, and what is reported.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from doa_ros.core.array_check.channel_faults import (
    Fault,
    Finding,
    channel_shift,
    dead_findings,
    silent_findings,
    stuck_findings,
)
from doa_ros.core.array_check.channel_order import ChannelOrder, Coherence, find_order
from doa_ros.core.array_check.channel_statistics import ChannelStatistics
from doa_ros.core.config import Config, setting
from doa_ros.core.features.dead_microphones import DeadMicrophones
from doa_ros.core.features.framing import Framer
from doa_ros.core.geometry import MicArray
from doa_ros.core.monitoring import Level, Status, merge

# Length of a window, and of the period after which the channels are judged [s].
_WINDOW, _PERIOD = 0.05, 1.0
# Spectra cost more than all else, and are computed of one window in so many.
_SPECTRA_EVERY = 2
# A fault is reported after it was found in so many periods in a row, until it was not found in so
# many.
_CONFIRM, _RELEASE = 2, 4
# A fault that is reported stays until its measure is below this share of the limit.
_HYSTERESIS = 0.8
# A gain is the median over the last so many periods, and known after so many.
_GAIN_PERIODS, _LEAST_GAIN_PERIODS = 5, 3
# The order of the channels is judged after so many spectra of quiet windows: 10 s.
_ORDER_WINDOWS = 100
# These change the level of a channel, whatever its gain.
_CHANGE_LEVEL = {Fault.CLIPPED, Fault.STUCK_BITS}


@dataclass(frozen=True)
class Health:
    """The state of all channels.

    Attributes:
        levels_dbfs: level of each channel without its offset [dB of full scale], shape
            (channels,); 0 is a full-scale square wave, -inf a constant.
        findings: the worst first; empty when all is well.
        order: the order of the microphones that the noise of the room shows; None until there was
            enough noise.
    """

    levels_dbfs: np.ndarray
    findings: tuple[Finding, ...] = ()
    order: ChannelOrder | None = None

    @property
    def level(self) -> Level:
        """The worst of the findings."""
        return max((finding.level for finding in self.findings), default=Level.OK)


@dataclass(frozen=True)
class HealthConfig(Config):
    """Limits beyond which a measure is a fault."""

    gain_db: float = setting(
        6.0, 'Deviation of a gain from the others that is a fault [dB].', minimum=1.0, maximum=60.0
    )
    clipped_share: float = setting(
        1e-4, 'Share of samples at full scale that is a fault.', minimum=0.0, maximum=1.0
    )
    offset: float = setting(
        0.01, 'Constant part that is a fault [full scale].', minimum=1e-6, maximum=1.0
    )


class ChannelHealth:
    """Watches the channels of a stream.

    Args:
        array: says which channels are microphones and which are silent.
        config: the limits.

    Attributes:
        health: as it was after the last full second; None before.
    """

    def __init__(self, array: MicArray, config: HealthConfig | None = None):
        self._array, self._config = array, config or HealthConfig()
        window = round(_WINDOW * array.sampling_frequency)
        self._framer = Framer(window, window)
        self._start_stream()

    def _start_stream(self) -> None:
        """Forget what was found in another stream."""
        array, window = self._array, round(_WINDOW * self._array.sampling_frequency)
        self._coherence = Coherence(array, window)
        self._dead = DeadMicrophones(len(array.positions), _SPECTRA_EVERY * _WINDOW)
        self._gains: deque[np.ndarray] = deque(maxlen=_GAIN_PERIODS)
        self._order: ChannelOrder | None = None
        self._candidate: ChannelOrder | None = None
        self._reported = _Reported()
        self._period: ChannelStatistics | None = None
        self.health: Health | None = None

    def push(self, first_sample_index: int, samples: np.ndarray) -> None:
        """Take a block.

        Args:
            first_sample_index: index of the block's first sample since stream start.
            samples: all channels of the device, or one per microphone, shape
                (samples, channels), integers or floats of full scale 1.

        Raises:
            ConfigError: the number of channels is not the array's.
        """
        for window in self._framer.push(first_sample_index, samples):
            if window.gap is None:
                self._start_stream()
            self._take(window.samples)

    def status(self) -> Status:
        """Return the findings and the levels in words."""
        health = self.health
        if health is None:
            return Status(Level.OK, '')
        names = [''] * len(health.levels_dbfs)
        for channel, label in zip(
            self._array.microphone_channels(len(names)), self._array.labels, strict=True
        ):
            names[channel] = f' ({label})'
        values = {
            f'channel {channel}{name} [dBFS]': f'{level:.1f}'
            for channel, (name, level) in enumerate(zip(names, health.levels_dbfs, strict=True))
        }
        sentences = [Status(f.level, f.message) for f in health.findings]
        return merge([*sentences, Status(Level.OK, '', values)])

    def _take(self, samples: np.ndarray) -> None:
        microphones = self._array.microphone_channels(samples.shape[1])
        if self._period is None:
            self._period = ChannelStatistics(samples.shape[1], len(microphones))
        scaled = self._period.add(samples)
        if self._period.windows % _SPECTRA_EVERY == 0:
            power = self._coherence.push(scaled[microphones])
            self._dead.update(power)
            self._period.add_power(power)
        if self._period.windows == round(_PERIOD / _WINDOW):
            self.health = self._judge(self._period, microphones)
            self._period = None

    def _judge(self, period: ChannelStatistics, microphones: list[int]) -> Health:
        names = dict(zip(microphones, self._array.labels, strict=True))
        whole = period.channel_count == self._array.channel_count
        silent = self._array.silent_channels if whole else ()
        unused = set(range(period.channel_count)) - set(microphones)
        shift = channel_shift(period, silent, unused)
        dead = {c for c in microphones if period.constant[c]}
        dead |= {c for c, alive in zip(microphones, self._dead.alive, strict=True) if not alive}
        found = list(silent_findings(period, silent, shift))
        if shift is None:
            found += dead_findings(names, dead, period)
            found += self._order_findings(microphones, dead)
        living = {c: name for c, name in names.items() if c not in dead}
        for c, name in living.items():
            found += self._clipped(c, name, period)
            found += self._offset(c, name, period)
        found += stuck_findings(living, period)
        faulty = {
            c for finding in found if finding.fault in _CHANGE_LEVEL for c in finding.channels
        }
        found += self._gain_findings(names, dead | faulty, period)
        reported = sorted(
            self._reported.update(found), key=lambda f: (-f.level, f.fault, f.channels)
        )
        return Health(period.levels_dbfs, tuple(reported), self._order)

    def _limit(self, limit: float, fault: Fault, channel: int) -> float:
        return limit * _HYSTERESIS if (fault, (channel,)) in self._reported else limit

    def _clipped(self, channel: int, name: str, period: ChannelStatistics) -> Iterator[Finding]:
        share = period.clipped[channel] / period.samples
        if share > self._limit(self._config.clipped_share, Fault.CLIPPED, channel):
            yield Finding(
                Fault.CLIPPED,
                (channel,),
                Level.WARN,
                f'channel {channel} ({name}) is clipped in {100 * share:.2g} % of the samples: '
                'move the array away from what is so loud, or lower its gain',
            )

    def _offset(self, channel: int, name: str, period: ChannelStatistics) -> Iterator[Finding]:
        offset = period.offset[channel]
        if abs(offset) >= self._limit(self._config.offset, Fault.DC_OFFSET, channel):
            yield Finding(
                Fault.DC_OFFSET,
                (channel,),
                Level.WARN,
                f'channel {channel} ({name}) has a constant part of {offset:+.2g} of full scale, '
                'which takes room from the sound: check the sample format, else the board',
            )

    def _gain_findings(
        self, names: dict[int, str], faulty: set[int], period: ChannelStatistics
    ) -> Iterator[Finding]:
        levels = period.microphone_levels
        sound = [c not in faulty for c in names]
        if any(sound):
            self._gains.append(levels - np.median(levels[sound]))
        if len(self._gains) < _LEAST_GAIN_PERIODS:
            return
        gains = np.median(self._gains, axis=0)
        for (channel, name), gain in zip(names.items(), gains, strict=True):
            if channel in faulty:
                continue
            if abs(gain) >= self._limit(self._config.gain_db, Fault.GAIN, channel):
                yield Finding(
                    Fault.GAIN,
                    (channel,),
                    Level.WARN,
                    f'channel {channel} ({name}) is {abs(gain):.0f} dB '
                    f'{"louder" if gain > 0 else "quieter"} than the others: free its sound '
                    'port, and set equal gains if they can be set',
                )

    def _order_findings(self, microphones: list[int], dead: set[int]) -> Iterator[Finding]:
        if dead:
            self._coherence.reset()
        elif self._coherence.windows >= _ORDER_WINDOWS:
            order = find_order(self._array, self._coherence)
            self._coherence.reset()
            # An order counts once it was found twice in a row, and surely.
            if order.sure:
                if (
                    self._candidate is not None
                    and self._candidate.microphones == order.microphones
                ):
                    self._order = order
                self._candidate = order
        if self._order is not None and not self._order.as_described:
            moved = self._order.moved
            channels = tuple(microphones[i] for i in moved)
            listed = ' and '.join(', '.join(str(c) for c in channels).rsplit(', ', 1))
            yield Finding(
                Fault.SWAPPED,
                channels,
                Level.ERROR,
                f'channels {listed} are swapped, as the noise of the room shows: directions are '
                'wrong; run doa-check, which writes an array file with the right order',
            )


_Key = tuple[Fault, tuple[int, ...]]


class _Reported:
    """Keeps findings from flickering: they are reported, and withdrawn, only when that lasts."""

    def __init__(self) -> None:
        self._findings: dict[_Key, Finding] = {}
        # How often in a row a finding was new, or missing.
        self._changing: dict[_Key, int] = {}

    def __contains__(self, key: object) -> bool:
        return key in self._findings

    def update(self, found: list[Finding]) -> list[Finding]:
        """Take the findings of a period and return those that are reported."""
        now = {(finding.fault, finding.channels): finding for finding in found}
        for key in now.keys() & self._findings.keys():
            self._findings[key] = now[key]
        self._changing = {
            key: self._changing.get(key, 0) + 1 for key in now.keys() ^ self._findings.keys()
        }
        for key, times in list(self._changing.items()):
            if key in now and times >= _CONFIRM:
                self._findings[key] = now[key]
                del self._changing[key]
            elif key not in now and times >= _RELEASE:
                del self._findings[key], self._changing[key]
        return list(self._findings.values())
