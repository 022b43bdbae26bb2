# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The steps of doa-check: what is asked for, and what follows from the sound."""

from collections.abc import Callable
from dataclasses import dataclass
import math

import numpy as np

from doa_ros.cli.check_report import report_levels, report_order, report_orientation, say
from doa_ros.core.array_check.channel_faults import Fault
from doa_ros.core.array_check.channel_health import ChannelHealth, Health
from doa_ros.core.array_check.channel_order import ChannelOrder, order_of_noise, reordered
from doa_ros.core.array_check.orientation import Orientation, find_orientation, spoken_azimuth
from doa_ros.core.errors import AudioError
from doa_ros.core.geometry import MicArray
from doa_ros.core.monitoring import Level
from doa_ros.core.samples import as_float

# The noise before a voice is that of the last seconds of the quiet room [s].
_BEFORE_VOICE = 3.0


@dataclass(frozen=True)
class Step:
    """A part of the check.

    Attributes:
        request: what the person is asked for.
        duration: how long it is listened [s].
        least: how much a recording must hold [s].
    """

    request: str
    duration: float
    least: float


QUIET = Step('Be quiet: the noise of the room is wanted.', 12.0, 10.0)
FRONT = Step('Speak from the side opposite the USB cable, about 1 m away.', 8.0, 3.0)
RIGHT = Step('Speak from the right, seen from above with the cable at the back.', 8.0, 3.0)
STEPS = (QUIET, FRONT, RIGHT)

Recorder = Callable[[Step], np.ndarray]
"""Returns what is heard in a step: all channels, shape (samples, channels)."""


@dataclass(frozen=True)
class CheckResult:
    """What was found out about an array.

    Attributes:
        array: as described, with the channels on which its microphones are heard.
        health: of the channels.
        order: of the channels; None where a microphone is dead.
        orientation: of the board; None where a channel has no right place.
    """

    array: MicArray
    health: Health
    order: ChannelOrder | None
    orientation: Orientation | None

    @property
    def faulty(self) -> bool:
        """Whether the array cannot be used, whatever file describes it."""
        return self.orientation is None or self.health.level == Level.ERROR


def check(array: MicArray, record: Recorder, attempts: int = 1) -> CheckResult:
    """Check an array and say what is found.

    Args:
        array: as described.
        record: gives the sound of each step.
        attempts: how often a voice may be asked for.

    Raises:
        AudioError: the sound is not what was asked for.
    """
    quiet = record(QUIET)
    health = _channel_health(array, quiet)
    report_levels(array, health)
    order = None
    if any(finding.fault == Fault.ROTATED for finding in health.findings):
        return CheckResult(array, health, None, None)
    if any(finding.fault == Fault.DEAD for finding in health.findings):
        say('?', 'order', 'not known, as microphones are dead')
    else:
        order = order_of_noise(array, as_float(quiet))
        report_order(array, order)
        if order.sure:
            array = reordered(array, order)
    before = as_float(quiet)[-round(_BEFORE_VOICE * array.sampling_frequency) :]
    azimuths: list[float] = []
    for step in (FRONT, RIGHT):
        azimuths.append(_voice(array, before, record, step, attempts))
        say('ok', 'voice', f'at {math.degrees(azimuths[-1]):.0f} degrees on the board')
    orientation = find_orientation(array, *azimuths)
    report_orientation(orientation)
    return CheckResult(array, health, order, orientation)


def _voice(
    array: MicArray, before: np.ndarray, record: Recorder, step: Step, attempts: int
) -> float:
    """Return where the voice of a step comes from [rad]; ask again where it is not clear."""
    while True:
        try:
            return spoken_azimuth(array, before, as_float(record(step)))
        except AudioError as error:
            attempts -= 1
            if not attempts:
                raise
            say('?', 'voice', f'{error}; once more')


def _channel_health(array: MicArray, quiet: np.ndarray) -> Health:
    watch = ChannelHealth(array)
    watch.push(0, quiet)
    if watch.health is None:
        raise AudioError(f'{len(quiet) / array.sampling_frequency:.1f} s of noise are too short')
    return watch.health
