# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The help of an executable, and what it says of unknown arguments and parameters."""

import argparse
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import Field
import sys
from typing import Any

from rclpy.node import Node

from doa_ros import command
from doa_ros.core.array_file import load_array
from doa_ros.core.config import suggestion
from doa_ros.core.errors import ConfigError
from doa_ros.core.localization.compatibility import default_features
from doa_ros.nodes.configs import FEATURES, NODES, renamed, settings
from doa_ros.parameters import given, parameter_name
from doa_ros.resources import DEFAULT_ARRAY, DEFAULT_MODEL, find_resource

# What rclpy itself declares or reads.
_OF_ROS = ('start_type_description_service', 'use_sim_time')
_QOS = 'qos_overrides'


def hosted(executable: str) -> Sequence[str]:
    """Return the names of the nodes in an executable."""
    return [executable] if executable in NODES else list(NODES)


def parse(executable: str, options: Mapping[str, str]) -> set[str]:
    """Return which options are on the command line; --help and unknown arguments end here.

    Args:
        executable: its name.
        options: what each option does, besides --help.
    """
    arguments = _without_ros(sys.argv[1:])
    parser = argparse.ArgumentParser(
        prog=executable,
        usage=f'{executable} [-h] {"".join(f"[{o}] " for o in options)}[--ros-args '
        '[-p NAME:=VALUE] [--params-file FILE] [-r __ns:=/NAMESPACE] ...]',
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    for option, text in options.items():
        parser.add_argument(option, action='store_const', const=option, help=text)
    # Only where it is asked for: the defaults are in files.
    if {'-h', '--help'} & set(arguments):
        parser.epilog = _parameters(executable)
        sys.exit(command.run(executable, lambda: _print_help(parser)))
    known, others = parser.parse_known_args(arguments)
    if others:
        parser.error(
            f'unrecognized arguments: {" ".join(others)}; a parameter is given as '
            '--ros-args -p NAME:=VALUE'
        )
    return {value for value in vars(known).values() if value}


def _print_help(parser: argparse.ArgumentParser) -> int:
    parser.print_help()
    return 0


def _without_ros(arguments: Iterable[str]) -> list[str]:
    """Return what is not between `--ros-args` and `--`.

    rclpy's function would remove `NAME:=VALUE`, too, which renames topics in an old syntax.
    """
    others, of_ros = [], False
    for argument in arguments:
        if argument == '--ros-args':
            of_ros = True
        elif of_ros and argument == '--':
            of_ros = False
        elif not of_ros:
            others.append(argument)
    return others


def _parameters(executable: str) -> str:
    defaults = feature_defaults()
    lines = []
    for node in hosted(executable):
        lines.append(f'parameters of {node}:')
        for name, field in settings([node]).items():
            lines.append(f'  {name} (default: {_written(defaults.get(name, field.default))})')
            lines.append(f'      {_description(field)}')
        lines.append('')
    return '\n'.join(lines)


def feature_defaults() -> dict[str, Any]:
    """Return the defaults of `features.*`, which are those of the default model."""
    try:
        array = load_array(find_resource('arrays', DEFAULT_ARRAY))
        model = find_resource('models', DEFAULT_MODEL)
        features = default_features(array, model).to_mapping()
        return {parameter_name(FEATURES, name): value for name, value in features.items()}
    except ConfigError:
        return {}


def _written(value: Any) -> str:
    """Return a value as `-p NAME:=VALUE` takes it."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) or "''"


def _description(field: Field[Any]) -> str:
    rules = field.metadata
    text = rules['description']
    if rules['choices'] is not None:
        text += f' One of: {", ".join(rules["choices"])}.'
    if rules['minimum'] is not None or rules['maximum'] is not None:
        text += f' From {rules["minimum"]} to {rules["maximum"]}.'
    return text


def check_names_of_parameters(nodes: Sequence[Node]) -> None:
    """Refuse former names of parameters, and log which others no node of the chain has.

    A block for all nodes, as in config/doa.yaml, gives each those of the others.

    Raises:
        ConfigError: a former name is given; the message has today's.
    """
    known = set(settings())
    for node in nodes:
        known.update(f'{_QOS}.{name}' for name in node.get_parameters_by_prefix(_QOS))
    # A node alone does not know which topics the others have.
    others = _OF_ROS if len(nodes) > 1 else (*_OF_ROS, f'{_QOS}.')
    names = {name for node in nodes for name in given(node)}
    today = renamed()
    unknown = sorted(names - known)
    if former := [f'{name} is called {today[name]} now' for name in unknown if name in today]:
        raise ConfigError(f'former names of parameters are given: {", ".join(former)}')
    for name in unknown:
        if not name.startswith(others):
            nodes[0].get_logger().warning(
                f'there is no parameter {name}, it is ignored{suggestion(name, known)}'
            )
