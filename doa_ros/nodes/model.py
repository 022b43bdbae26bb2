# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What several nodes find out alike: array, model and features."""

from pathlib import Path

from rclpy.node import Node

from doa_ros.core.ambiguity import Ambiguity, ambiguity_in_frame
from doa_ros.core.features.extractor import FeatureConfig
from doa_ros.core.geometry import MicArray, load_array
from doa_ros.core.localization.classifier import default_features, suited
from doa_ros.nodes.configs import ArrayConfig, ModelConfig
from doa_ros.parameters import declare
from doa_ros.resources import find_resource


def declare_ambiguity(node: Node) -> Ambiguity:
    """Declare which array it is, and return what that cannot tell, in its mounted frame.

    Raises:
        DoaError: its file is missing or not usable.
    """
    array = declare(node, ArrayConfig).array
    return ambiguity_in_frame(load_array(find_resource('arrays', array)))


def declare_features(
    node: Node, config: ModelConfig, method: str
) -> tuple[MicArray, Path | None, FeatureConfig, str]:
    """Load the array and declare the parameters of the features.

    Their defaults are those of the model (method cnn), or those that suit the array.

    Returns:
        The array as the model knows it, the .tflite file of method cnn (None for any other), the
        features, and a sentence about what of the array is not as trained, '' for nothing.

    Raises:
        DoaError: a file is missing or not usable, or a parameter is out of bounds.
    """
    array = load_array(find_resource('arrays', config.array))
    model = find_resource('models', config.model) if method == 'cnn' else None
    array, difference = suited(array, model)
    features = declare(node, FeatureConfig, default_features(array, model))
    return array, model, features, difference
