# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The channels that Foxglove shows, whether live or from a file."""

from collections.abc import Sequence

from foxglove import Channel, Context
from foxglove.channels import SceneUpdateChannel
import numpy as np

from doa_ros.core.geometry import MicArray
from doa_ros.core.localization.decoding import Estimate
from doa_ros.core.samples import levels
from doa_ros.core.tracking.track import Track
from doa_ros.foxglove import scene
from doa_ros.foxglove.records import ESTIMATES, LEVELS, TRACKS, ChannelLevel, Records


class Channels:
    """Channels of a context. Nothing is computed for one that nobody looks at.

    Their names hold no namespace: whoever connects or opens a file has chosen the array.

    Args:
        context: joins them with the server or file of the same context.
    """

    def __init__(self, context: Context):
        def scene_channel(name: str) -> SceneUpdateChannel:
            return SceneUpdateChannel(f'/scene/{name}', context=context)

        def record_channel(records: Records) -> Channel:
            return Channel(f'/{records.rows}', schema=records.schema, context=context)

        self._array_scene = scene_channel('array')
        self._estimates_scene = scene_channel('estimates')
        self._tracks_scene = scene_channel('tracks')
        self._spectrum_scene = scene_channel('spectrum')
        self._estimates = record_channel(ESTIMATES)
        self._tracks = record_channel(TRACKS)
        self._levels = record_channel(LEVELS)
        self._all: list[SceneUpdateChannel | Channel] = [
            *(self._array_scene, self._estimates_scene, self._tracks_scene, self._spectrum_scene),
            *(self._estimates, self._tracks, self._levels),
        ]

    @property
    def watched(self) -> bool:
        """Whether anybody looks at any of them."""
        return any(channel.has_sinks() for channel in self._all)

    def log_array(self, stamp: int, frame_id: str, array: MicArray) -> None:
        """Show an array.

        Args:
            stamp: of now [ns].
            frame_id: of the array.
            array: what is shown.
        """
        if self._array_scene.has_sinks():
            update = scene.array_scene(stamp, frame_id, array)
            self._array_scene.log(update, log_time=stamp)

    def log_sound(self, stamp: int, array: MicArray, samples: np.ndarray) -> None:
        """Show the level of each channel; the sound itself is not passed on.

        Args:
            stamp: of the sound [ns].
            array: that has heard it.
            samples: shape (samples, channels), integers or floats of full scale 1.
        """
        if self._levels.has_sinks():
            labels = dict(zip(array.channels, array.labels, strict=True))
            rows = [
                ChannelLevel(channel, labels.get(channel, ''), level)
                for channel, level in enumerate(levels(samples))
            ]
            self._levels.log(LEVELS.message(stamp, rows), log_time=stamp)

    def log_estimates(self, stamp: int, frame_id: str, estimates: Sequence[Estimate]) -> None:
        """Show the estimates of a window with a stamp [ns]."""
        if self._estimates_scene.has_sinks():
            update = scene.estimates_scene(stamp, frame_id, estimates)
            self._estimates_scene.log(update, log_time=stamp)
        if self._estimates.has_sinks():
            self._estimates.log(ESTIMATES.message(stamp, estimates), log_time=stamp)

    def log_tracks(self, stamp: int, frame_id: str, tracks: Sequence[Track]) -> None:
        """Show the tracks as of a window with a stamp [ns]."""
        if self._tracks_scene.has_sinks():
            update = scene.tracks_scene(stamp, frame_id, tracks)
            self._tracks_scene.log(update, log_time=stamp)
        if self._tracks.has_sinks():
            self._tracks.log(TRACKS.message(stamp, tracks), log_time=stamp)

    def log_spectrum(
        self, stamp: int, frame_id: str, azimuths: np.ndarray, probability: np.ndarray
    ) -> None:
        """Show the spectrum of a window with a stamp [ns].

        Args:
            stamp, frame_id: of the window.
            azimuths: of the classes, once around [rad], shape (azimuths,).
            probability: of each.
        """
        if self._spectrum_scene.has_sinks():
            update = scene.spectrum_scene(stamp, frame_id, azimuths, probability)
            self._spectrum_scene.log(update, log_time=stamp)
