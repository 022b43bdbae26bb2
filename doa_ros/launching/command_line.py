# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What the command line of `ros2 launch` says of a launch file."""

from collections.abc import Collection, Iterable, Sequence
from itertools import pairwise
from pathlib import Path

from doa_ros.core.config import suggestion

# What `ros2 launch` and its actions read themselves.
_OF_LAUNCH = {
    'emulate_tty',
    'launch-prefix',
    'launch-prefix-filter',
    'sigkill_timeout',
    'sigterm_timeout',
}


def unknown_arguments(argv: Iterable[str], known: Collection[str]) -> list[str]:
    """Return a sentence per argument `name:=value` whose name is not known."""
    names = dict.fromkeys(argument.partition(':=')[0] for argument in argv)
    return [
        f'there is no argument {name}{suggestion(name, known)}'
        for name in names
        if name not in known and name not in _OF_LAUNCH
    ]


def is_named(file: Path, argv: Sequence[str], package: str = 'doa_ros') -> bool:
    """Return whether a command line names a launch file itself, and not one that includes it.

    Args:
        file: the launch file.
        argv: the command line.
        package: the one that installs the file.
    """
    return (package, file.name) in pairwise(argv) or any(
        Path(argument).name == file.name and Path(argument).resolve() == file.resolve()
        for argument in argv
    )
