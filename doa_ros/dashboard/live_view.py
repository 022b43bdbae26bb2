# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What the page shows: the newest of everything."""

from collections.abc import Mapping, Sequence
import time
from typing import Any

import numpy as np

from doa_ros.audio.source import AudioBlock
from doa_ros.core.geometry import MicArray
from doa_ros.core.localization.decoding import Estimate
from doa_ros.core.monitoring import Level, Status
from doa_ros.core.samples import levels
from doa_ros.core.tracking.track import Track
from doa_ros.core.units import NANOSECONDS
from doa_ros.dashboard.channels import channels_of
from doa_ros.dashboard.encoding import image, number
from doa_ros.dashboard.processor_time import ProcessorTime

# What was not renewed for this time is not shown any more [s].
_FRESH = 2.0
# A node that says nothing for this time is gone [s]; it speaks once a second.
_GONE = 5.0
_CAPTURE = 'audio_capture'


class LiveView:
    """The newest of everything; the threads of nodes give it, that of the server asks for it.

    Everything that is kept is replaced as a whole, so that no thread waits for another one.
    """

    def __init__(self) -> None:
        # What is in a frame, and since when [s], by its name there.
        self._parts: dict[str, tuple[float, Any]] = {}
        self._statuses: dict[str, tuple[float, Status]] = {}
        self._array: dict[str, Any] | None = None
        self._processor_time = ProcessorTime()

    def take_array(self, array: MicArray) -> None:
        """Show what an array hears from now on."""
        labels = array.labels
        self._parts = {}
        self._array = {
            'name': array.name,
            'microphones': [
                {'label': label, 'x': number(x), 'y': number(y)}
                for label, (x, y, _) in zip(labels, array.frame_positions, strict=True)
            ],
            'pairs': [[labels[i], labels[j]] for i, j in array.pairs],
        }

    def take_block(self, block: AudioBlock) -> None:
        """Show the levels of a piece of sound."""
        self._put('levels', levels(block.samples))

    def take_features(self, features: np.ndarray, lags: np.ndarray) -> None:
        """Show the features of a window.

        Args:
            features: shape (pairs, lags).
            lags: [s], shape (lags,).
        """
        self._put('gcc_phat', image(features) | {'longest_lag': number(lags[-1], 9)})

    def take_spectrum(self, probability: np.ndarray, azimuth_min: float, step: float) -> None:
        """Show the spectrum of a window.

        Args:
            probability: per azimuth, shape (azimuths,).
            azimuth_min, step: the azimuth of the first, and from one to the next [rad].
        """
        angles = {'azimuth_min': number(azimuth_min), 'azimuth_step': number(step, 6)}
        self._put('spectrum', image(probability) | angles)

    def take_estimates(self, stamp: int, now: int, estimates: Sequence[Estimate]) -> None:
        """Show the estimates of a window.

        Args:
            stamp: of the window [ns].
            now: the time on the same clock [ns].
            estimates: the directions.
        """
        self._put('stamp', number(stamp / NANOSECONDS, 3))
        self._put('latency', number((now - stamp) / NANOSECONDS, 3))
        self._put('estimates', [_direction(estimate) for estimate in estimates])

    def take_tracks(self, tracks: Sequence[Track]) -> None:
        """Show the tracks as of a window."""
        shown = [
            _direction(track)
            | {
                'number': track.number,
                'id': track.id,
                'age': number(track.age, 1),
                'predicted': track.predicted,
            }
            for track in tracks
        ]
        self._put('tracks', shown)

    def take_status(self, node: str, status: Status) -> None:
        """Show what a node says of itself."""
        statuses = self._statuses | {node: (time.monotonic(), status)}
        self._statuses = dict(sorted(statuses.items()))

    def frame(self) -> dict[str, Any]:
        """Return what changes with every window; what is old is left out."""
        oldest = time.monotonic() - _FRESH
        return {name: content for name, (since, content) in self._parts.items() if since >= oldest}

    def status(self) -> dict[str, Any]:
        """Return what changes now and then; to be called once a second."""
        now = time.monotonic()
        nodes = [
            {
                'node': node,
                'level': int(status.level) if now - since < _GONE else int(Level.ERROR),
                'message': status.message if now - since < _GONE else 'says nothing any more',
                'values': dict(status.values),
            }
            for node, (since, status) in self._statuses.items()
        ]
        return {
            'array': self._array,
            'nodes': nodes,
            'channels': self._channels(),
            'processor': self._processor_time.load(),
        }

    def _channels(self) -> Sequence[Mapping[str, object]]:
        _, status = self._statuses.get(_CAPTURE, (0.0, None))
        return [] if status is None else channels_of(status.message, status.values)

    def _put(self, name: str, content: Any) -> None:
        self._parts = self._parts | {name: (time.monotonic(), content)}


def _direction(direction: Estimate | Track) -> dict[str, Any]:
    return {
        'azimuth': number(direction.azimuth),
        'elevation': number(direction.elevation),
        'azimuth_stddev': number(direction.azimuth_stddev),
        'confidence': number(direction.confidence, 3),
    }
