# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What the demo has received from the pipeline, and how good it is."""

from dataclasses import dataclass, field
import math

import numpy as np

from doa_ros.cli.demo_score import Score, Scorer
from doa_ros.core.features.config import FeatureConfig
from doa_ros.core.localization.decoding import Estimate
from doa_ros.core.tracking.track import Track
from doa_ros.simulation.labels import silent_blocks, voiced_blocks

# A talker is tracked where a track is no farther away than this [rad].
_NEAR = math.radians(15)


@dataclass
class DemoLog:
    """What was received, by stamp [ns].

    Attributes:
        truth: directions of the talkers who speak, as far as the array can tell them.
        estimates: given by the pipeline.
        tracks: given by the pipeline.
        cpu: CPU time of the pipeline at its first and at its latest estimate [s].
        elevation_min: the lowest elevation that the array gives [rad]; NaN where it gives none.
    """

    truth: dict[int, tuple[Estimate, ...]] = field(default_factory=dict)
    estimates: dict[int, tuple[Estimate, ...]] = field(default_factory=dict)
    tracks: dict[int, tuple[Track, ...]] = field(default_factory=dict)
    cpu: list[float] = field(default_factory=list)
    elevation_min: float = 0.0

    def time(self, stamp: int) -> float:
        """Return a stamp as seconds since the first estimate; they come in order."""
        return (stamp - next(iter(self.estimates))) * 1e-9

    def courses(self) -> dict[int, dict[int, Track]]:
        """Return each track over time: by number, in order, and by stamp."""
        courses: dict[int, dict[int, Track]] = {}
        for stamp, tracks in self.tracks.items():
            for track in tracks:
                courses.setdefault(track.number, {})[stamp] = track
        return dict(sorted(courses.items()))

    def tracked(self) -> float:
        """Return how many of the talkers who speak in a window are near a track in it, 0..1."""
        near = [
            any(
                abs(math.remainder(track.azimuth - talker.azimuth, 2 * math.pi)) <= _NEAR
                for track in self.tracks[stamp]
            )
            for stamp, talkers in self.truth.items()
            for talker in talkers
            if stamp in self.tracks
        ]
        return sum(near) / len(near) if near else math.nan

    def score(self) -> Score:
        """Score the estimates against the truth of the same stamps."""
        scorer = Scorer()
        stamps = sorted(self.truth)
        active = np.array([bool(self.truth[stamp]) for stamp in stamps])
        voiced, silent = voiced_blocks(active), silent_blocks(active, FeatureConfig.hop)
        latest = Estimate(math.nan, math.nan, math.nan, math.nan, 0.0)
        for k, stamp in enumerate(stamps):
            # In a short pause, talkers stay where they spoke last.
            latest = self.truth[stamp][0] if active[k] else latest
            if stamp in self.estimates:
                scorer.add(
                    self.estimates[stamp],
                    latest.azimuth,
                    latest.elevation,
                    voiced=bool(voiced[k]),
                    silent=bool(silent[k]),
                )
        return scorer.score()
