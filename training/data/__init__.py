# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Labelled audio and features: clips, recordings, and the shards of data sets."""
