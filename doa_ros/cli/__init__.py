# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Command lines. `check` and `locate` need no ROS, the others run and watch the nodes."""

import os

# Before NumPy is loaded, as for the nodes.
os.environ.setdefault('OPENBLAS_NUM_THREADS', '1')
