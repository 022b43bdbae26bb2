# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Offline training: simulate rooms, train, quantise, evaluate. Never needed at run time."""
