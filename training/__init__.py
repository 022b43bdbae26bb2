# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Offline training: simulate rooms, train, quantise, evaluate. Never needed at run time."""

import os

# TensorFlow reads these when it is imported. Its model optimisation toolkit knows Keras 2
# (tf_keras) only; our own networks are made with Keras 3 all the same.
os.environ.setdefault('TF_USE_LEGACY_KERAS', '1')
os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '2')
