# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Between ROS messages and what core works with: the only place that knows both."""
