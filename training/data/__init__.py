# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Labelled audio and features: from clips and recordings to the batches a network learns from."""
