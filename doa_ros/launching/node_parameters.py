# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What the nodes of a launch get as parameters; needs neither ROS nor launch."""

from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
import json
import os
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from doa_ros.core.errors import ConfigError
from doa_ros.launching.arguments import launch_arguments
from doa_ros.launching.parameter_blocks import ParameterBlocks, without_node


@dataclass(frozen=True)
class NodeParameters:
    """Parameters of nodes, and the files in which they get them.

    Attributes:
        blocks: all of them.
        files: paths of parameter files, the weakest first.
        warnings: sentences about the file of the user.
    """

    blocks: ParameterBlocks
    files: list[str]
    warnings: list[str]


def node_parameters(
    parent: Iterable[tuple[str, Any] | str],
    params_file: str,
    given: Mapping[str, str],
    nodes: Collection[str],
    folder: str,
) -> NodeParameters:
    """Return what nodes get: what was given as an argument, else in a file, else by the parent.

    Args:
        parent: what SetParameter and SetParametersFromFile of an including file say: names with
            values, and paths.
        params_file: the path of the user's file; empty where there is none.
        given: arguments that are no defaults, by name.
        nodes: their full names.
        folder: where a file is written; it is read again whenever a process comes back.

    Raises:
        ConfigError: the file cannot be used, or an argument is not of its type.
    """
    blocks, files, warnings = ParameterBlocks(), [], []
    # Begun by the defaults of the launch file, and so weaker than the block of any one node.
    blocks.add('/**', {})
    for parameter in parent:
        if isinstance(parameter, tuple):
            blocks.add('/**', dict([parameter]))
        else:
            # Each node reports what is wrong with a file of the parent.
            with suppress(ConfigError):
                blocks.add_file(Path(parameter))
    if params_file:
        path = Path(os.path.expanduser(params_file))
        warnings = [f'{path}: {s}' for s in without_node(blocks.add_file(path), nodes)]
        files.append(str(path))
    values = {
        argument.name: argument.parameter(argument.name, given[argument.name])
        for argument in launch_arguments()
        if argument.parameter and argument.name in given
    }
    if values:
        files.append(_write(blocks.override(values), folder))
    return NodeParameters(blocks, files, warnings)


def _write(content: Mapping[str, Any], folder: str) -> str:
    """Return the path of a parameter file."""
    with NamedTemporaryFile(
        'w',
        dir=folder,
        prefix='doa_',
        suffix='.yaml',
        encoding='utf-8',
        errors='surrogateescape',
        delete=False,
    ) as file:
        # JSON is YAML that leaves no type to be guessed.
        json.dump(content, file, ensure_ascii=False)
    return file.name
