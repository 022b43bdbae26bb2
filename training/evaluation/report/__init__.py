# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How figures are shown: tables, plots and files."""
