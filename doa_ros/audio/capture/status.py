# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How the capture from a device is doing, in words."""

from dataclasses import replace

from doa_ros.audio.capture.device_source import DeviceSource
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
        """Return an error while the device is gone, a warning after losses, and all counts.

        Others that are like the device are a warning, too.
        """
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
        away = Status(Level.ERROR, state.message)
        like = Status(Level.WARN if state.warning else Level.OK, state.warning)
        own = like if state.capturing else away
        return merge([replace(own, values=values), *(events.status() for events in counts)])
