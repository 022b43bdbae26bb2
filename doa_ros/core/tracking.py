# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""From the estimates of successive frames to talkers that keep their identity.

A Kalman filter per talker on the sphere, with constant velocity and white acceleration noise, and
global nearest neighbour association: Y. Bar-Shalom, X. Li and T. Kirubarajan, "Estimation with
Applications to Tracking and Navigation", Wiley, 2001; S. Blackman and R. Popoli, "Design and
Analysis of Modern Tracking Systems", Artech House, 1999. Lengths on the sphere are arcs [rad]
towards east (growing azimuth) and north (growing elevation), so that the azimuth counts less the
higher a talker is.
"""

from collections.abc import Sequence
import copy
from dataclasses import dataclass
import math

from scipy.optimize import linear_sum_assignment

from doa_ros.core.config import Config, setting
from doa_ros.core.decoding import PEAK_SEPARATION, Estimate

_NANOSECONDS = 1e9
# Of a crowd of estimates, only the most confident are looked at, and only so many tracks are kept.
_MOST = 16
# Standard deviation of an estimate that does not say its own [rad].
_UNKNOWN_STDDEV = math.radians(10)
# The azimuth of an even distribution has this standard deviation [rad].
_ANYWHERE = math.pi / math.sqrt(3)
# Nearer to the zenith than this, azimuth and arc are not converted into each other [1].
_LEAST_COSINE = math.cos(math.radians(85))
# Two talkers so near to each other that one of them may be heard only, take part in speaking
# while each was heard in the last so long [s].
_SPEAKING = 0.5
# Time constant of the confidence of a track [s].
_CONFIDENCE_TIME = 0.5
# Cost of taking an estimate for that of a talker who is not yet known, or was not speaking.
_UNLIKELY = 4.0
# Spread of a typical track, to which others are compared [rad].
_TYPICAL = math.radians(5)
_UNHEARD = 30.0
_FORBIDDEN = 1e6
# Talkers change their elevation less than their azimuth, by this factor [1].
_CLIMB = 0.5


@dataclass(frozen=True)
class TrackerConfig(Config):
    """How talkers move, and when they are believed in."""

    track_timeout: float = setting(
        2.5,
        'A track ends when nothing was heard of it for this time [s].',
        minimum=0.1,
        maximum=60.0,
    )
    confirmation: float = setting(
        0.16,
        'A new track is confirmed when so much of its time was heard [s]: an estimate counts the '
        'time between frames by its confidence, a frame without one half of it against.',
        minimum=0.0,
        maximum=5.0,
    )
    delay: float = setting(
        0.2,
        'How long ago a talker was where an estimate shows him, on average [s].',
        minimum=0.0,
        maximum=2.0,
    )
    correlation: float = setting(
        0.5,
        'For how long the errors of estimates are alike, since they are averages [s].',
        minimum=0.0,
        maximum=5.0,
    )
    acceleration_deg: float = setting(
        10.0,
        'How much the angular velocity of a talker changes in a second, as a standard deviation '
        '[deg/s].',
        minimum=0.1,
        maximum=1000.0,
    )
    manoeuvre: float = setting(
        0.4,
        'How much more it changes per angular velocity: who walks may turn or stop [1].',
        minimum=0.0,
        maximum=10.0,
    )
    velocity_deg: float = setting(
        40.0,
        'Angular velocity of a new talker, as a standard deviation [deg/s].',
        minimum=0.0,
        maximum=1000.0,
    )
    velocity_memory: float = setting(
        1.0,
        'In a pause, the velocity decays with this time constant [s].',
        minimum=0.05,
        maximum=60.0,
    )
    stddev_min_deg: float = setting(
        2.0,
        'Smallest standard deviation an estimate is believed to have [deg].',
        minimum=0.1,
        maximum=90.0,
    )
    gate: float = setting(
        3.5,
        'Largest distance of an estimate from a track it belongs to, in standard deviations [1].',
        minimum=1.0,
        maximum=10.0,
    )


@dataclass(frozen=True, slots=True)
class Track:
    """A talker who is followed, at the time of a frame.

    Attributes:
        id: 1 or more; never that of another talker. 0 until the track is confirmed.
        azimuth: [rad] in (-pi, pi].
        elevation: [rad] in 0..pi/2; NaN while not known.
        azimuth_rate, elevation_rate: angular velocity [rad/s]; the latter NaN while not known.
        azimuth_stddev, elevation_stddev: standard deviations [rad].
        azimuth_rate_stddev, elevation_rate_stddev: standard deviations [rad/s].
        confidence: mean of those of its estimates in about the last half a second, 0..1; a frame
            without an estimate counts as 0.
        age: time since its first estimate [s].
        confirmed: whether enough was heard to believe in it.
        predicted: whether this frame had no estimate of its own for it.
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


