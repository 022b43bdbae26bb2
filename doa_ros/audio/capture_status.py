# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How the capture from a device is doing, in words."""

from doa_ros.audio.device import DeviceSource
from doa_ros.core.monitoring import Events, Level, Status, merge

RESTARTS = 'restarts of the capture'
"""The value that counts how often another process has taken over."""


class CaptureStatus:
    """Watches the state of a capture.

    Args:
        source: the capture.
    """

    def __init__(self, source: DeviceSource):
        self._source = source
        busy = 'this computer is too busy; end other programs'
        self._overflows = Events('overflows', busy)
        self._dropped = Events('dropped samples', busy)
        self._restarts = Events(RESTARTS, 'the log says why')

    def status(self) -> Status:
        """Return an error while the device is gone, a warning after losses, and all counts."""
        state = self._source.state
        counts = {
            self._overflows: state.overflows,
            self._dropped: state.dropped_samples,
            self._restarts: state.restarts,
        }
        for events, total in counts.items():
            events.total = total
        values = {
            'device': self._source.device or 'none yet',
            'measured rate [Hz]': f'{state.measured_rate:.1f}',
            'queued blocks': str(state.queue_depth),
            'lost samples': str(state.lost_samples),
        }
        own = Status(
            Level.OK if state.capturing else Level.ERROR,
            '' if state.capturing else state.message,
            values,
        )
        return merge([own, *(events.status() for events in counts)])
