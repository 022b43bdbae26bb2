# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Simulated rooms: what an array hears in them, and the sounds in them."""
