# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What the documents say of nodes can be tried with ROS only."""

import importlib.util

if importlib.util.find_spec('rclpy') is None:
    collect_ignore = ['test_commands.py', 'test_reference.py']
