# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Estimates, tracks, targets and spectra as messages."""

from collections.abc import Iterable, Sequence
import math

from geometry_msgs.msg import Pose, PoseStamped, Quaternion, Vector3, Vector3Stamped
import numpy as np
from std_msgs.msg import Header

from doa_ros.conversions.numbers import HALF_TURN, check_age, floats
from doa_ros.core.directions import DirectionGrid
from doa_ros.core.errors import MessageError
from doa_ros.core.geometry import quaternion_towards, unit_vector
from doa_ros.core.localization.decoding import Estimate
from doa_ros.core.localization.spectrum import Spectrum
from doa_ros.core.localization.window_directions import WindowDirections
from doa_ros.core.tracking.track import Track
from doa_ros.headers import check_header
from doa_ros.looks import shown_elevation
from doa_ros.msg import DoaEstimate, DoaEstimateArray, DoaSpectrum, DoaTrack, DoaTrackArray

# More than the time between windows [s], and the standard deviation of an angle [rad] can be.
_LONGEST_HOP = 10.0
_WIDEST = 1e3
# No probability, rounded, is above this.
_MOST_PROBABLE = 1.01
# As many directions as this are none.
_MOST_ESTIMATES = 360


def estimate_array(header: Header, directions: WindowDirections) -> DoaEstimateArray:
    """Return the message of the directions in a window.

    Args:
        header: of the window.
        directions: in the mounted frame, highest confidence first.
    """
    return DoaEstimateArray(
        header=header,
        window_duration=float(directions.window),
        hop=float(directions.hop),
        sound_age=float(directions.sound_age),
        estimates=[_estimate_message(e) for e in directions.estimates],
    )


def _estimate_message(estimate: Estimate | Track) -> DoaEstimate:
    # The generated code aborts the process on a NumPy scalar.
    return DoaEstimate(
        azimuth=float(estimate.azimuth),
        elevation=float(estimate.elevation),
        azimuth_stddev=float(estimate.azimuth_stddev),
        elevation_stddev=float(estimate.elevation_stddev),
        confidence=float(estimate.confidence),
    )


def directions_of(message: DoaEstimateArray) -> WindowDirections:
    """Return the directions in a message.

    Raises:
        MessageError: an angle, a confidence, the hop or the age is not usable, or there are too
            many.
    """
    check_header(message.header)
    if not 0 < message.hop <= _LONGEST_HOP:
        raise MessageError(f'directions cannot come every {message.hop:g} s')
    check_age(message.sound_age)
    _check_count(message.estimates)
    return WindowDirections(
        tuple(_estimate_of(e) for e in message.estimates),
        message.window_duration,
        message.hop,
        message.sound_age,
    )


def _check_count(directions: Sequence) -> None:
    if len(directions) > _MOST_ESTIMATES:
        raise MessageError(f'{len(directions)} estimates are no directions of sound')


def _estimate_of(message: DoaEstimate) -> Estimate:
    deviations = message.azimuth_stddev, message.elevation_stddev
    if not (
        abs(message.azimuth) <= HALF_TURN
        and (math.isnan(message.elevation) or abs(message.elevation) <= HALF_TURN / 2)
        and all(_unknown_or_positive(d) for d in deviations)
        and 0 <= message.confidence <= 1
    ):
        raise MessageError(
            f'estimate with azimuth {message.azimuth:g}, elevation {message.elevation:g}, '
            f'standard deviations {deviations[0]:g} and {deviations[1]:g}, confidence '
            f'{message.confidence:g}'
        )
    return Estimate(message.azimuth, message.elevation, *deviations, message.confidence)


def _unknown_or_positive(value: float) -> bool:
    return math.isnan(value) or 0 <= value <= _WIDEST


def track_array(header: Header, tracks: Iterable[Track]) -> DoaTrackArray:
    """Return the message of tracks that are confirmed.

    Args:
        header: of the analysed window.
        tracks: highest confidence first.
    """
    return DoaTrackArray(
        header=header,
        tracks=[
            DoaTrack(
                track_id=track.id,
                estimate=_estimate_message(track),
                azimuth_rate=float(track.azimuth_rate),
                elevation_rate=float(track.elevation_rate),
                azimuth_rate_stddev=float(track.azimuth_rate_stddev),
                elevation_rate_stddev=float(track.elevation_rate_stddev),
                age=float(track.age),
                predicted=track.predicted,
            )
            for track in tracks
        ],
    )


