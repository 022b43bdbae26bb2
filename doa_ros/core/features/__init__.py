# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""From audio to features: the one path of runtime and training.

This module alone names the feature type; all others ask it.
"""

from doa_ros.core.features.config import FeatureConfig
from doa_ros.core.features.feature_type import FeatureType
from doa_ros.core.features.gcc_phat import GccPhat
from doa_ros.core.geometry import MicArray

FEATURE_TYPE: type[FeatureType] = GccPhat


def feature_type_of(array: MicArray, config: FeatureConfig) -> FeatureType:
    """Return the feature type for one array and one stream.

    Raises:
        ConfigError: the settings do not fit the array.
    """
    return FEATURE_TYPE(array, config)


def stored_columns(config: FeatureConfig, stored: FeatureConfig) -> slice:
    """Return which columns of stored features are those of other settings.

    Raises:
        ConfigError: the stored features do not hold them.
    """
    return FEATURE_TYPE.stored_columns(config, stored)
