# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How well models and methods do: scenes, methods, metrics and reports."""
