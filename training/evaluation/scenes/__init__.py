# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What methods are compared on."""
