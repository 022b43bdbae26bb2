# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How an array and what it hears look in RViz: a file per kind of marker."""
