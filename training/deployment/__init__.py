# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""From a trained network to a .tflite file that is known to run: conversion and checks."""
