# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What `launch/doa.launch.py` is made of."""
