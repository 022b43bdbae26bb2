# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Where a source is in the horizontal plane, from its azimuths at several places.

The position is the maximum of the likelihood of normally distributed errors of the azimuths, found
by Gauss-Newton steps; its covariance is the inverse of the information matrix there: W. H. Foy,
"Position-location solutions by Taylor-series estimation", IEEE Transactions on Aerospace and
Electronic Systems 12 (2), 1976. The steps begin where the lines of the bearings meet: R. G.
Stansfield, "Statistical theory of d.f. fixing", Journal of the IEE 94 (15), 1947::

    r_i = |p - p_i|                     distance of the source p from the place p_i
    e_i = wrap(a_i - angle(p - p_i))    error of the azimuth a_i, of standard deviation s_i
    h_i = (-sin, cos)(angle) / r_i      how the angle changes with p
    J   = sum h_i h_i^T / s_i^2         information matrix
    p   = p + J^-1 sum h_i e_i / s_i^2  step
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from doa_ros.core.errors import TriangulationError
from doa_ros.core.geometry import wrap_angle

_MOST_STEPS = 30
# A step below this ends the search [m].
_CLOSE = 1e-6
# Smallest sine of the angle between two bearings that counts as one: nearly parallel lines meet
# anywhere.
_PARALLEL = 1e-3
# A standard deviation above the distance to the nearest place says nothing of where the source is.
# A lower bound would do harm: what passes it is mostly what seems nearer than it is.
_LARGEST_SHARE = 1.0


class Bearing(NamedTuple):
    """The azimuth of a source, seen from a known place.

    Attributes:
        x, y: the place of the array [m], in a frame that all bearings share.
        azimuth: of the source in that frame [rad], counter-clockwise from +x.
        stddev: standard deviation of the azimuth [rad].
    """

    x: float
    y: float
    azimuth: float
    stddev: float


class PositionFix(NamedTuple):
    """Where a source is.

    Attributes:
        x, y: position [m], in the frame of the bearings.
        covariance: of x and y [m^2], shape (2, 2).
        misfit: sum of the squared errors of the bearings, in standard deviations. Where they are
            of one source that stands still, it follows the chi-squared distribution with two
            degrees of freedom less than there are bearings.
    """

    x: float
    y: float
    covariance: np.ndarray
    misfit: float


def triangulate(bearings: Sequence[Bearing]) -> PositionFix:
    """Return where a source is.

    Its height does not matter: azimuths are those of the horizontal plane. The covariance is that
    of small errors: 92 to 96 % of the true positions lie within its ellipse of 95 % where two
    bearings differ by 30 degrees or more and their standard deviations are 5 degrees or less.

    Args:
        bearings: two or more, from different places, with independent errors. Those of successive
            windows are not: take some that lie half a second or more apart.

    Raises:
        TriangulationError: the bearings are parallel or meet behind a place, or their standard
            deviations allow a position anywhere.

    Example:
        >>> left, right = Bearing(0, 1, -0.5, 0.05), Bearing(0, -1, 0.5, 0.05)
        >>> fix = triangulate([left, right])
        >>> round(fix.x, 2), round(fix.y, 2)
        (1.83, 0.0)
    """
    x, y, azimuths, stddevs = np.array(bearings, dtype=float).reshape(-1, 4).T
    if not (np.isfinite([x, y, azimuths]).all() and np.all((0 < stddevs) & (stddevs < np.inf))):
        raise TriangulationError('a bearing without place, azimuth or standard deviation')
    places, weights = np.stack([x, y], axis=-1), stddevs**-2
    position = _crossing(places, azimuths, weights)
    for _ in range(_MOST_STEPS):
        _, information, gradient = _linearized(position, places, azimuths, weights)
        step = _solve(information, gradient)
        # No farther at once than the nearest place is: beyond that, the line is none.
        nearest = np.linalg.norm(position - places, axis=1).min()
        step *= min(1.0, nearest / max(np.linalg.norm(step), _CLOSE))
        position = position + step
        if np.linalg.norm(step) < _CLOSE:
            break
    else:
        raise TriangulationError('the bearings lead nowhere: their errors are too large')
    errors, information, _ = _linearized(position, places, azimuths, weights)
    covariance = np.linalg.inv(information)
    nearest = np.linalg.norm(position - places, axis=1).min()
    if np.linalg.eigvalsh(covariance)[-1] > (_LARGEST_SHARE * nearest) ** 2:
        raise TriangulationError('the bearings are too much alike for their standard deviations')
    return PositionFix(
        float(position[0]), float(position[1]), covariance, float(weights @ errors**2)
    )


def _crossing(places: np.ndarray, azimuths: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the point with the smallest squared distances to the lines of the bearings."""
    normals = np.stack([-np.sin(azimuths), np.cos(azimuths)], axis=-1)
    information = (normals.T * weights) @ normals
    return _solve(information, (normals.T * weights) @ np.sum(normals * places, axis=1))


def _solve(information: np.ndarray, vector: np.ndarray) -> np.ndarray:
    if not np.linalg.cond(information) < _PARALLEL**-2:
        raise TriangulationError('the bearings are parallel, or there are fewer than two')
    return np.linalg.solve(information, vector)


def _linearized(
    position: np.ndarray, places: np.ndarray, azimuths: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the errors of the bearings, shape (bearings,), information matrix and gradient."""
    dx, dy = (position - places).T
    squared = dx**2 + dy**2
    if squared.min() < _CLOSE**2:
        raise TriangulationError('the bearings meet at an array')
    errors = wrap_angle(azimuths - np.arctan2(dy, dx))
    if np.abs(errors).max() > np.pi / 2:
        raise TriangulationError('the bearings meet behind an array: they are of two sources')
    slopes = np.stack([-dy, dx]) / squared
    return errors, (slopes * weights) @ slopes.T, slopes @ (weights * errors)
