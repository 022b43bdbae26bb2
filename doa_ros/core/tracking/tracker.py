# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""From what is detected in successive frames to talkers that keep their identity.

A Kalman filter per talker on the sphere, with constant velocity and white acceleration noise, and
global nearest neighbour association: Y. Bar-Shalom, X. Li and T. Kirubarajan, "Estimation with
Applications to Tracking and Navigation", Wiley, 2001; S. Blackman and R. Popoli, "Design and
Analysis of Modern Tracking Systems", Artech House, 1999. Lengths on the sphere are arcs [rad]
towards east (growing azimuth) and north (growing elevation), so that the azimuth counts less the
higher a talker is.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
import math
from typing import NamedTuple

from scipy.optimize import linear_sum_assignment

from doa_ros.core.ambiguity import HORIZONTAL, Ambiguity
from doa_ros.core.config import Config, setting
from doa_ros.core.localization.decoding import PEAK_SEPARATION, Estimate

_NANOSECONDS = 1e9
# Mean age of the sound in half a second of steady recursive averaging [s].
_USUAL_AGE = 0.15
# Sound is new to a talker when it is so much younger than what he was last heard in [s].
_LEAST_NEWS = 1e-3
# A talker is not begun by a less confident detection, which may still be of one who is known.
_LEAST_TO_BEGIN = 0.7
_ROUNDING = 1e-9
# No direction is more doubtful than with this confidence.
_LEAST_CONFIDENCE = 0.01
# Of a crowd of detections only the most confident are looked at, and only so many tracks are kept.
_MOST = 16
# Standard deviation of a detection that does not say its own [rad].
_UNKNOWN_STDDEV = math.radians(10)
# The azimuth of an even distribution has this standard deviation [rad].
_ANYWHERE = math.pi / math.sqrt(3)
# Nearer to the zenith than this, azimuth and arc are not converted into each other [1].
_LEAST_COSINE = math.cos(math.radians(85))
# Two talkers so near to each other that one of them may be heard only, take part in speaking
# while each was heard in the last so long [s].
_SPEAKING = 1.6
# Time constant of the confidence of a track [s].
_CONFIDENCE_TIME = 0.5
# Cost of taking a detection for that of a talker who is not yet known, or was not speaking.
_UNLIKELY = 12.0
# Spread of a typical track, to which others are compared [rad].
_TYPICAL = math.radians(5)
# Cost of a track without a detection, above that of any it may have; and of one it may not have.
_UNHEARD = 30.0
_FORBIDDEN = 1e6
# How much more the velocity of a talker changes in a second while he is not heard: he may begin to
# walk, or stop [rad/s].
_UNHEARD_ACCELERATION = math.radians(5)
# Share of the variance of a detection that it has not in common with those shortly before [1].
_WHITE = 0.07
# Talkers change their elevation less than their azimuth, by this factor [1].
_CLIMB = 0.12


@dataclass(frozen=True)
class TrackerConfig(Config):
    """How talkers move, and when they are believed in."""

    track_timeout: float = setting(
        2.5,
        'A track ends when nothing was heard of it for this time [s].',
        minimum=0.1,
        maximum=60.0,
    )
    confirmation_time: float = setting(
        0.12,
        'A new track is confirmed when this much time speaks for it [s]: a frame with a detection '
        'of confidence 1 adds hop, one of confidence 1/3 adds nothing, a frame without any takes '
        'half of hop away.',
        minimum=0.0,
        maximum=5.0,
    )
    observation_delay: float = setting(
        0.03,
        'How far a detection lags behind the mean time of its sound [s].',
        minimum=0.0,
        maximum=2.0,
    )
    error_correlation_time: float = setting(
        0.05,
        'For how long the errors of detections are alike [s].',
        minimum=0.001,
        maximum=5.0,
    )
    acceleration_deg: float = setting(
        6.0,
        'How much the angular velocity of a talker changes in a second, as a standard deviation '
        '[deg/s].',
        minimum=0.1,
        maximum=1000.0,
    )
    manoeuvre_gain: float = setting(
        0.2,
        'How much more it changes per angular velocity: who walks may turn or stop [1].',
        minimum=0.0,
        maximum=10.0,
    )
    initial_velocity_deg: float = setting(
        80.0,
        'Angular velocity of a new talker, as a standard deviation [deg/s].',
        minimum=0.0,
        maximum=1000.0,
    )
    velocity_decay_time: float = setting(
        8.0,
        'Where nothing is heard, the velocity decays with this time constant [s].',
        minimum=0.05,
        maximum=60.0,
    )
    observation_stddev_min_deg: float = setting(
        5.0,
        'Smallest standard deviation a detection is believed to have [deg].',
        minimum=0.1,
        maximum=90.0,
    )
    gate_sigma: float = setting(
        8.0,
        'Largest distance of a detection from a track it belongs to, in standard deviations [1].',
        minimum=1.0,
        maximum=10.0,
    )


