# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The errors a user can act on. Each message says what is wrong and what to do about it."""


def printable(text: object) -> str:
    r"""Return text that every output can take, in one line: bytes of no character as \\udcff."""
    return ''.join(
        c if c.isprintable() else c.encode('unicode_escape').decode() for c in str(text)
    )


class DoaError(Exception):
    """Base class; executables print its message without a traceback and exit non-zero."""

    def __str__(self):
        # Messages name files, and names of files may hold anything.
        return printable(super().__str__())


class ConfigError(DoaError):
    """A setting, an array file or a scene file is not usable."""


class ModelError(DoaError):
    """A model file is missing, broken or does not fit the array or the features."""


class AudioError(DoaError):
    """A sound source cannot be opened or delivers something else than was asked for."""


class MessageError(DoaError):
    """A received message contradicts itself or the configuration; nodes drop it and go on."""


class TriangulationError(DoaError):
    """Bearings meet in no point that could be told; others, or the same ones later, may do."""