class _Axis:
    """Velocity along one direction of the tangent plane, and the covariance of arc and velocity.

    The arc itself is always 0: the direction of the track is where its tangent plane touches.
    """

    __slots__ = ('velocity', 'arc_variance', 'covariance', 'velocity_variance')

    def __init__(self, arc_variance: float, velocity_variance: float):
        self.velocity = 0.0
        self.arc_variance = arc_variance
        self.covariance = 0.0
        self.velocity_variance = velocity_variance

    def predict(self, step: float, keep: float, reach: float, noise: float) -> float:
        """Go on in time and return the arc covered [rad].

        Args:
            step: time [s].
            keep: factor of the velocity.
            reach: integral of that factor over the time [s].
            noise: spectral density of the acceleration [rad^2/s^3].
        """
        arc = self.velocity * reach
        self.velocity *= keep
        cubic, square, linear = noise * step**3 / 3, noise * step**2 / 2, noise * step
        self.arc_variance += 2 * reach * self.covariance + reach**2 * self.velocity_variance
        self.arc_variance += cubic
        self.covariance = keep * (self.covariance + reach * self.velocity_variance) + square
        self.velocity_variance = keep**2 * self.velocity_variance + linear
        return arc

    def update(self, innovation: float, noise: float) -> float:
        """Take in an arc to an observation of variance `noise`; return the arc to go [rad]."""
        variance = self.arc_variance + noise
        gain, velocity_gain = self.arc_variance / variance, self.covariance / variance
        self.velocity += velocity_gain * innovation
        self.velocity_variance -= velocity_gain * self.covariance
        self.covariance -= gain * self.covariance
        self.arc_variance -= gain * self.arc_variance
        return gain * innovation


@dataclass(frozen=True, slots=True)
class _Observation:
    """An estimate as the filters take it in: variances along the arcs [rad^2]."""

    azimuth: float
    elevation: float | None
    east_variance: float
    north_variance: float
    confidence: float


@dataclass(frozen=True, slots=True)
class _Match:
    """How far an observation lies from a talker: arcs [rad] and squared Mahalanobis distance."""

    east: float
    north: float
    distance: float


