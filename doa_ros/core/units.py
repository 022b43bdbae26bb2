# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Factors between units."""

NANOSECONDS = 1_000_000_000
"""Nanoseconds in a second."""
