# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What doa-check prints while it goes on."""

import math

from doa_ros.core.array_check.channel_health import Health
from doa_ros.core.array_check.channel_order import ChannelOrder
from doa_ros.core.array_check.orientation import Orientation
from doa_ros.core.geometry import MicArray
from doa_ros.core.monitoring import Level


def say(mark: str, topic: str, text: str) -> None:
    """Print a line.

    Args:
        mark: ok, WARN, ERROR or ?.
        topic: what it is about.
        text: what is found.
    """
    print(f'{mark:>5}  {topic:<12}{text}', flush=True)


def report_levels(array: MicArray, health: Health) -> None:
    """Say how many channels there are, how loud they are, and which have faults."""
    count = len(health.levels_dbfs)
    levels = health.levels_dbfs[array.microphone_channels(count)]
    say('ok', 'channels', f'{count} at {array.sampling_frequency} Hz')
    say('ok', 'levels', f'{levels.min():.0f} to {levels.max():.0f} dBFS at the microphones')
    for finding in health.findings:
        say('ERROR' if finding.level == Level.ERROR else 'WARN', finding.fault, finding.message)
    if not health.findings:
        say('ok', 'health', 'no channel has a fault')


def report_order(array: MicArray, order: ChannelOrder) -> None:
    """Say whether the channels come in the order of the array file."""
    if not order.sure:
        say(
            '?',
            'order',
            'cannot be told: the noise comes from one direction or is too low '
            f'({100 * max(order.explained, 0):.0f} % explained); try another room',
        )
    elif order.as_described:
        say('ok', 'order', 'as described, or turned or mirrored as a whole')
    else:
        moves = ', '.join(
            f'channel {array.channels[i]} is {array.labels[order.microphones[i]]}'
            for i in order.moved
        )
        say('WARN', 'order', f'{moves}, against the array file')


def report_orientation(orientation: Orientation) -> None:
    """Say how the board lies."""
    degrees = math.degrees(orientation.rotation)
    if orientation.face_down:
        say('WARN', 'mirroring', 'left and right are exchanged: mounting face_down')
    else:
        say('ok', 'mirroring', 'none: mounting face_up')
    as_described = abs(degrees) < 0.5
    say('ok' if as_described else 'WARN', 'rotation', f'{degrees:.0f} degrees')
    if not orientation.regular:
        say(
            '?',
            'rotation',
            'no order of the channels explains it: was the voice where it was asked for?',
        )
    say('ok', 'accuracy', f'the voices fit to {math.degrees(orientation.deviation):.0f} degrees')
