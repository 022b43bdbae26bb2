# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Simulated sound at an array: rooms, scenes and the truth about them. No ROS."""
