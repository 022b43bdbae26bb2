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
from rclpy.parameter import Parameter

from doa_ros.core.config import Config, check_setting
from doa_ros.core.errors import ConfigError

ConfigType = TypeVar('ConfigType', bound=Config)

_UNBOUNDED_INTEGER = 2**31 - 1
_UNBOUNDED_FLOAT = 1e9


def parameter_name(prefix: str, setting: str) -> str:
    """Return the name of the parameter of a setting: `prefix.setting` where there is a prefix."""
    return f'{prefix}.{setting}' if prefix else setting


def declare(
    node: Node,
    config_class: type[ConfigType],
    prefix: str = '',
    defaults: ConfigType | None = None,
) -> ConfigType:
    """Declare a parameter per setting; log and return the configuration they form.

    Args:
        node: the node to declare them in.
        config_class: their names, types, descriptions and bounds.
        prefix: of their names.
        defaults: their defaults; by default those of the class.

    Raises:
        ConfigError: a given value has the wrong type or is out of bounds.

    Example:
        `declare(node, FeatureConfig, 'features')` declares `features.window` and the others.
    """
    config = configured(node, config_class, prefix, defaults)
    for field in dataclasses.fields(config):
        # Checked by now; rclpy itself would refuse 1 for 1.0.
        node.declare_parameter(
            parameter_name(prefix, field.name),
            getattr(config, field.name),
            _descriptor(field),
            ignore_override=True,
        )
    node.get_logger().debug(f'{config}')
    return config


def configured(
    node: Node,
    config_class: type[ConfigType],
    prefix: str = '',
    defaults: ConfigType | None = None,
) -> ConfigType:
    """Return the configuration that `declare` would return, and declare nothing.

    Arguments and errors are those of `declare`.
    """
    config = defaults or config_class()
    names = [field.name for field in dataclasses.fields(config)]
    values = given(node)
    changes = {
        name: values[parameter_name(prefix, name)]
        for name in names
        if parameter_name(prefix, name) in values
    }
    try:
        return dataclasses.replace(config, **changes)
    except ConfigError as error:
        raise ConfigError(f'parameter {parameter_name(prefix, str(error))}') from None


def given(node: Node) -> dict[str, Any]:
    """Return what is given to a node from outside, by the names of parameters."""
    # rclpy has no public way to ask for what is not declared.
    return {name: parameter.value for name, parameter in node._parameter_overrides.items()}


def on_change(
    node: Node, config: ConfigType, apply: Callable[[ConfigType], None], prefix: str = ''
) -> None:
    """Apply a new configuration whenever a dynamic parameter changes.

    Args:
        node: the node that has declared the parameters.
        config: the configuration so far.
        apply: takes over a valid configuration.
        prefix: of the names of the parameters.
    """
    fields = {
        parameter_name(prefix, field.name): field
        for field in dataclasses.fields(config)
        if field.metadata['dynamic']
    }
    current = config

    def validate(parameters: list[Parameter]) -> SetParametersResult:
        try:
            for parameter in parameters:
                if parameter.name in fields:
                    check_setting(fields[parameter.name], parameter.value)
        except ConfigError as error:
            return SetParametersResult(successful=False, reason=str(error))
        return SetParametersResult(successful=True)

    def take_over(parameters: list[Parameter]) -> None:
        nonlocal current
        changes = {fields[p.name].name: p.value for p in parameters if p.name in fields}
        if changes:
            current = dataclasses.replace(current, **changes)
            apply(current)

    node.add_on_set_parameters_callback(validate)
    node.add_post_set_parameters_callback(take_over)


def _descriptor(field: dataclasses.Field[Any]) -> ParameterDescriptor:
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


def _bound(value: float | None, default: float) -> float:
    return default if value is None else value
