# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Architecture search: differentiable, and by trials."""
