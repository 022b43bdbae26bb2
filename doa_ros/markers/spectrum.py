# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Spectra: a ring around the array that bulges where sound may come from."""

import numpy as np
from std_msgs.msg import Header
from visualization_msgs.msg import Marker

from doa_ros.looks import LINE_WIDTH, SPECTRUM, spectrum_ring
from doa_ros.markers.shapes import coloured, deletion, line, points

NAMESPACES = ('spectrum',)
"""What can be switched off in RViz."""

_COLOUR = coloured(SPECTRUM, 0.7)


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
    ring = spectrum_ring(azimuths, probability, length).tolist()
    corners = points([*ring, ring[0]])
    return line(header, namespace, 0, corners, LINE_WIDTH / 2 * length, _COLOUR)