def tracks_of(message: DoaTrackArray) -> tuple[Track, ...]:
    """Return the tracks in a message.

    Raises:
        MessageError: an id, an angle, a rate, a confidence or an age is not usable, or there are
            too many.
    """
    check_header(message.header)
    _check_count(message.tracks)
    tracks = []
    for track in message.tracks:
        estimate = _estimate_of(track.estimate)
        check_age(track.age)
        if not (
            math.isfinite(track.azimuth_rate)
            and not math.isinf(track.elevation_rate)
            and _unknown_or_positive(track.azimuth_rate_stddev)
            and _unknown_or_positive(track.elevation_rate_stddev)
        ):
            raise MessageError(
                f'track with rates {track.azimuth_rate:g} and {track.elevation_rate:g}, standard '
                f'deviations {track.azimuth_rate_stddev:g} and {track.elevation_rate_stddev:g}'
            )
        tracks.append(
            Track(
                id=track.track_id,
                azimuth=estimate.azimuth,
                elevation=estimate.elevation,
                azimuth_stddev=estimate.azimuth_stddev,
                elevation_stddev=estimate.elevation_stddev,
                confidence=estimate.confidence,
                azimuth_rate=track.azimuth_rate,
                elevation_rate=track.elevation_rate,
                azimuth_rate_stddev=track.azimuth_rate_stddev,
                elevation_rate_stddev=track.elevation_rate_stddev,
                age=track.age,
                confirmed=True,
                predicted=track.predicted,
            )
        )
    ids = {track.id for track in tracks}
    if 0 in ids or len(ids) < len(tracks):
        raise MessageError('tracks without an id, or two with the same')
    return tuple(tracks)


def target_pose(header: Header, track: Track) -> PoseStamped:
    """Return a pose at the array whose x axis points to a talker."""
    return PoseStamped(header=header, pose=pose_towards(track))


def target_vector(header: Header, track: Track) -> Vector3Stamped:
    """Return the unit vector to a talker."""
    x, y, z = unit_vector(track.azimuth, shown_elevation(track)).tolist()
    return Vector3Stamped(header=header, vector=Vector3(x=x, y=y, z=z))


def spectrum_message(
    header: Header, window: float, spectrum: Spectrum, grid: DirectionGrid
) -> DoaSpectrum:
    """Return the message of a spectrum.

    Args:
        header: of the window.
        window: its length [s].
        spectrum: in the mounted frame.
        grid: the directions that its classes stand for.
    """
    message = DoaSpectrum(
        header=header,
        window_duration=window,
        azimuth_step=grid.azimuth_step,
    )
    message.azimuth_probability = floats(spectrum.azimuth_distribution)
    elevation = spectrum.elevation_distribution
    if elevation is not None:
        message.elevation_min = grid.elevation_min
        message.elevation_step = grid.elevation_step
        message.elevation_probability = floats(elevation)
    return message


def azimuth_spectrum_of(message: DoaSpectrum) -> tuple[np.ndarray, float, float]:
    """Return the azimuths of a spectrum in a message.

    Returns:
        Their probabilities, shape (azimuths,); the azimuth of the first, and from one to the next
        [rad].

    Raises:
        MessageError: an angle or a probability is not usable, or there are too many.
    """
    check_header(message.header)
    _check_count(message.azimuth_probability)
    probability = np.array(message.azimuth_probability, dtype=np.float32)
    if not (
        abs(message.azimuth_min) <= HALF_TURN
        and 0 < message.azimuth_step <= HALF_TURN
        and (np.abs(probability) <= _MOST_PROBABLE).all()
    ):
        raise MessageError('spectrum with angles or probabilities that are none')
    return probability, message.azimuth_min, message.azimuth_step


def pose_towards(direction: Estimate | Track) -> Pose:
    """Return a pose at the array whose x axis has a direction."""
    x, y, z, w = quaternion_towards(direction.azimuth, shown_elevation(direction))
    return Pose(orientation=Quaternion(x=x, y=y, z=z, w=w))
