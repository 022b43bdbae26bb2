# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How uncertain directions are because the size of an array is, in wavelengths.

Microphones in a plane hear how much of a direction lies in the plane. On an array that is larger
than its file says, or in colder air, it seems more: sound seems to come from nearer to the plane.
Azimuths in a horizontal plane stay.
"""

import math

SIZE_STDDEV = 0.022
"""How much larger an array seems than its file says, as a standard deviation [1].

Boards are built to 1 %. In air of 0 to 40 degrees Celsius, where most devices may be used, sound
is up to 3.4 % slower or faster than in the middle: 2 % as a standard deviation.
"""
_SMALLER, _LARGER = 1 - SIZE_STDDEV, 1 + SIZE_STDDEV


def elevation_stddev(
    normal: tuple[float, float, float], azimuth: float, elevation: float
) -> float:
    """Return the standard deviation of an elevation before a plane by its uncertain size [rad].

    It is 0 along the normal, and bounded at the edge, where a derivative is not.

    Args:
        normal: of the plane, a unit vector.
        azimuth, elevation: of the direction [rad].
    """
    x, y, z = normal
    if z == 1:
        # The same as below, in a third of the time, as trackers ask for it in every window.
        level = math.cos(elevation)
        return (math.acos(_SMALLER * level) - math.acos(min(_LARGER * level, 1.0))) / 2
    up = math.sin(elevation)
    before = math.cos(elevation) * (x * math.cos(azimuth) + y * math.sin(azimuth)) + z * up
    # Of the part of the direction in the plane: height and squared length.
    height, squared = up - before * z, 1 - before * before

    def seen(scale: float) -> float:
        rest = 1 - scale * scale * squared
        # What seems longer than a unit vector lies in the plane altogether.
        if rest > 0:
            sine = scale * height + math.sqrt(rest) * z
        else:
            sine = height / math.sqrt(squared)
        return math.asin(min(max(sine, -1.0), 1.0))

    return abs(seen(_LARGER) - seen(_SMALLER)) / 2
