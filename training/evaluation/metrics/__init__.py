# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What is measured: tables of answers, and the metrics that are made of them.

Each folder of metrics has a function that collects a table, and a tuple METRICS.
"""
