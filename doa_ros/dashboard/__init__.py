# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The live page: what it shows, its files, and the server that sends both; without ROS."""