class Track(NamedTuple):
    """A talker who is followed, at the time of a frame.

    Attributes:
        id: 1 or more; never that of another talker. 0 until the track is confirmed.
        azimuth: [rad] in (-pi, pi].
        elevation: [rad], as low as answers of the array lie; NaN while not known.
        azimuth_rate, elevation_rate: angular velocity [rad/s]; the latter NaN while not known.
        azimuth_stddev, elevation_stddev: standard deviations [rad].
        azimuth_rate_stddev, elevation_rate_stddev: standard deviations [rad/s].
        confidence: mean of those of its detections in about the last half a second, 0..1; a frame
            without a detection counts as 0.
        age: time since its first detection [s].
        confirmed: whether enough was heard to believe in it.
        predicted: whether this frame had no detection of its own for it.
    """

    id: int
    azimuth: float
    elevation: float
    azimuth_rate: float
    elevation_rate: float
    azimuth_stddev: float
    elevation_stddev: float
    azimuth_rate_stddev: float
    elevation_rate_stddev: float
    confidence: float
    age: float
    confirmed: bool
    predicted: bool


class _Motion(NamedTuple):
    """How a talker goes on in time.

    Attributes:
        step: time [s].
        keep: factor of the velocity after this time.
        reach: integral of that factor over the time [s].
        acceleration: square root of the spectral density of the acceleration [rad/s^1.5].
    """

    step: float
    keep: float
    reach: float
    acceleration: float


class _Axis:
    """A Kalman filter of the motion along one direction of the tangent plane.

    Its state is the arc from where the tangent plane touches, which is the direction of the track,
    so that the arc is 0 after each step; the velocity; and the error that detections have in
    common with those shortly before, a first-order Gauss-Markov process.
    """

    __slots__ = (
        'noise', 'velocity', 'error', 'arc_variance', 'velocity_variance', 'error_variance',
        'arc_velocity', 'arc_error', 'velocity_error',
    )  # fmt: skip

    def __init__(self, noise: float, velocity_variance: float):
        """Begin where an observation of variance `noise` [rad^2] was made."""
        self.noise = noise
        self.velocity = self.error = 0.0
        self.arc_variance = noise
        self.velocity_variance = velocity_variance
        self.error_variance = (1 - _WHITE) * noise
        # Covariances.
        self.arc_error = -self.error_variance
        self.arc_velocity = self.velocity_error = 0.0

    def ahead(self, motion: _Motion, scale: float) -> tuple[float, float, float, float]:
        """Return where this goes: arc, velocity and the variances of both.

        Args:
            motion: how.
            scale: factor of its acceleration.
        """
        step, keep, reach, acceleration = motion
        noise = (scale * acceleration) ** 2 * step
        arc_variance = self.arc_variance + noise * step * step / 3
        arc_variance += reach * (2 * self.arc_velocity + reach * self.velocity_variance)
        velocity_variance = keep * keep * self.velocity_variance + noise
        return reach * self.velocity, keep * self.velocity, arc_variance, velocity_variance

    def predict(self, motion: _Motion, scale: float, error_keep: float) -> float:
        """Go on in time, see `ahead`, and return the arc covered [rad].

        Args:
            motion, scale: see there.
            error_keep: factor by which the common error decays.
        """
        step, keep, reach, acceleration = motion
        covariance = keep * (self.arc_velocity + reach * self.velocity_variance)
        arc, self.velocity, self.arc_variance, self.velocity_variance = self.ahead(motion, scale)
        self.arc_velocity = covariance + (scale * acceleration * step) ** 2 / 2
        self.error *= error_keep
        self.arc_error = error_keep * (self.arc_error + reach * self.velocity_error)
        self.velocity_error *= error_keep * keep
        lasting = error_keep * error_keep
        self.error_variance *= lasting
        self.error_variance += (1 - lasting) * (1 - _WHITE) * self.noise
        return arc

    def spread(self, noise: float) -> float:
        """Return the variance of the innovation by an observation of variance `noise` [rad^2]."""
        return self.arc_variance + 2 * self.arc_error + self.error_variance + _WHITE * noise

    def update(self, innovation: float, noise: float, weaken: float, add: float) -> float:
        """Take in an arc to an observation, less the common error, and return the arc to go [rad].

        Args:
            innovation: the arc [rad].
            noise: variance of the observation [rad^2].
            weaken: factor of the variance of the innovation.
            add: variance to add to that [rad^2].
        """
        self.noise = noise
        spread = weaken * self.spread(noise) + add
        arc = self.arc_variance + self.arc_error
        velocity = self.arc_velocity + self.velocity_error
        error = self.arc_error + self.error_variance
        # The gains.
        of_arc, of_velocity, of_error = arc / spread, velocity / spread, error / spread
        self.velocity += of_velocity * innovation
        self.error += of_error * innovation
        # Rounding must not make them negative.
        self.arc_variance = max(self.arc_variance - of_arc * arc, 0.0)
        self.velocity_variance = max(self.velocity_variance - of_velocity * velocity, 0.0)
        self.error_variance -= of_error * error
        self.arc_velocity -= of_arc * velocity
        self.arc_error -= of_arc * error
        self.velocity_error -= of_velocity * error
        return of_arc * innovation


