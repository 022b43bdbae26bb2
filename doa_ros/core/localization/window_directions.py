# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What one node of the chain passes to the next for every analysis window."""

from typing import NamedTuple

from doa_ros.core.localization.decoding import Estimate


class WindowDirections(NamedTuple):
    """The directions in one analysis window: of the sources that are heard, or detections.

    Attributes:
        estimates: highest confidence first.
        window: length of the window [s].
        hop: time from one window to the next [s].
        sound_age: mean age of the sound, relative to the window [s], as in `WindowFeatures`.
    """

    estimates: tuple[Estimate, ...]
    window: float
    hop: float
    sound_age: float = 0.0
