# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Estimates: arrows, and what sounds like them."""

from collections.abc import Sequence

import numpy as np
from std_msgs.msg import ColorRGBA, Header
from visualization_msgs.msg import Marker

from doa_ros.core.ambiguity import HORIZONTAL, Ambiguity, NoAmbiguity
from doa_ros.core.localization.decoding import Estimate
from doa_ros.looks import (
    FAINT,
    LINE_WIDTH,
    NEEDLE_WIDTH,
    SHAFT_WIDTH,
    estimate_colour,
    shown_elevation,
)
from doa_ros.markers.shapes import arrow, coloured, deletion, line, points

NAMESPACES = ('estimates', 'alike')
"""What can be switched off in RViz."""


def estimate_markers(
    header: Header,
    estimates: Sequence[Estimate],
    previous: int,
    length: float,
    *,
    ambiguity: Ambiguity = HORIZONTAL,
    faint: bool = False,
) -> list[Marker]:
    """Return an arrow per estimate: the surer, the longer and the greener.

    Unless above and below alone are mistaken for each other, a faint line per estimate shows the
    directions that sound like it.

    Args:
        header: of the estimates.
        estimates: what is shown.
        previous: number of arrows shown so far; those without an estimate are deleted.
        length: length of an arrow of confidence 1 [m].
        ambiguity: of the array.
        faint: whether something surer is shown beside them.
    """
    arrows, alike = NAMESPACES
    opacity, width = (FAINT, NEEDLE_WIDTH) if faint else (1.0, SHAFT_WIDTH)
    markers = [
        arrow(header, arrows, number, estimate, length, _colour(estimate, opacity), width)
        for number, estimate in enumerate(estimates)
    ]
    namespaces = [arrows]
    if not (ambiguity.horizontal or isinstance(ambiguity, NoAmbiguity)):
        namespaces.append(alike)
        markers += [
            _alike(header, alike, number, estimate, length, ambiguity)
            for number, estimate in enumerate(estimates)
        ]
    for number in range(len(estimates), previous):
        markers += [deletion(header, namespace, number) for namespace in namespaces]
    return markers


def _colour(estimate: Estimate, opacity: float) -> ColorRGBA:
    return coloured(estimate_colour(estimate), opacity)


def _alike(
    header: Header,
    namespace: str,
    number: int,
    estimate: Estimate,
    length: float,
    ambiguity: Ambiguity,
) -> Marker:
    """Return a faint line: around a cone, or from the array to the mirror image."""
    directions = ambiguity.alike(estimate.azimuth, shown_elevation(estimate))
    if len(directions) == 1:
        directions = np.concatenate([np.zeros((1, 3)), directions])
    corners = points((length * directions).tolist())
    colour = _colour(estimate, FAINT)
    return line(header, namespace, number, corners, LINE_WIDTH * length, colour)
