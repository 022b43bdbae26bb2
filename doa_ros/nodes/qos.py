# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The QoS of every topic can be overridden by parameters."""

from collections.abc import Iterator
from contextlib import contextmanager

from rclpy.exceptions import InvalidParameterTypeException, InvalidParameterValueException
from rclpy.qos import InvalidQoSProfileException
from rclpy.qos_overriding_options import QoSOverridingOptions

from doa_ros.core.config import error_text
from doa_ros.core.errors import ConfigError


@contextmanager
def overridable(topic: str) -> Iterator[QoSOverridingOptions]:
    """Give what makes rclpy declare the parameters of a topic that is made in the context.

    They are `qos_overrides.TOPIC.publisher.depth` (`.subscription`, `.history`, `.reliability`)
    with the full name of the topic.

    Raises:
        ConfigError: one of them has a value that ROS does not know.
    """
    try:
        yield QoSOverridingOptions.with_default_policies()
    except (
        AssertionError,
        RuntimeError,
        ValueError,
        InvalidParameterTypeException,
        InvalidParameterValueException,
        InvalidQoSProfileException,
    ) as error:
        raise ConfigError(f'qos_overrides of {topic}: {error_text(error)}') from None
