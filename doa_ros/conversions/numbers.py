# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Numbers as messages hold them: what is allowed, and how they are written fast."""

import array
import math

import numpy as np

from doa_ros.core.errors import MessageError

# Relative deviation of a received number that is still rounding.
_ROUNDING = 1e-6
# More than the age of sound or of a track can be [s].
_OLDEST = 1e9

HALF_TURN = math.pi * (1 + _ROUNDING)
"""The largest angle that a message may hold [rad]."""


def floats(values: np.ndarray) -> array.array:
    """Return values as a message holds them, much faster than a list."""
    return array.array('f', values.astype(np.float32, copy=False).tobytes())


def check_age(age: float) -> None:
    """Check the age of sound or of a track in a message [s].

    Raises:
        MessageError: it is not usable.
    """
    if not 0 <= age <= _OLDEST:
        raise MessageError(f'sound cannot be {age:g} s old')
