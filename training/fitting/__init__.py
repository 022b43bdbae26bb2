# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What is fitted to a trained network: its last layers, calibration and filters."""
