# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Short numbers for talkers, as people say them."""

# So many of the latest talkers keep their numbers.
_KEPT = 64


class TalkerNumbers:
    """Numbers tracks from 1 in the order in which they appear; their ids begin at random."""

    def __init__(self) -> None:
        self._numbers: dict[int, int] = {}
        self._last = 0

    def of(self, track_id: int) -> int:
        """Return the number of a track: the same for every call with its id."""
        number = self._numbers.pop(track_id, None)
        if number is None:
            self._last += 1
            number = self._last
        # The one that was asked for last comes last.
        self._numbers[track_id] = number
        if len(self._numbers) > _KEPT:
            del self._numbers[next(iter(self._numbers))]
        return number
