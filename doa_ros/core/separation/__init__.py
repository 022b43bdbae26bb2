# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The sound of each track, apart from all else that is heard."""
