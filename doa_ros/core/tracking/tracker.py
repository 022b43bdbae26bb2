# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""From the detections of successive windows to talkers that keep their identity.

A Kalman filter per talker on the sphere (`kalman`, `motion`, `talker`), global nearest neighbour
association (`association`); a confident detection begins a track, a score confirms it, and a
timeout ends it. Once nobody is heard, tracks are given for a while as predicted; then they are
only kept, so that a talker who goes on has the same track.
"""

from collections.abc import Sequence
from functools import lru_cache
import math

from doa_ros.core.ambiguity import HORIZONTAL, Ambiguity
from doa_ros.core.directions import PEAK_SEPARATION
from doa_ros.core.localization.decoding import Estimate
from doa_ros.core.tracking.association import assign, unresolved
from doa_ros.core.tracking.config import TrackerConfig
from doa_ros.core.tracking.course import CourseFolder
from doa_ros.core.tracking.motion import MotionModel
from doa_ros.core.tracking.talker import (
    Innovation,
    Observation,
    Talker,
    WindowTime,
    score_rate,
)
from doa_ros.core.tracking.track import Track
from doa_ros.core.units import NANOSECONDS

# Mean age of the sound in half a second of steady recursive averaging [s].
_USUAL_SOUND_AGE = 0.15
# The sound of a detection counts as at least so much newer than that of the one before [s]: it
# keeps a quotient finite.
_NEWS_MIN = 1e-3
# The least confidence by which a standard deviation is widened [1]: it keeps a quotient finite.
_CONFIDENCE_MIN = 0.01
# Most observations of a window and most tracks: they bound the time that a window takes.
_MOST = 16
# Standard deviation of a detection that has none, as from other detectors [rad].
_UNKNOWN_STDDEV = math.radians(10)
# A score that misses the confirmation by no more than rounding errors reaches it [s].
_ROUNDING = 1e-9


class Tracker:
    """Tracks talkers from window to window.

    Time comes from the stamps alone, so that the same detections give the same tracks whenever
    they are played.

    Args:
        config: the settings.
        hop: time between windows [s], where none is lost.
        ambiguity: which directions the array cannot tell apart, in the frame of the detections;
            tracks stay where detections can be.
        first_id: of the first track; the others count on.

    Example:
        >>> tracker = Tracker(TrackerConfig(), hop=0.05)
        >>> for k in range(3):
        ...     (track,) = tracker.update(k * 50_000_000, [Estimate(1.0, 0.3, 0.05, 0.05, 0.9)])
        >>> track.id, track.confirmed, round(track.azimuth, 2)
        (1, True, 1.0)
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
        self._hop = hop
        self._timeout = round(config.track_timeout * NANOSECONDS)
        self._prediction_time = round(config.prediction_time * NANOSECONDS)
        self._stddev_min = math.radians(config.observation_stddev_min_deg)
        self._ambiguity, self._folder = ambiguity, CourseFolder(ambiguity)
        # Steps in time are nearly always the same.
        self._motion = lru_cache(maxsize=8)(MotionModel(config).motion)
        self._gate = config.gate_sigma**2
        self._next_id = first_id
        self.reset()

    def reset(self) -> None:
        """Forget all talkers; ids go on counting."""
        self._talkers: list[Talker] = []
        self._latest: WindowTime | None = None

    def update(
        self,
        stamp: int,
        detections: Sequence[Estimate],
        gap: bool = False,
        sound_age: float = _USUAL_SOUND_AGE,
    ) -> tuple[Track, ...]:
        """Take in the detections of a window.

        Args:
            stamp: of the window [ns]. Where it goes back, another stream begins.
            detections: what was heard in it, with finite azimuths.
            gap: whether audio was lost before it, so that averaging has started anew; a stamp
                that jumps says so, too.
            sound_age: mean age of the sound of the detections, relative to `stamp` [s]. The older
                it is, the farther the talker may have moved since. Sound that only gets older
                is no new evidence.

        Returns:
            The tracks at this time, the confirmed ones first, the most confident of them first.
            None is given of a talker who was not heard before `prediction_time` of silence.
        """
        if self._latest is not None and stamp < self._latest.stamp:
            self.reset()
        delay = round((sound_age + self._config.observation_delay) * NANOSECONDS)
        previous = self._latest or WindowTime(
            stamp - round(self._hop * NANOSECONDS), stamp - delay
        )
        # Sound times grow, unless averaging starts anew.
        time = WindowTime(stamp, max(stamp - delay, previous.sound_time))
        self._latest = time
        self._talkers = [t for t in self._talkers if t.unheard_for(stamp) <= self._timeout]
        self._predict(previous, time, gap)
        # Nothing is known of speech in the middle of a long step.
        duration = min((stamp - previous.stamp) / NANOSECONDS, 2 * self._hop)
        unassigned = self._correct(time, self._observations(detections), duration)
        self._talkers += self._new_talkers(time, unassigned)
        self._talkers = [t for t in self._talkers if t.id or t.score > 0][:_MOST]
        self._confirm()
        tracks = self._tracks(time)
        return tuple(sorted(tracks, key=lambda t: (not t.confirmed, -t.confidence, t.id)))

    def _predict(self, previous: WindowTime, time: WindowTime, gap: bool) -> None:
        """Bring the talkers to the time of a window's sound."""
        step = (time.sound_time - previous.sound_time) / NANOSECONDS
        gap = gap or (time.stamp - previous.stamp) / NANOSECONDS > 1.5 * self._hop
        # A box of some length is correlated like an exponential of half of it.
        error_factor = 0.0 if gap else math.exp(-2 * step / self._config.error_correlation_time)
        heard, unheard = self._motion(step, 2 * self._hop), self._motion(step, 0.0)
        for talker in self._talkers:
            motion = heard if talker.is_heard(previous.stamp) else unheard
            talker.predict(motion, error_factor)

    def _observations(self, detections: Sequence[Estimate]) -> list[Observation]:
        chosen = sorted(detections, key=lambda e: -e.confidence)[:_MOST]
        return [self._observation(detection) for detection in chosen]

    def _observation(self, detection: Estimate) -> Observation:
        least, confidence = self._stddev_min, float(detection.confidence)
        # The less confident a detection is, the less certain is its direction.
        widening = 1 / math.sqrt(max(confidence, _CONFIDENCE_MIN))
        east = _widened(detection.azimuth_stddev, widening, least)
        north = _widened(detection.elevation_stddev, widening, least)
        azimuth = float(detection.azimuth)
        if not math.isfinite(detection.elevation):
            return Observation(azimuth, None, 0.0, 1.0, east**2, north**2, confidence)
        elevation = min(max(float(detection.elevation), self._folder.lowest), math.pi / 2)
        sine, cosine = math.sin(elevation), math.cos(elevation)
        east = max(east * cosine, least)
        return Observation(azimuth, elevation, sine, cosine, east**2, north**2, confidence)

    def _correct(
        self, time: WindowTime, observations: list[Observation], duration: float
    ) -> list[Observation]:
        """Update the talkers by their observations; return those that belong to none."""
        talkers = self._talkers
        innovations = [talker.innovations(observations, self._gate) for talker in talkers]
        assignment = assign(talkers, innovations, self._gate, time.stamp)
        shared = unresolved(talkers, innovations, assignment, time.stamp, self._timeout)
        for number, talker in enumerate(talkers):
            if number not in assignment:
                talker.note_miss(time, duration, unresolved=number in shared)
                continue
            column = assignment[number]
            observation, innovation = observations[column], innovations[number][column]
            inflation = self._inflation(talker, innovation, time)
            # A detection that may belong to two talkers only shows that both are near.
            added_variance = PEAK_SEPARATION**2 if number in shared else 0.0
            talker.update(observation, innovation, inflation, added_variance)
            talker.note_detection(time, observation.confidence, duration)
        taken = set(assignment.values())
        return [o for column, o in enumerate(observations) if column not in taken]

    def _inflation(self, talker: Talker, innovation: Innovation, time: WindowTime) -> float:
        """Return by which factor the variance of an innovation grows, 1 or more."""
        # Sound that was used before is no new evidence.
        news = max((time.sound_time - talker.sound_time) / NANOSECONDS, _NEWS_MIN)
        # Beyond the gate, but near: an innovation counts at most like one at the gate.
        beyond = innovation.distance / self._gate
        return max(1.0, self._hop / news) * max(1.0, beyond)

    def _new_talkers(self, time: WindowTime, observations: list[Observation]) -> list[Talker]:
        """Return new talkers for observations that belong to no talker."""
        new: list[Talker] = []
        for observation in observations:
            if observation.confidence < self._config.birth_confidence_min:
                continue
            innovations = (t.innovations([observation], self._gate) for t in self._talkers + new)
            if all(i.arc >= PEAK_SEPARATION / 2 for near in innovations for i in near.values()):
                talker = Talker(time, observation, self._config, self._folder)
                talker.score = score_rate(observation.confidence) * self._hop
                new.append(talker)
        return new

    def _confirm(self) -> None:
        """Give ids to talkers whose score is high enough."""
        for talker in self._talkers:
            if not talker.id and talker.score >= self._config.confirmation_time - _ROUNDING:
                talker.id = self._next_id
                self._next_id += 1

    def _given(self, stamp: int) -> list[Talker]:
        """Return the talkers whose tracks are given at a stamp [ns]."""
        anyone = any(talker.id and talker.is_heard(stamp) for talker in self._talkers)
        for talker in self._talkers:
            # Who is not heard beside another may be masked by them.
            if talker.is_heard(stamp) or (anyone and talker.given_until >= stamp):
                talker.given_until = stamp + self._prediction_time
        return [talker for talker in self._talkers if talker.given_until >= stamp]

    def _tracks(self, time: WindowTime) -> list[Track]:
        """Return where talkers are at the stamp, some time after their sound was made."""
        step = (time.stamp - time.sound_time) / NANOSECONDS
        usual = _USUAL_SOUND_AGE + self._config.observation_delay
        heard, unheard = self._motion(step, usual), self._motion(step, 0.0)
        return [
            talker.track(
                time.stamp, heard if talker.is_heard(time.stamp) else unheard, self._ambiguity
            )
            for talker in self._given(time.stamp)
        ]


def _widened(stddev: float, widening: float, least: float) -> float:
    """Return a standard deviation times a factor, but so much at least; NaN is unknown."""
    return max(float(stddev) * widening, least) if math.isfinite(stddev) else _UNKNOWN_STDDEV
