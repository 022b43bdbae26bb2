# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Node `doa_markers`: from `estimates`, `tracks` and `spectrum` to `markers` for RViz."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
import math
from typing import Any

import numpy as np
from rclpy.subscription import Subscription
from std_msgs.msg import Header
from visualization_msgs.msg import Marker, MarkerArray

from doa_ros.conversions.directions import azimuth_spectrum_of, directions_of, tracks_of
from doa_ros.core.ambiguity import ambiguity_in_frame
from doa_ros.core.geometry import MicArray
from doa_ros.core.localization.decoding import Estimate
from doa_ros.core.localization.spectrum import Spectrum
from doa_ros.core.localization.window_directions import WindowDirections
from doa_ros.core.tracking.track import Track
from doa_ros.core.units import NANOSECONDS
from doa_ros.headers import stamp_of
from doa_ros.markers.array_model import array_markers
from doa_ros.markers.estimates import estimate_markers
from doa_ros.markers.shapes import clearance
from doa_ros.markers.spectrum import spectrum_marker
from doa_ros.markers.tracks import Trail, tip_of, track_markers
from doa_ros.msg import DoaEstimateArray, DoaSpectrum, DoaTrackArray
from doa_ros.nodes.chain import LATCHED, ArrayNode
from doa_ros.nodes.configs import MARKERS, MarkersConfig
from doa_ros.nodes.executable import run
from doa_ros.nodes.publishing_thread import PublishingThread
from doa_ros.nodes.qos import overridable
from doa_ros.nodes.topics import ARRAY_MARKERS, WINDOW_MARKERS
from doa_ros.parameters import declare, on_change

# Estimates of a window may come before the tracks of the one before. Stamps that go farther back
# are those of a clock that was set back [ns].
_SET_BACK = NANOSECONDS
# One window in this time is shown [ns]: eyes see no more, and markers cost more than directions.
_PERIOD = NANOSECONDS // 10


@dataclass(frozen=True)
class _WindowParts:
    """What has come of a window; None for what has not.

    The spectrum is azimuths [rad] and their probabilities, both of shape (azimuths,).
    """

    header: Header
    estimates: Sequence[Estimate] | None = None
    tracks: Sequence[Track] | None = None
    spectrum: tuple[np.ndarray, np.ndarray] | None = None

    @property
    def _known(self) -> dict[str, Any]:
        parts = {
            'estimates': self.estimates,
            'tracks': self.tracks,
            'spectrum': self.spectrum,
        }
        return {name: part for name, part in parts.items() if part is not None}

    @property
    def complete(self) -> bool:
        """Whether nothing more comes of it."""
        return len(self._known) == 3

    def joined(self, later: '_WindowParts') -> '_WindowParts | None':
        """Return this with the parts that came later; None where those are of another window."""
        if stamp_of(later.header) != stamp_of(self.header):
            return None
        if self._known.keys() & later._known.keys():
            return None
        return replace(self, **later._known)


