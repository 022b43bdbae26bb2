# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""ROS nodes: declare parameters, build the core, convert in, call, convert out."""
