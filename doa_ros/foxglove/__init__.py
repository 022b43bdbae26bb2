# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What is heard, for Foxglove: live by its WebSocket, and as MCAP files; without ROS.

All but `sdk` need foxglove-sdk, so that they are imported only where Foxglove is asked for.
"""
