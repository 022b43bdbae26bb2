# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The splits of sounds and of what is simulated with them: no voice is in two."""

SPLITS = ('train', 'val')
# What only the final figures are made of: nothing may be chosen by it.
TEST = 'test'
ALL_SPLITS = (*SPLITS, TEST)
