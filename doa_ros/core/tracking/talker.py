# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A talker: direction and velocity on the sphere, their covariance, and evidence for the talker.

Lengths on the sphere are arcs [rad] towards east (growing azimuth) and north (growing elevation):
the higher a talker is, the shorter is the arc of a degree of azimuth.
"""

from collections.abc import Iterable
import math
from typing import NamedTuple

from doa_ros.core.ambiguity import Ambiguity
from doa_ros.core.directions import PEAK_SEPARATION
from doa_ros.core.tracking.config import TrackerConfig
from doa_ros.core.tracking.course import CourseFolder
from doa_ros.core.tracking.kalman import Extrapolation, KalmanFilter
from doa_ros.core.tracking.motion import Motion
from doa_ros.core.tracking.track import Track
from doa_ros.core.units import NANOSECONDS

# Standard deviation of an unknown azimuth, which is uniformly distributed [rad].
_AZIMUTH_STDDEV_MAX = math.pi / math.sqrt(3)
# Azimuth and arc are converted into each other as if no talker were nearer to the zenith [1].
_COSINE_MIN = math.cos(math.radians(85))
# A talker counts as speaking for so long after it was heard [s]: longer than the pauses within a
# sentence, shorter than a turn of another talker.
_SPEAKING_TIME = 1.6
_UNKNOWN = Extrapolation(math.nan, math.nan, math.nan, math.nan)


class WindowTime(NamedTuple):
    """The times of an analysis window [ns].

    Attributes:
        stamp: of the window.
        sound_time: when the sound that its detections show was made, on average.
    """

    stamp: int
    sound_time: int


class Observation(NamedTuple):
    """A detection as the filters take it in.

    Attributes:
        azimuth, elevation: [rad], the latter None where it is not known.
        sine, cosine: of the elevation.
        east_variance, north_variance: along the arcs [rad^2].
        confidence: 0..1.
    """

    azimuth: float
    elevation: float | None
    sine: float
    cosine: float
    east_variance: float
    north_variance: float
    confidence: float


class Innovation(NamedTuple):
    """How far an observation lies from where it is predicted.

    Attributes:
        east, north: arcs [rad].
        arc: length of both together [rad].
        distance: squared Mahalanobis distance [1].
    """

    east: float
    north: float
    arc: float
    distance: float


class Talker:
    """A talker at the time of the sound that was heard last.

    Args:
        time: of the window in which the talker is heard first.
        observation: the detection that begins the track.
        config: the settings.
        folder: keeps it within the directions that the array can tell apart.

    Attributes:
        id: 0 until the track is confirmed.
        azimuth, elevation: [rad]; the latter 0 while it is not known.
        elevation_known: whether it is.
        east, north: the filters of both axes.
        sound_time: when the sound of the latest detection was made [ns].
        given_until: stamp [ns] up to which its track is given.
        score: evidence for the talker, less evidence against them, as a time [s].
        confidence: 0..1.
        predicted: whether it has no detection of its own in the latest window.
    """

    __slots__ = (
        '_confidence_time',
        '_cosine',
        '_detected',
        '_first_detected',
        '_folder',
        '_last_heard',
        '_sine',
        '_white_share',
        'azimuth',
        'confidence',
        'east',
        'elevation',
        'elevation_known',
        'given_until',
        'id',
        'north',
        'predicted',
        'score',
        'sound_time',
    )

    def __init__(
        self,
        time: WindowTime,
        observation: Observation,
        config: TrackerConfig,
        folder: CourseFolder,
    ):
        self._folder, self._confidence_time = folder, config.confidence_time
        self._white_share = config.white_error_share
        self.id = 0
        self.elevation_known = observation.elevation is not None
        velocity = math.radians(config.initial_velocity_deg)
        self.east = KalmanFilter(observation.east_variance, velocity**2, self._white_share)
        self.north = KalmanFilter(
            observation.north_variance,
            (config.elevation_motion_ratio * velocity) ** 2,
            self._white_share,
        )
        self._turn_to(observation.azimuth, observation.elevation or 0.0)
        # Stamps [ns] of the first detection, of the latest, and of the latest that may be its own.
        self._first_detected = self._detected = self._last_heard = time.stamp
        self.given_until = time.stamp
        self.sound_time = time.sound_time
        self.score = 0.0
        self.confidence = observation.confidence
        self.predicted = False

    def innovations(
        self, observations: Iterable[Observation], gate: float
    ) -> dict[int, Innovation]:
        """Return how far observations that may be the talker's lie from here, by their numbers.

        They are within the gate, or as near as one peak is to another.

        Args:
            observations: any.
            gate: largest squared Mahalanobis distance [1].
        """
        innovations = {}
        sine, cosine, sin, cos, hypot = self._sine, self._cosine, math.sin, math.cos, math.hypot
        white_share, east_error, north_error = self._white_share, self.east.error, self.north.error
        predicted_east = self.east.predicted_variance()
        predicted_north = self.north.predicted_variance()
        for number, observation in enumerate(observations):
            azimuth, elevation, to_sine, to_cosine, east_var, north_var, _ = observation
            turn = azimuth - self.azimuth
            compared = self.elevation_known and elevation is not None
            if not compared:
                to_sine, to_cosine = sine, cosine
            along = to_cosine * cos(turn)
            east, north = to_cosine * sin(turn), cosine * to_sine - sine * along
            chord = hypot(east, north)
            if chord > 0:
                # The same bearing, as far away as the great circle is long.
                scale = math.atan2(chord, sine * to_sine + cosine * along) / chord
                east, north = scale * east, scale * north
            east -= east_error
            distance = east * east / (predicted_east + white_share * east_var)
            if compared:
                north -= north_error
                distance += north * north / (predicted_north + white_share * north_var)
            arc = hypot(east, north)
            if distance <= gate or arc <= PEAK_SEPARATION:
                innovations[number] = Innovation(east, north, arc, distance)
        return innovations

    def predict(self, motion: Motion, error_factor: float) -> None:
        """Go on in time.

        Args:
            motion: how.
            error_factor: by which the correlated error of detections decays.
        """
        east_density, north_density = motion.densities(self.east.velocity, self.north.velocity)
        # At constant elevation: talkers walk around the array rather than over it.
        east = self.east.predict(motion.transition, east_density, error_factor)
        turn = east * self._azimuth_per_arc()
        climb = self.north.predict(motion.transition, north_density, error_factor)
        self._turn_to(self.azimuth + turn, self.elevation + climb)

    def update(
        self,
        observation: Observation,
        innovation: Innovation,
        inflation: float,
        added_variance: float,
    ) -> None:
        """Take in an observation.

        Args:
            observation: what was heard.
            innovation: how far it lies from here.
            inflation: factor of the innovation's variances.
            added_variance: what is then added to them [rad^2].
        """
        east_variance, north_variance = observation.east_variance, observation.north_variance
        east = self.east.update(innovation.east, east_variance, inflation, added_variance)
        north = 0.0
        if observation.elevation is not None:
            if self.elevation_known:
                north = self.north.update(
                    innovation.north, north_variance, inflation, added_variance
                )
            else:
                self._turn_to(self.azimuth, observation.elevation)
                self.elevation_known = True
                self.north = KalmanFilter(north_variance, self.north.p_vv, self._white_share)
        self._follow_great_circle(east, north)

    def note_detection(self, time: WindowTime, confidence: float, duration: float) -> None:
        """Take in that the talker was detected in a window.

        Args:
            time: of the window.
            confidence: of the detection, 0..1.
            duration: the time that the window stands for [s].
        """
        self.predicted = False
        self._detected = self._last_heard = time.stamp
        self.sound_time = time.sound_time
        self._add_evidence(confidence, duration)

    def note_miss(self, time: WindowTime, duration: float, *, unresolved: bool) -> None:
        """Take in that the talker was not detected in a window.

        Args:
            time, duration: as in `note_detection`.
            unresolved: whether the detection of a talker nearby may be that of this one.
        """
        self.predicted = True
        if unresolved:
            self._last_heard = time.stamp
        self._add_evidence(0.0, duration)

    def _add_evidence(self, confidence: float, duration: float) -> None:
        self.score += score_rate(confidence) * duration
        share = 1 - math.exp(-duration / self._confidence_time)
        self.confidence += share * (confidence - self.confidence)

    def is_heard(self, stamp: int) -> bool:
        """Return whether a detection at a stamp [ns] is that of the talker, or may be."""
        return self._last_heard == stamp

    def is_speaking(self, stamp: int) -> bool:
        """Return whether the talker speaks, or pauses within a sentence, at a stamp [ns]."""
        return stamp - self._last_heard <= _SPEAKING_TIME * NANOSECONDS

    def unheard_for(self, stamp: int) -> int:
        """Return the time from the latest detection that may be its own to a stamp [ns]."""
        return stamp - self._last_heard

    def undetected_for(self, stamp: int) -> int:
        """Return the time from the latest detection of its own to a stamp [ns]."""
        return stamp - self._detected

    def track(self, stamp: int, motion: Motion, ambiguity: Ambiguity) -> Track:
        """Return this talker at a stamp [ns], to which a motion leads.

        No averaging of detections lowers the error that the array's size makes in all of them: it
        is added here.
        """
        east_density, north_density = motion.densities(self.east.velocity, self.north.velocity)
        east = self.east.extrapolate(motion.transition, east_density)
        north = self.north.extrapolate(motion.transition, north_density)
        per_arc = self._azimuth_per_arc()
        azimuth, elevation, _, _ = self._folder.fold(
            self.azimuth + per_arc * east.arc,
            self.elevation + north.arc,
            east.velocity,
            north.velocity,
        )
        size_stddev = ambiguity.elevation_stddev(azimuth, elevation)
        if not self.elevation_known:
            elevation, north = math.nan, _UNKNOWN
        return Track(
            self.id,
            azimuth,
            elevation,
            per_arc * east.velocity,
            north.velocity,
            min(per_arc * math.sqrt(east.arc_variance), _AZIMUTH_STDDEV_MAX),
            math.sqrt(north.arc_variance + size_stddev**2),
            per_arc * math.sqrt(east.velocity_variance),
            math.sqrt(north.velocity_variance),
            self.confidence,
            (stamp - self._first_detected) / NANOSECONDS,
            self.id > 0,
            self.predicted,
        )

    def _follow_great_circle(self, east: float, north: float) -> None:
        """Move by the arcs of a great circle."""
        arc = math.hypot(east, north)
        if arc == 0:
            return
        scale, along = math.sin(arc) / arc, math.cos(arc)
        sine, cosine = self._sine, self._cosine
        ahead = cosine * along - sine * scale * north
        self._turn_to(
            self.azimuth + math.atan2(scale * east, ahead),
            math.atan2(sine * along + cosine * scale * north, math.hypot(ahead, scale * east)),
        )

    def _turn_to(self, azimuth: float, elevation: float) -> None:
        """Set the direction; one that the array never gives is folded to the one that it does."""
        self.azimuth, self.elevation, self.east.velocity, self.north.velocity = self._folder.fold(
            azimuth, elevation, self.east.velocity, self.north.velocity
        )
        self._sine, self._cosine = math.sin(self.elevation), math.cos(self.elevation)

    def _azimuth_per_arc(self) -> float:
        return 1 / (self._cosine if self._cosine > _COSINE_MIN else _COSINE_MIN)


def score_rate(confidence: float) -> float:
    """Return how much evidence a window is for a talker, per second of it, -1/2..1.

    Args:
        confidence: of the talker's detection, 0..1; 0 without one.
    """
    return 1.5 * confidence - 0.5
