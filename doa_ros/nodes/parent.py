# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Ends a process when the launch that started it has gone: SIGTERM ends launch alone."""

import ctypes
import os
import signal
import sys

LAUNCH_PID = 'DOA_ROS_END_WITH'
"""The environment variable in which doa.launch.py gives its process id."""

_PR_SET_PDEATHSIG = 1


def end_with_launch() -> None:
    """Have SIGTERM sent to this process when the launch that started it has gone.

    A process that was started in any other way goes on without its parent. So does one that a
    launch started by way of a debugger or a terminal (`--launch-prefix`).
    """
    launch = int(os.environ.pop(LAUNCH_PID, 0))
    if not launch or not sys.platform.startswith('linux'):
        return
    if os.getppid() == launch:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    # It may have gone before that.
    try:
        os.kill(launch, 0)
    except ProcessLookupError:
        os.kill(os.getpid(), signal.SIGTERM)
    except PermissionError:
        pass  # it is there
