# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Whether foxglove-sdk is there, which only Foxglove needs."""

from importlib import import_module

from doa_ros.core.errors import ConfigError


def check_sdk() -> None:
    """Check that foxglove-sdk can be imported.

    Raises:
        ConfigError: it is not installed.
    """
    try:
        import_module('foxglove')
    except ImportError:
        raise ConfigError(
            'Foxglove and MCAP files need foxglove-sdk: python3 -m pip install foxglove-sdk, or, '
            'in a checkout, -r requirements/foxglove.txt'
        ) from None
