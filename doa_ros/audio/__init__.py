# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Sound sources: a device, a recording, a simulated scene. No ROS."""
