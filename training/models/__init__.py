# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Networks: how they are described and built."""
