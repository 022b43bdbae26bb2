# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Capture from a sound card, in a process of its own."""
