# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Command lines that run and watch the nodes. They need ROS."""