class DoaMarkersNode(ArrayNode):
    """Shows the array, and ten times a second the estimates, tracks and spectrum of a window.

    Args:
        publishing: the thread that publishes.
        subscribe: whether all comes by topics rather than by `take_array`, `process`,
            `process_tracks` and `process_spectrum`.
    """

    def __init__(self, publishing: PublishingThread, *, subscribe: bool = True):
        super().__init__('doa_markers', publishing, subscribe=subscribe)
        self._config = declare(self, MarkersConfig, MARKERS)
        on_change(self, self._config, self._configure, MARKERS)
        self._array: MicArray | None = None
        # The frame in which it is shown.
        self._frame: str | None = None
        self._window: _WindowParts | None = None
        self._newest = 0
        # The stamp of the latest window that was chosen to be shown.
        self._chosen = -_PERIOD
        self._shown = 0
        self._trails: dict[int, Trail] = defaultdict(Trail)
        self.diagnose('all estimates are usable')
        self._topic = self.topic(WINDOW_MARKERS, 10)
        self._array_topic = self.topic(ARRAY_MARKERS, LATCHED)
        self._subscribes = subscribe
        self._spectra: Subscription | None = None
        if subscribe:
            self._subscribe(DoaEstimateArray, 'estimates', self._on_estimates)
            self._subscribe(DoaTrackArray, 'tracks', self._on_tracks)
        self.get_logger().info('array, directions and spectrum for RViz')

    def _subscribe(
        self, message_type: type, topic: str, take: Callable[[Any], None]
    ) -> Subscription:
        with overridable(topic) as options:
            return self.create_subscription(
                message_type, topic, take, 10, qos_overriding_options=options
            )

    def take_array(self, array: MicArray) -> None:
        """Show an array and what it hears from now on.

        Raises:
            DoaError: it resolves no azimuth.
        """
        self._ambiguity = ambiguity_in_frame(array)
        self._array, self._frame = array, None

    def _configure(self, config: MarkersConfig) -> None:
        self._config, self._frame = config, None

    def _on_estimates(self, message: DoaEstimateArray) -> None:
        with self._diagnostics.dropping():
            self.process(message.header, directions_of(message))

    def _on_tracks(self, message: DoaTrackArray) -> None:
        with self._diagnostics.dropping():
            self.process_tracks(message.header, tracks_of(message))

    def _on_spectrum(self, message: DoaSpectrum) -> None:
        with self._diagnostics.dropping():
            probability, first, step = azimuth_spectrum_of(message)
            if self._watched(message.header):
                azimuths = first + step * np.arange(len(probability))
                self._take(_WindowParts(message.header, spectrum=(azimuths, probability)))

    def process(self, header: Header, directions: WindowDirections) -> None:
        """Show the estimates of one window."""
        if self._watched(header):
            self._take(_WindowParts(header, estimates=directions.estimates))

    def process_tracks(self, header: Header, tracks: Sequence[Track]) -> None:
        """Show the tracks as of one window."""
        if self._watched(header):
            self._take(_WindowParts(header, tracks=tracks))

    def process_spectrum(self, header: Header, spectrum: Spectrum) -> None:
        """Show the spectrum of one window."""
        if self._watched(header):
            probability = spectrum.azimuth_distribution
            azimuths = np.arange(len(probability)) * 2 * math.pi / len(probability)
            self._take(_WindowParts(header, spectrum=(azimuths, probability)))

    def _watched(self, header: Header) -> bool:
        """Show the array, and return whether what it hears now is shown to anybody."""
        if self._array is None:
            return False
        if header.frame_id != self._frame:
            self._frame = header.frame_id
            # Not self._frame: another thread may have asked for the array again.
            length = self._config.arrow_length
            markers = array_markers(header.frame_id, self._array, length)
            self._array_topic.publish(MarkerArray(markers=markers))
        if not self._topic.wanted:
            self._forget()
            return False
        if self._subscribes and self._spectra is None:
            # Not before: while nobody looks, no spectrum is to be published for this.
            self._spectra = self._subscribe(DoaSpectrum, 'spectrum', self._on_spectrum)
        return self._is_chosen(stamp_of(header))

    def _is_chosen(self, stamp: int) -> bool:
        """Return whether a window is shown: the first one of each tenth of a second."""
        back = self._chosen - stamp > _SET_BACK
        if stamp // _PERIOD > self._chosen // _PERIOD or back:
            self._chosen = stamp
        return stamp == self._chosen

    def _take(self, part: _WindowParts) -> None:
        """Take parts of a window; show all of it at once, or what has come of it."""
        window = part
        if self._window is not None:
            joined = self._window.joined(part)
            if joined is None:
                self._show(self._window)
            else:
                window = joined
        self._window = None if window.complete else window
        if window.complete:
            self._show(window)

    def _forget(self) -> None:
        self._window, self._shown, self._newest, self._chosen = None, 0, 0, -_PERIOD
        self._trails.clear()
        if self._spectra is not None:
            self.destroy_subscription(self._spectra)
            self._spectra = None

    def _show(self, window: _WindowParts) -> None:
        header, length = window.header, self._config.arrow_length
        markers = self._begin(header)
        if window.tracks is not None:
            markers += self._track_markers(header, window.tracks)
        if window.estimates is not None:
            markers += estimate_markers(
                header,
                window.estimates,
                self._shown,
                length,
                ambiguity=self._ambiguity,
                faint=bool(self._trails),
            )
            self._shown = len(window.estimates)
        if window.spectrum is not None:
            markers.append(spectrum_marker(header, *window.spectrum, length))
        if markers:
            self._topic.publish(MarkerArray(markers=markers))

    def _begin(self, header: Header) -> list[Marker]:
        """Return what removes all markers where the clock was set back; else nothing.

        RViz counts their lifetimes by that clock.
        """
        stamp = stamp_of(header)
        back = self._newest - stamp > _SET_BACK
        self._newest = stamp if back else max(stamp, self._newest)
        if not back:
            return []
        self._trails.clear()
        self._shown = 0
        # RViz may have forgotten it.
        self._frame = None
        return [clearance(header)]

    def _track_markers(self, header: Header, tracks: Sequence[Track]) -> list[Marker]:
        stamp, length = stamp_of(header), self._config.arrow_length
        duration = round(self._config.trail_duration * NANOSECONDS)
        ended = self._trails.keys() - {track.id for track in tracks}
        for track_id in ended:
            del self._trails[track_id]
        for track in tracks:
            self._trails[track.id].add(stamp, tip_of(track, length), duration)
        return track_markers(header, tracks, self._trails, ended, length)


def main() -> int:
    """Run the node."""
    return run('doa_markers', lambda publishing: [DoaMarkersNode(publishing)])
