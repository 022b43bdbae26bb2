# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Whether an array is as described: its channels, their order, and how it is mounted."""
