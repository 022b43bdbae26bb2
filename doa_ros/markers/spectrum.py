# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Spectra: a ring around the array that bulges where sound may come from."""

import numpy as np
from std_msgs.msg import ColorRGBA, Header
from visualization_msgs.msg import Marker

from doa_ros.core.geometry import unit_vector
from doa_ros.markers.shapes import LINE_WIDTH, deletion, line, points

NAMESPACES = ('spectrum',)
"""What can be switched off in RViz."""

# Radius for the probability 0, and how much farther 1 lies.
_RADIUS, _HEIGHT = 0.4, 0.5
_COLOUR = ColorRGBA(r=0.9, g=0.9, b=0.85, a=0.7)


def spectrum_marker(
    header: Header, azimuths: np.ndarray, probability: np.ndarray, length: float
) -> Marker:
    """Return a closed line: the more probable an azimuth, the farther outside.

    Args:
        header: of the spectrum.
        azimuths: of the classes, once around [rad], shape (azimuths,).
        probability: of each; where there are none, the line is deleted.
        length: length of an arrow of confidence 1 [m].
    """
    (namespace,) = NAMESPACES
    if not len(probability):
        return deletion(header, namespace, 0)
    distances = length * (_RADIUS + _HEIGHT * probability)
    ring = (distances[:, None] * unit_vector(azimuths, 0.0)).tolist()
    corners = points([*ring, ring[0]])
    return line(header, namespace, 0, corners, LINE_WIDTH / 2 * length, _COLOUR)
