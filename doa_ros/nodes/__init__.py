# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""ROS nodes: declare parameters, build the core, convert in, call, convert out."""

import ctypes
import os
import sys

# Before NumPy is loaded. Several threads for matrices as small as ours wait for each other more
# than they compute: on a busy computer that takes several times as long, and CPU time.
os.environ.setdefault('OPENBLAS_NUM_THREADS', '1')
# Before there are threads. glibc gives them up to 8 arenas per core; another thread reads from
# each process that takes over the capture, and fault by fault another arena would grow. Python's
# threads run one at a time: one arena is enough. Other C libraries have none.
_M_ARENA_MAX = -8
if sys.platform == 'linux' and hasattr(ctypes.CDLL(None), 'mallopt'):
    ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)
