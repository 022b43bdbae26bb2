# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Reading recordings: any format, channels and rate, damaged or cut off. No ROS."""