class _Talker:
    """A talker at the time that estimates show."""

    __slots__ = (
        'id', 'azimuth', 'elevation', 'elevation_known', 'east', 'north', 'born', 'heard',
        'noted', 'evidence', 'confidence', 'predicted',
    )  # fmt: skip

    def __init__(self, stamp: int, observation: _Observation, velocity: float):
        self.id = 0
        self.azimuth = _wrap(observation.azimuth)
        self.elevation_known = observation.elevation is not None
        self.elevation = observation.elevation or 0.0
        self.east = _Axis(observation.east_variance, velocity**2)
        self.north = _Axis(observation.north_variance, (_CLIMB * velocity) ** 2)
        # Stamps [ns] of the first estimate, of the latest, and of the latest that may be its own.
        self.born = self.heard = self.noted = stamp
        self.evidence = 0.0
        self.confidence = observation.confidence
        self.predicted = False

    @property
    def cosine(self) -> float:
        """Arc per azimuth."""
        return max(math.cos(self.elevation), _LEAST_COSINE)

    def match(self, observation: _Observation) -> _Match:
        """Return how far an observation lies from here."""
        turn = observation.azimuth - self.azimuth
        sine, cosine = math.sin(self.elevation), math.cos(self.elevation)
        compared = self.elevation_known and observation.elevation is not None
        if compared:
            to_sine, to_cosine = math.sin(observation.elevation), math.cos(observation.elevation)
        else:
            to_sine, to_cosine = sine, cosine
        along = to_cosine * math.cos(turn)
        east, north = to_cosine * math.sin(turn), cosine * to_sine - sine * along
        chord = math.hypot(east, north)
        if chord > 0:
            # The same direction, as far away as the great circle is long.
            scale = math.atan2(chord, sine * to_sine + cosine * along) / chord
            east, north = scale * east, scale * north
        distance = east**2 / (self.east.arc_variance + observation.east_variance)
        if compared:
            distance += north**2 / (self.north.arc_variance + observation.north_variance)
        return _Match(east, north, distance)

    def predict(self, step: float, keep: float, reach: float, acceleration: float) -> None:
        """Go on in time; see `_Axis.predict`."""
        east = self.east.predict(step, keep, reach, acceleration**2)
        north = self.north.predict(step, keep, reach, (_CLIMB * acceleration) ** 2)
        # At constant elevation: talkers walk around the array rather than over it.
        self.azimuth += east / self.cosine
        self.elevation += north
        self._fold()

    def update(self, observation: _Observation, match: _Match, weaken: float, add: float) -> None:
        """Take in an observation.

        Args:
            observation: what was heard.
            match: how far away it is.
            weaken: factor of its variances.
            add: variance to add to them [rad^2].
        """
        east = self.east.update(match.east, weaken * observation.east_variance + add)
        north = 0.0
        if observation.elevation is not None:
            if self.elevation_known:
                north = self.north.update(
                    match.north, weaken * observation.north_variance + add
                )
            else:
                self.elevation, self.elevation_known = observation.elevation, True
        self._move(east, north)

    def _move(self, east: float, north: float) -> None:
        """Go along a great circle."""
        arc = math.hypot(east, north)
        if arc == 0:
            return
        scale, along = math.sin(arc) / arc, math.cos(arc)
        sine, cosine = math.sin(self.elevation), math.cos(self.elevation)
        ahead = cosine * along - sine * scale * north
        self.azimuth += math.atan2(scale * east, ahead)
        self.elevation = math.atan2(
            sine * along + cosine * scale * north, math.hypot(ahead, scale * east)
        )
        self._fold()

    def _fold(self) -> None:
        """Keep the elevation in 0..pi/2 and the azimuth in (-pi, pi]."""
        if self.elevation > math.pi / 2:
            self.elevation = math.pi - self.elevation
            self.azimuth += math.pi
            self.north.velocity *= -1
            self.east.velocity *= -1
        elif self.elevation < 0:
            self.elevation = 0.0
            self.north.velocity = max(self.north.velocity, 0.0)
        self.azimuth = _wrap(self.azimuth)


