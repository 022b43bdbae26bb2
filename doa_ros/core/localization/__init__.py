# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""From features to directions: SRP-PHAT, trained classifiers, decoding and filters."""
