# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What the header of a message holds, whether a node or a reader of bags has read it."""

from typing import Protocol

from doa_ros.core.errors import MessageError
from doa_ros.core.units import NANOSECONDS

# Stamps that are derived from one must fit into a message, too [s].
_LAST_SECOND = 2**31 - 1 - 20


class Time(Protocol):
    """The fields of builtin_interfaces/Time."""

    sec: int
    nanosec: int


class Header(Protocol):
    """The fields of std_msgs/Header."""

    stamp: Time
    frame_id: str


def stamp_of(header: Header) -> int:
    """Return the stamp of a header [ns]."""
    return header.stamp.sec * NANOSECONDS + header.stamp.nanosec


def check_header(header: Header) -> None:
    """Check the header of a received message.

    Raises:
        MessageError: the stamp is no time, or there is no frame.
    """
    if not (0 <= header.stamp.sec <= _LAST_SECOND and header.stamp.nanosec < NANOSECONDS):
        raise MessageError(
            f'stamp of {header.stamp.sec} s and {header.stamp.nanosec} ns is no time'
        )
    if not header.frame_id:
        raise MessageError('frame_id is empty: it must name the TF frame of the array')


class StampOrder:
    """Refuses messages that come out of order, by their stamps.

    A message whose stamp does not go forward is a copy or comes late. Where the next one goes on
    from there, the sender has started again or its clock was set back, and that one counts.
    """

    def __init__(self) -> None:
        self._last: int | None = None
        self._refused: int | None = None

    def check(self, stamp: int) -> None:
        """Take the stamp of the next message [ns].

        Raises:
            MessageError: it does not go forward.
        """
        if self._last is not None and stamp <= self._last:
            if self._refused is None or stamp <= self._refused:
                self._refused = stamp
                behind = (self._last - stamp) / NANOSECONDS
                raise MessageError(
                    f'its stamp does not go forward, it lies {behind:.3f} s before the last one; '
                    'if the next one goes on from there, a new stream begins'
                )
        self._last, self._refused = stamp, None
