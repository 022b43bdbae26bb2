# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How long to wait before what has failed is tried again."""


def retry_interval(waited: float, *, least: float, most: float) -> float:
    """Return how long to wait before the next attempt [s]: a twentieth of the time waited so far.

    What is back soon is found soon, and what stays away for days costs next to nothing.

    Args:
        waited: since the first attempt [s].
        least, most: bounds of the interval [s].
    """
    return min(max(least, waited / 20), most)
