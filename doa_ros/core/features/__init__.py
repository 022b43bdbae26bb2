# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""From audio to GCC-PHAT features: the one path of runtime and training."""
