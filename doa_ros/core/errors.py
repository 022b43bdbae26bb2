# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The errors a user can act on. Each message says what is wrong and what to do about it."""


class DoaError(Exception):
    """Base class; executables print its message without a traceback and exit non-zero."""


class ConfigError(DoaError):
    """A setting, an array file or a scene file is not usable."""


class ModelError(DoaError):
    """A model file is missing, broken or does not fit the array or the features."""


class AudioError(DoaError):
    """A sound source cannot be opened or delivers something else than was asked for."""


class MessageError(DoaError):
    """A received message contradicts itself or the configuration; nodes drop it and go on."""