class Tracker:
    """Follows talkers from frame to frame.

    Time comes from the stamps alone, so that the same frames give the same tracks at any time.

    Args:
        config: the settings.
        hop: time between frames [s], where none is lost.
    """

    def __init__(self, config: TrackerConfig, hop: float = 0.05):
        self._config = config
        self._hop = hop
        self._next_id = 1
        self.reset()

    def reset(self) -> None:
        """Forget all talkers; ids go on counting."""
        self._talkers: list[_Talker] = []
        self._stamp: int | None = None

    def update(
        self, stamp: int, estimates: Sequence[Estimate], gap: bool = False
    ) -> tuple[Track, ...]:
        """Take in a frame.

        Args:
            stamp: its time [ns]. Where it goes back, another stream begins.
            estimates: what was heard in it, with finite azimuths.
            gap: whether audio was lost before it, so that averaging has started anew.

        Returns:
            The tracks at this time, the confirmed ones first, the most confident of them first.
        """
        if self._stamp is not None and stamp < self._stamp:
            self.reset()
        step = self._hop if self._stamp is None else (stamp - self._stamp) / _NANOSECONDS
        for talker in self._talkers:
            paused = talker.noted < self._stamp or step > 2 * self._hop
            talker.predict(step, *self._motion(talker, step, paused))
        self._stamp = stamp
        chosen = sorted(estimates, key=lambda e: -e.confidence)[:_MOST]
        observations = [self._observation(estimate) for estimate in chosen]
        matches = [[t.match(o) for o in observations] for t in self._talkers]
        assigned = self._assign(matches)
        # A long step says nothing about whether somebody spoke in it.
        self._take_in(observations, matches, assigned, min(step, 2 * self._hop), gap)
        self._talkers += self._births(observations, matches, set(assigned.values()))
        self._talkers = [talker for talker in self._talkers if self._lives(talker)][:_MOST]
        for talker in self._talkers:
            if not talker.id and talker.evidence >= self._config.confirmation:
                talker.id = self._next_id
                self._next_id += 1
        tracks = [self._track(talker) for talker in self._talkers]
        return tuple(sorted(tracks, key=lambda t: (not t.confirmed, -t.confidence, t.id)))

    def _motion(self, talker: _Talker, step: float, paused: bool) -> tuple[float, float, float]:
        """Return what `predict` needs besides the step."""
        config = self._config
        speed = math.hypot(talker.east.velocity, talker.north.velocity)
        acceleration = math.radians(config.acceleration_deg) + config.manoeuvre * speed
        if not paused:
            return 1.0, step, acceleration
        keep = math.exp(-step / config.velocity_memory)
        return keep, config.velocity_memory * (1 - keep), acceleration

    def _observation(self, estimate: Estimate) -> _Observation:
        least = math.radians(self._config.stddev_min_deg)
        east, north = (
            max(stddev, least) if math.isfinite(stddev) else _UNKNOWN_STDDEV
            for stddev in (estimate.azimuth_stddev, estimate.elevation_stddev)
        )
        elevation = None
        if math.isfinite(estimate.elevation):
            elevation = min(max(estimate.elevation, 0.0), math.pi / 2)
            east = max(east * math.cos(elevation), least)
        return _Observation(
            estimate.azimuth, elevation, east**2, north**2, estimate.confidence
        )

    def _assign(self, matches: list[list[_Match]]) -> dict[int, int]:
        """Return which talker, by number, which observation belongs to."""
        talkers = len(matches)
        if not talkers or not matches[0]:
            return {}
        costs = [
            [self._cost(talker, match) for match in row]
            + [_UNHEARD if k == number else _FORBIDDEN for k in range(talkers)]
            for number, (talker, row) in enumerate(zip(self._talkers, matches, strict=True))
        ]
        rows, columns = linear_sum_assignment(costs)
        count = len(matches[0])
        return {
            row: column
            for row, column in zip(rows.tolist(), columns.tolist(), strict=True)
            if column < count
        }

    def _cost(self, talker: _Talker, match: _Match) -> float:
        """Return twice the negative logarithm of how likely a match is, up to a constant."""
        gate = self._config.gate**2
        if match.distance > gate and math.hypot(match.east, match.north) > PEAK_SEPARATION:
            return _FORBIDDEN
        cost = min(match.distance, gate)
        cost += math.log(1 + talker.east.arc_variance / _TYPICAL**2)
        if not (talker.id and self._speaking(talker)):
            cost += _UNLIKELY
        return min(cost, _UNHEARD - 1)

    def _speaking(self, talker: _Talker) -> bool:
        return self._stamp - talker.noted <= _SPEAKING * _NANOSECONDS

    def _take_in(self, observations, matches, assigned, step: float, gap: bool) -> None:
        """Update the talkers that were heard, and note of the others that they were not."""
        shared = self._shared(matches, assigned)
        fade = math.exp(-step / _CONFIDENCE_TIME)
        for number, talker in enumerate(self._talkers):
            talker.predicted = number not in assigned
            confidence = 0.0
            if talker.predicted:
                talker.evidence -= step / 2
                if number in shared:
                    talker.noted = self._stamp
            else:
                column = assigned[number]
                observation, match = observations[column], matches[number][column]
                confidence = observation.confidence
                talker.evidence += confidence * step
                # What may belong to either of two says no more than that both are near.
                add = PEAK_SEPARATION**2 if number in shared else 0.0
                talker.update(observation, match, self._weaken(talker, match, gap), add)
                talker.heard = talker.noted = self._stamp
            talker.confidence += (1 - fade) * (confidence - talker.confidence)

    def _weaken(self, talker: _Talker, match: _Match, gap: bool) -> float:
        """Return by which factor the variances of an observation grow."""
        factor = 1.0
        passed = (self._stamp - talker.heard) / _NANOSECONDS
        if not gap and 0 < passed < self._config.correlation:
            factor = self._config.correlation / passed
        # Beyond the gate, but near: no surprise counts for more than one at the gate.
        return factor * max(1.0, match.distance / self._config.gate**2)

    def _shared(self, matches, assigned) -> set[int]:
        """Return the talkers, by number, of whom two are too near to each other to tell apart.

        One of the two was heard, and it is not known which.
        """
        shared = set()
        for number, talker in enumerate(self._talkers):
            if number in assigned or not talker.id or not self._speaking(talker):
                continue
            if self._stamp - talker.heard > 2 * self._config.track_timeout * _NANOSECONDS:
                continue
            for other, column in assigned.items():
                near = matches[number][column]
                if (
                    self._talkers[other].id
                    and self._speaking(self._talkers[other])
                    and math.hypot(near.east, near.north) < PEAK_SEPARATION
                ):
                    shared |= {number, other}
        return shared

    def _births(self, observations, matches, taken: set[int]) -> list[_Talker]:
        """Return the talkers that observations begin which belong to nobody."""
        born = []
        velocity = math.radians(self._config.velocity_deg)
        for column, observation in enumerate(observations):
            near = any(
                math.hypot(row[column].east, row[column].north) < PEAK_SEPARATION / 2
                for row in matches
            )
            if column not in taken and not near:
                talker = _Talker(self._stamp, observation, velocity)
                talker.evidence = observation.confidence * self._hop
                born.append(talker)
        return born

    def _lives(self, talker: _Talker) -> bool:
        if not talker.id:
            return talker.evidence > 0
        limit = self._config.track_timeout * _NANOSECONDS
        return self._stamp - talker.noted <= limit

    def _track(self, talker: _Talker) -> Track:
        """Return where a talker is now, `delay` after what estimates show."""
        now = copy.copy(talker)
        now.east, now.north = copy.copy(talker.east), copy.copy(talker.north)
        delay = self._config.delay
        now.predict(delay, *self._motion(talker, delay, talker.noted < self._stamp))
        cosine, known = now.cosine, now.elevation_known
        return Track(
            id=now.id,
            azimuth=now.azimuth,
            elevation=now.elevation if known else math.nan,
            azimuth_rate=now.east.velocity / cosine,
            elevation_rate=now.north.velocity if known else math.nan,
            azimuth_stddev=min(math.sqrt(now.east.arc_variance) / cosine, _ANYWHERE),
            elevation_stddev=math.sqrt(now.north.arc_variance) if known else math.nan,
            azimuth_rate_stddev=math.sqrt(now.east.velocity_variance) / cosine,
            elevation_rate_stddev=math.sqrt(now.north.velocity_variance) if known else math.nan,
            confidence=now.confidence,
            age=(self._stamp - now.born) / _NANOSECONDS,
            confirmed=now.id > 0,
            predicted=now.predicted,
        )


def _wrap(angle: float) -> float:
    """Return an angle [rad] in (-pi, pi]; for one of them much faster than `wrap_angle`."""
    wrapped = math.remainder(angle, 2 * math.pi)
    return math.pi if wrapped == -math.pi else wrapped
