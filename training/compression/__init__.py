# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Making trained networks smaller: pruning, weight sharing and rounding."""
