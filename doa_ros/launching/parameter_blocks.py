# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""ROS parameter files as a ROS process joins them; needs neither ROS nor launch."""

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
import re
from typing import Any

from doa_ros.core.config import load_yaml, suggestion
from doa_ros.core.errors import ConfigError


class ParameterBlocks:
    """Parameters by patterns of node names, joined as a ROS process joins its arguments.

    A value replaces an earlier one of the same block. Where several blocks match a node, the
    one that came first into being is the weakest, whatever was added to it later.
    """

    def __init__(self):
        self._blocks: dict[str, dict[str, Any]] = {}

    def add(self, pattern: str, parameters: Mapping[str, Any]) -> None:
        """Add parameters for the nodes whose full names match a pattern such as `/**`."""
        self._blocks.setdefault(pattern, {}).update(parameters)

    def add_file(self, path: Path) -> list[str]:
        """Add what a ROS parameter file holds and return its patterns.

        Raises:
            ConfigError: it cannot be read, or is none; the message says why.
        """
        before = dict(_blocks(load_yaml(path)))
        if not before:
            raise ConfigError(
                f'{path}: no parameters; they belong below the name of a node, or /**, and '
                'ros__parameters, as in config/doa.yaml'
            )
        for pattern, parameters in before.items():
            self.add(pattern, parameters)
        return list(before)

    def value(self, name: str, node: str, default: Any) -> Any:
        """Return what a node gets as a parameter.

        Args:
            name: of the parameter.
            node: the full name of the node.
            default: what it has where it gets nothing.
        """
        values = [
            parameters[name]
            for pattern, parameters in self._blocks.items()
            if _matches(pattern, node) and name in parameters
        ]
        return values[-1] if values else default

    def override(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Add parameters that win for every node, and return them as a parameter file's content.

        They are in every block, since none is always the strongest.
        """
        for pattern in [*self._blocks, '/**']:
            self.add(pattern, parameters)
        return {pattern: {'ros__parameters': dict(parameters)} for pattern in self._blocks}


def without_node(patterns: Iterable[str], nodes: Collection[str]) -> list[str]:
    """Return a sentence per pattern that matches none of the nodes, given by full names."""
    sentences = []
    for pattern in patterns:
        if any(_matches(pattern, node) for node in nodes):
            continue
        last = pattern.rpartition('/')[2]
        meant = [node for node in nodes if node.rpartition('/')[2] == last]
        hint = f'; do you mean {meant[0]}?' if meant else suggestion(pattern, nodes)
        sentences.append(f'{pattern} is the name of no node that starts here{hint}')
    return sentences


def _blocks(content: Mapping[str, Any], name: str = '') -> Iterable[tuple[str, dict[str, Any]]]:
    # The names may be nested: a namespace, in it a node.
    for key, value in content.items():
        if key == 'ros__parameters':
            yield name or '/', dict(value) if isinstance(value, Mapping) else {}
        elif isinstance(value, Mapping):
            yield from _blocks(value, f'{name}/{str(key).strip("/")}')


def _matches(pattern: str, node: str) -> bool:
    """Return whether a block is for a node: `*` is one part of a name, `**` any number."""
    expression = re.escape(pattern).replace(r'/\*\*', r'(/\w+)*').replace(r'/\*', r'/\w+')
    return re.fullmatch(expression, node) is not None