class _Observation(NamedTuple):
    """A detection as the filters take it in, in plain floats.

    Attributes:
        azimuth, elevation: [rad], the latter None while not known; sine and cosine are its.
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


class _Match(NamedTuple):
    """How far an observation lies from a talker.

    Attributes:
        east, north: arcs [rad], less the error in common.
        arc: length of both together [rad].
        distance: squared Mahalanobis distance [1].
    """

    east: float
    north: float
    arc: float
    distance: float


class _Answers:
    """Keeps what moves on the sphere within the directions that an array can tell.

    Attributes:
        lowest: the lowest elevation [rad].
    """

    def __init__(self, ambiguity: Ambiguity):
        level, self._side = ambiguity.horizontal, None
        self.lowest = 0.0 if level else -math.pi / 2
        if not level and ambiguity.side is not None:
            self._side = ambiguity.side.tolist()

    def entered(
        self, azimuth: float, elevation: float, east: float, north: float
    ) -> tuple[float, float, tuple[float, float]]:
        """Return a direction and its velocity there, where it has left them.

        Args:
            azimuth: not wrapped [rad].
            elevation: may lie beyond the zenith [rad].
            east, north: velocity along the arcs [rad/s].

        Returns:
            Azimuth in (-pi, pi] and elevation [rad], and the velocities.
        """
        if elevation > math.pi / 2:
            azimuth, elevation = azimuth + math.pi, math.pi - elevation
            east, north = -east, -north
        elif elevation < self.lowest:
            if self.lowest < 0:
                azimuth, elevation = azimuth + math.pi, -math.pi - elevation
                east, north = -east, -north
            else:
                elevation, north = 0.0, max(north, 0.0)
        if self._side is None:
            return _wrap(azimuth), elevation, (east, north)
        return self._mirrored(_wrap(azimuth), elevation, east, north)

    def _mirrored(self, azimuth, elevation, east, north):
        """Return the same on the other side where it is behind the array."""
        ahead, left, up = _tangents(azimuth, elevation)
        behind = _dot(ahead, self._side)
        if behind >= 0:
            return azimuth, elevation, (east, north)
        velocity = [east * a + north * b for a, b in zip(left, up, strict=True)]
        x, y, z = self._reflected(ahead)
        velocity = self._reflected(velocity)
        azimuth, elevation = math.atan2(y, x), math.atan2(z, math.hypot(x, y))
        _, left, up = _tangents(azimuth, elevation)
        return azimuth, elevation, (_dot(velocity, left), _dot(velocity, up))

    def _reflected(self, vector):
        along = 2 * _dot(vector, self._side)
        return [v - along * s for v, s in zip(vector, self._side, strict=True)]


def _tangents(azimuth: float, elevation: float):
    """Return the unit vectors of a direction and, square to it, towards east and north."""
    cos, sin = math.cos(azimuth), math.sin(azimuth)
    level, high = math.cos(elevation), math.sin(elevation)
    return (level * cos, level * sin, high), (-sin, cos, 0.0), (-high * cos, -high * sin, level)


def _dot(first, second) -> float:
    return sum(a * b for a, b in zip(first, second, strict=True))


class _Talker:
    """A talker at the time of the sound that was heard last."""

    __slots__ = (
        'answers', 'id', 'azimuth', 'elevation', 'elevation_known', 'sine', 'cosine', 'east',
        'north', 'born', 'heard', 'noted', 'informed', 'evidence', 'confidence', 'predicted',
    )  # fmt: skip

    def __init__(
        self,
        stamp: int,
        time: int,
        observation: _Observation,
        velocity: float,
        answers: '_Answers',
    ):
        self.answers = answers
        self.id = 0
        self.elevation_known = observation.elevation is not None
        self.east = _Axis(observation.east_variance, velocity**2)
        self.north = _Axis(observation.north_variance, (_CLIMB * velocity) ** 2)
        self._face(observation.azimuth, observation.elevation or 0.0)
        # Stamps [ns] of the first detection, of the latest, and of the latest that may be its own.
        self.born = self.heard = self.noted = stamp
        # When the sound of the latest detection was made [ns].
        self.informed = time
        self.evidence = 0.0
        self.confidence = observation.confidence
        self.predicted = False

    def matches(self, observations: Iterable[_Observation]) -> list[_Match]:
        """Return how far observations lie from here."""
        matches = []
        sine, cosine, sin, cos, hypot = self.sine, self.cosine, math.sin, math.cos, math.hypot
        east_error, north_error = self.east.error, self.north.error
        east_spread, north_spread = self.east.spread(0.0), self.north.spread(0.0)
        for observation in observations:
            azimuth, elevation, to_sine, to_cosine, east_noise, north_noise, _ = observation
            turn = azimuth - self.azimuth
            compared = self.elevation_known and elevation is not None
            if not compared:
                to_sine, to_cosine = sine, cosine
            along = to_cosine * cos(turn)
            east, north = to_cosine * sin(turn), cosine * to_sine - sine * along
            chord = hypot(east, north)
            if chord > 0:
                # The same direction, as far away as the great circle is long.
                scale = math.atan2(chord, sine * to_sine + cosine * along) / chord
                east, north = scale * east, scale * north
            east -= east_error
            distance = east * east / (east_spread + _WHITE * east_noise)
            if compared:
                north -= north_error
                distance += north * north / (north_spread + _WHITE * north_noise)
            matches.append(_Match(east, north, hypot(east, north), distance))
        return matches

    def predict(self, motion: _Motion, keep: float) -> None:
        """Go on in time; `keep` is the factor of the common error of detections."""
        # At constant elevation: talkers walk around the array rather than over it.
        turn = self.east.predict(motion, 1.0, keep) * self._per_arc()
        climb = self.north.predict(motion, _CLIMB, keep)
        self._face(self.azimuth + turn, self.elevation + climb)

    def update(self, observation: _Observation, match: _Match, weaken: float, add: float) -> None:
        """Take in an observation.

        Args:
            observation: what was heard.
            match: how far away it is.
            weaken: factor of its variances.
            add: variance to add to them [rad^2].
        """
        east = self.east.update(match.east, observation.east_variance, weaken, add)
        north = 0.0
        if observation.elevation is not None:
            if self.elevation_known:
                north = self.north.update(match.north, observation.north_variance, weaken, add)
            else:
                self._face(self.azimuth, observation.elevation)
                self.elevation_known = True
                self.north = _Axis(observation.north_variance, self.north.velocity_variance)
        self._move(east, north)

    def _move(self, east: float, north: float) -> None:
        """Go along a great circle."""
        arc = math.hypot(east, north)
        if arc == 0:
            return
        scale, along = math.sin(arc) / arc, math.cos(arc)
        sine, cosine = self.sine, self.cosine
        ahead = cosine * along - sine * scale * north
        self._face(
            self.azimuth + math.atan2(scale * east, ahead),
            math.atan2(sine * along + cosine * scale * north, math.hypot(ahead, scale * east)),
        )

    def _face(self, azimuth: float, elevation: float) -> None:
        """Take a new direction, which may lie beyond the zenith or be no answer of the array."""
        self.azimuth, self.elevation, velocities = self.answers.entered(
            azimuth, elevation, self.east.velocity, self.north.velocity
        )
        self.east.velocity, self.north.velocity = velocities
        self.sine, self.cosine = math.sin(self.elevation), math.cos(self.elevation)

    def _per_arc(self) -> float:
        """Return the azimuth per arc."""
        return 1 / max(self.cosine, _LEAST_COSINE)

    def track(self, stamp: int, motion: _Motion) -> Track:
        """Return this talker at a stamp [ns], to which a motion leads."""
        arc, turning, arc_variance, turning_variance = self.east.ahead(motion, 1.0)
        climb, climbing, climb_variance, climbing_variance = self.north.ahead(motion, _CLIMB)
        per_arc = self._per_arc()
        azimuth, elevation, _ = self.answers.entered(
            self.azimuth + per_arc * arc, self.elevation + climb, turning, climbing
        )
        if not self.elevation_known:
            elevation = climbing = climb_variance = climbing_variance = math.nan
        return Track(
            self.id,
            azimuth,
            elevation,
            per_arc * turning,
            climbing,
            min(per_arc * math.sqrt(arc_variance), _ANYWHERE),
            math.sqrt(climb_variance),
            per_arc * math.sqrt(turning_variance),
            math.sqrt(climbing_variance),
            self.confidence,
            (stamp - self.born) / _NANOSECONDS,
            self.id > 0,
            self.predicted,
        )


class Tracker:
    """Follows talkers from frame to frame.

    Time comes from the stamps alone, so that the same frames give the same tracks at any time.

    Args:
        config: the settings.
        hop: time between frames [s], where none is lost.
        ambiguity: which directions the array that hears the talkers can tell, in the frame of the
            detections; tracks leave them no more than detections do.
        first_id: of the first track; the others count on.
    """

    def __init__(
        self,
        config: TrackerConfig,
        hop: float = 0.05,
        ambiguity: Ambiguity = HORIZONTAL,
        *,
        first_id: int = 1,
    ):
        self._config = config
        self._answers = _Answers(ambiguity)
        self._hop = hop
        self._acceleration = math.radians(config.acceleration_deg)
        self._least_stddev = math.radians(config.observation_stddev_min_deg)
        self._next_id = first_id
        self.reset()

    def reset(self) -> None:
        """Forget all talkers; ids go on counting."""
        self._talkers: list[_Talker] = []
        self._stamp: int | None = None
        # When the sound in the latest frame was made [ns].
        self._time: int | None = None

    def update(
        self,
        stamp: int,
        detections: Sequence[Estimate],
        gap: bool = False,
        sound_age: float = _USUAL_AGE,
    ) -> tuple[Track, ...]:
        """Take in a frame.

        Args:
            stamp: its time [ns]. Where it goes back, another stream begins.
            detections: what was heard in it, with finite azimuths.
            gap: whether audio was lost before it, so that averaging has started anew; stamps that
                jump say so, too.
            sound_age: how long before `stamp` its sound was made on average [s]: the older, the
                farther from there the talker has gone, and sound that only gets older says
                nothing new.

        Returns:
            The tracks at this time, the confirmed ones first, the most confident of them first.
        """
        if self._stamp is not None and stamp < self._stamp:
            self.reset()
        time = stamp - round((sound_age + self._config.observation_delay) * _NANOSECONDS)
        if self._stamp is None:
            self._stamp, self._time = stamp - round(self._hop * _NANOSECONDS), time
        # Mean times grow, unless averaging starts anew.
        time = max(time, self._time)
        passed, step = (stamp - self._stamp) / _NANOSECONDS, (time - self._time) / _NANOSECONDS
        limit = round(self._config.track_timeout * _NANOSECONDS)
        self._talkers = [t for t in self._talkers if stamp - t.noted <= limit]
        # A box of some length is correlated like an exponential of half of it.
        gap = gap or passed > 1.5 * self._hop
        keep = 0.0 if gap else math.exp(-2 * step / self._config.error_correlation_time)
        for talker in self._talkers:
            heard = 2 * self._hop if talker.noted == self._stamp else 0.0
            talker.predict(self._motion(talker, step, heard), keep)
        self._stamp, self._time = stamp, time
        chosen = sorted(detections, key=lambda e: -e.confidence)[:_MOST]
        observations = [self._observation(detection) for detection in chosen]
        matches = [talker.matches(observations) for talker in self._talkers]
        assigned = self._assign(matches)
        # A long step says nothing about whether somebody spoke in it.
        self._take_in(observations, matches, assigned, min(passed, 2 * self._hop))
        taken = set(assigned.values())
        self._talkers += self._births([o for k, o in enumerate(observations) if k not in taken])
        self._talkers = [t for t in self._talkers if t.id or t.evidence > 0][:_MOST]
        for talker in self._talkers:
            # Rounding decides nothing.
            if not talker.id and talker.evidence >= self._config.confirmation_time - _ROUNDING:
                talker.id = self._next_id
                self._next_id += 1
        tracks = [self._track(talker) for talker in self._talkers]
        return tuple(sorted(tracks, key=lambda t: (not t.confirmed, -t.confidence, t.id)))

    def _track(self, talker: _Talker) -> Track:
        """Return where a talker is at the stamp, some time after the sound was made."""
        step = (self._stamp - self._time) / _NANOSECONDS
        heard = _USUAL_AGE + self._config.observation_delay if talker.noted == self._stamp else 0.0
        return talker.track(self._stamp, self._motion(talker, step, heard))

    def _motion(self, talker: _Talker, step: float, heard: float) -> _Motion:
        """Return how a talker goes on for a step [s], who was heard for the first part of it."""
        config = self._config
        speed = math.hypot(talker.east.velocity, talker.north.velocity)
        acceleration = self._acceleration + config.manoeuvre_gain * speed
        if not heard:
            acceleration += _UNHEARD_ACCELERATION
        steady = min(step, heard)
        keep = math.exp((steady - step) / config.velocity_decay_time)
        return _Motion(step, keep, steady + config.velocity_decay_time * (1 - keep), acceleration)

    def _observation(self, detection: Estimate) -> _Observation:
        least, confidence = self._least_stddev, float(detection.confidence)
        # Of what is doubtful, the direction is, too.
        doubt = 1 / math.sqrt(max(confidence, _LEAST_CONFIDENCE))
        east, north = (
            max(float(stddev) * doubt, least) if math.isfinite(stddev) else _UNKNOWN_STDDEV
            for stddev in (detection.azimuth_stddev, detection.elevation_stddev)
        )
        if not math.isfinite(detection.elevation):
            return _Observation(
                float(detection.azimuth), None, 0.0, 1.0, east**2, north**2, confidence
            )
        elevation = min(max(float(detection.elevation), self._answers.lowest), math.pi / 2)
        cosine = math.cos(elevation)
        return _Observation(
            float(detection.azimuth),
            elevation,
            math.sin(elevation),
            cosine,
            max(east * cosine, least) ** 2,
            north**2,
            confidence,
        )

    def _assign(self, matches: list[list[_Match]]) -> dict[int, int]:
        """Return which talker, by number, which observation belongs to."""
        costs = [self._costs(*pair) for pair in zip(self._talkers, matches, strict=True)]
        near = {
            (row, column)
            for row, of_talker in enumerate(costs)
            for column, cost in enumerate(of_talker)
            if cost < _FORBIDDEN
        }
        if len({row for row, _ in near}) == len({column for _, column in near}) == len(near):
            # Nobody's is anybody else's.
            return dict(near)
        talkers, count = len(costs), len(costs[0])
        unheard = [
            [_UNHEARD if k == row else _FORBIDDEN for k in range(talkers)]
            for row in range(talkers)
        ]
        rows, columns = linear_sum_assignment([a + b for a, b in zip(costs, unheard, strict=True)])
        return {
            row: column
            for row, column in zip(rows.tolist(), columns.tolist(), strict=True)
            if column < count
        }

    def _costs(self, talker: _Talker, matches: list[_Match]) -> list[float]:
        """Return twice the negative logarithm of how likely matches are, up to a constant."""
        gate = self._config.gate_sigma**2
        # The less is known of where he is, the less likely he is in one place.
        least = math.log(1 + talker.east.arc_variance / _TYPICAL**2)
        if not (talker.id and self._speaking(talker)):
            least += _UNLIKELY
        return [
            _FORBIDDEN
            if match.distance > gate and match.arc > PEAK_SEPARATION
            else min(min(match.distance, gate) + least, _UNHEARD - 1)
            for match in matches
        ]

    def _speaking(self, talker: _Talker) -> bool:
        return self._stamp - talker.noted <= _SPEAKING * _NANOSECONDS

    def _take_in(self, observations, matches, assigned, step: float) -> None:
        """Update the talkers that were heard, and note of the others that they were not."""
        shared = self._shared(matches, assigned)
        fade = math.exp(-step / _CONFIDENCE_TIME)
        for number, talker in enumerate(self._talkers):
            talker.predicted = number not in assigned
            confidence = 0.0
            if talker.predicted:
                if number in shared:
                    talker.noted = self._stamp
            else:
                column = assigned[number]
                observation, match = observations[column], matches[number][column]
                confidence = observation.confidence
                # What may belong to either of two says no more than that both are near.
                add = PEAK_SEPARATION**2 if number in shared else 0.0
                talker.update(observation, match, self._weaken(talker, match), add)
                talker.heard = talker.noted = self._stamp
                talker.informed = self._time
            talker.evidence += _evidence(confidence) * step
            talker.confidence += (1 - fade) * (confidence - talker.confidence)

    def _weaken(self, talker: _Talker, match: _Match) -> float:
        """Return by which factor the variance of an innovation grows."""
        # What was heard already says nothing new.
        news = max((self._time - talker.informed) / _NANOSECONDS, _LEAST_NEWS)
        # Beyond the gate, but near: no surprise counts for more than one at the gate.
        return max(1.0, self._hop / news) * max(1.0, match.distance / self._config.gate_sigma**2)

    def _shared(self, matches, assigned) -> set[int]:
        """Return the talkers, by number, of whom two are too near to each other to tell apart.

        One of the two was heard, and it is not known which.
        """
        shared = set()
        for number, talker in enumerate(self._talkers):
            if number in assigned or not talker.id or not self._speaking(talker):
                continue
            if self._stamp - talker.heard > self._config.track_timeout * _NANOSECONDS:
                continue
            for other, column in assigned.items():
                near = matches[number][column]
                if (
                    self._talkers[other].id
                    and self._speaking(self._talkers[other])
                    and near.arc < PEAK_SEPARATION
                ):
                    shared |= {number, other}
        return shared

    def _births(self, observations: list[_Observation]) -> list[_Talker]:
        """Return the talkers that observations begin which belong to nobody."""
        born = []
        velocity = math.radians(self._config.initial_velocity_deg)
        for observation in observations:
            if observation.confidence < _LEAST_TO_BEGIN:
                continue
            known = [*self._talkers, *born]
            if all(t.matches([observation])[0].arc >= PEAK_SEPARATION / 2 for t in known):
                talker = _Talker(self._stamp, self._time, observation, velocity, self._answers)
                talker.evidence = _evidence(observation.confidence) * self._hop
                born.append(talker)
        return born


def _evidence(confidence: float) -> float:
    """Return what a frame says for a talker, -1/2..1; a confidence of 0 is no detection."""
    return 1.5 * confidence - 0.5


def _wrap(angle: float) -> float:
    """Return an angle [rad] in (-pi, pi]; for one of them much faster than `wrap_angle`."""
    wrapped = math.remainder(angle, 2 * math.pi)
    return math.pi if wrapped == -math.pi else wrapped
