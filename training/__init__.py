# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Offline training: simulate rooms, train, quantise, evaluate. Never needed at run time.

Attributes:
    LEFT_OUT: what the environment asks of Keras and does not get, in words.
"""

import os

from .environment import prepare

# Before NumPy is loaded: results do not depend on how many threads share a sum, and matrices as
# small as ours gain nothing from more.
os.environ.setdefault('OPENBLAS_NUM_THREADS', '1')
LEFT_OUT = prepare()
