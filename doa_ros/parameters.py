# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""ROS parameters from typed configurations (`doa_ros.core.config`)."""

from collections.abc import Callable
import dataclasses
from typing import Any, TypeVar

from rcl_interfaces.msg import (
    FloatingPointRange,
    IntegerRange,
    ParameterDescriptor,
    SetParametersResult,
)
from rclpy.node import Node

from doa_ros.core.config import Config, check_setting
from doa_ros.core.errors import ConfigError

ConfigType = TypeVar('ConfigType', bound=Config)

_UNBOUNDED_INTEGER = 2**31 - 1
_UNBOUNDED_FLOAT = 1e9


def declare(
    node: Node, config_class: type[ConfigType], defaults: ConfigType | None = None
) -> ConfigType:
    """Declare a parameter per setting; log and return the configuration they form.

    Args:
        node: the node to declare them in.
        config_class: their names, types, descriptions and bounds.
        defaults: their defaults; by default those of the class.

    Raises:
        ConfigError: a given value has the wrong type or is out of bounds.
    """
    defaults = defaults or config_class()
    names = [field.name for field in dataclasses.fields(config_class)]
    values = {name: getattr(defaults, name) for name in names}
    values |= {name: value for name, value in given(node).items() if name in names}
    try:
        config = config_class(**values)
    except ConfigError as error:
        raise ConfigError(f'parameter {error}') from None
    for field in dataclasses.fields(config_class):
        # Checked by now; rclpy itself would refuse 1 for 1.0.
        node.declare_parameter(
            field.name, getattr(config, field.name), _descriptor(field), ignore_override=True
        )
    node.get_logger().debug(f'{config}')
    return config


def given(node: Node) -> dict[str, Any]:
    """Return what is given to a node from outside, by the names of parameters."""
    # rclpy has no public way to ask for what is not declared.
    return {name: parameter.value for name, parameter in node._parameter_overrides.items()}


def on_change(node: Node, config: ConfigType, apply: Callable[[ConfigType], None]) -> None:
    """Call `apply` with the new configuration when a dynamic parameter changes.

    Args:
        node: the node that has declared the parameters.
        config: the configuration so far.
        apply: takes over a valid configuration.
    """
    fields = {f.name: f for f in dataclasses.fields(config) if f.metadata['dynamic']}
    current = config

    def validate(parameters) -> SetParametersResult:
        try:
            for parameter in parameters:
                if parameter.name in fields:
                    check_setting(fields[parameter.name], parameter.value)
        except ConfigError as error:
            return SetParametersResult(successful=False, reason=str(error))
        return SetParametersResult(successful=True)

    def take_over(parameters) -> None:
        nonlocal current
        changes = {p.name: p.value for p in parameters if p.name in fields}
        if changes:
            current = dataclasses.replace(current, **changes)
            apply(current)

    node.add_on_set_parameters_callback(validate)
    node.add_post_set_parameters_callback(take_over)


def _descriptor(field: dataclasses.Field) -> ParameterDescriptor:
    rules = field.metadata
    descriptor = ParameterDescriptor(
        description=rules['description'], read_only=not rules['dynamic']
    )
    if rules['choices'] is not None:
        descriptor.additional_constraints = 'One of: ' + ', '.join(rules['choices'])
    if rules['minimum'] is not None or rules['maximum'] is not None:
        if isinstance(field.default, float):
            descriptor.floating_point_range = [
                FloatingPointRange(
                    from_value=_bound(rules['minimum'], -_UNBOUNDED_FLOAT),
                    to_value=_bound(rules['maximum'], _UNBOUNDED_FLOAT),
                )
            ]
        else:
            descriptor.integer_range = [
                IntegerRange(
                    from_value=_bound(rules['minimum'], -_UNBOUNDED_INTEGER),
                    to_value=_bound(rules['maximum'], _UNBOUNDED_INTEGER),
                )
            ]
    return descriptor


def _bound(value, default):
    return default if value is None else value
