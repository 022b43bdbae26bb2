# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Direction of arrival without ROS: arrays in, arrays out."""
