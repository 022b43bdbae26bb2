# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What happens when a process of a launch ends."""

from functools import partial
from typing import Any

from launch.actions import EmitEvent, Shutdown
from launch.events import matches_action
from launch.events.process import ShutdownProcess

# A process that was killed comes back after this time [s].
_RESPAWN_DELAY = 1.0


def lifetime(*, required: bool, alone: bool) -> dict[str, Any]:
    """Return the arguments of a launch action, whose process comes back where it was killed.

    Args:
        required: whether all that was launched ends with it.
        alone: whether its failure is one of the launch, since there is nothing else in it.
    """
    return {
        'on_exit': partial(_on_exit, required=required, alone=alone),
        'respawn': True,
        'respawn_delay': _RESPAWN_DELAY,
    }


def _on_exit(event, context, required, alone):
    # In a shutdown, what launch says of a process that has just ended may be wrong.
    if event.returncode < 0 or context.is_shutdown:
        return None
    if event.returncode and alone:
        # The way to a status of launch that goes on for now.
        context.asyncio_loop.call_exception_handler(
            {'message': f'{event.process_name} has failed, and this launch with it'}
        )
    if required:
        return Shutdown(reason=f'{event.process_name} has ended')
    # One that ended by itself would end again: only one that was killed comes back.
    return EmitEvent(event=ShutdownProcess(process_matcher=matches_action(event.action)))
