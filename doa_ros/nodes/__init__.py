# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""ROS nodes: declare parameters, build the core, convert in, call, convert out."""

import os

# Before NumPy is loaded. Several threads for matrices as small as ours wait for each other more
# than they compute: on a busy computer that takes several times as long, and CPU time.
os.environ.setdefault('OPENBLAS_NUM_THREADS', '1')
