# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Which arrays and features a model works with, and with which ones to run it."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from doa_ros.core.features.config import FeatureConfig
from doa_ros.core.geometry import MicArray
from doa_ros.core.localization.matching import SCALE_MAX, SCALE_MIN, Match, match
from doa_ros.core.localization.model_card import ModelCard, load_card
from doa_ros.core.localization.trained_array import TrainedArray

# What `evaluate --scale` shows for arrays that are not as trained.
_COST = 'in simulated rooms no loss could be measured'
# noise_floor_time of SRP-PHAT, whose confidence depends only on what is above the noise floor [s].
_NOISE_FLOOR_TIME = 4.0


def default_features(array: MicArray, model: Path | None) -> FeatureConfig:
    """Return the feature settings to take where nothing else is asked for.

    Args:
        array: the microphones.
        model: the .tflite file of method cnn; None without a network.

    Returns:
        What the model was trained with, with lags that suit the size of the array; without a
        model the defaults, with three changes: a longer noise_floor_time, as many more delay taps
        as a large array needs, and a band that ends at 0.45 times the sampling frequency where
        that is lower.

    Raises:
        ModelError: the model or its card is missing or not usable.
    """
    if model is not None:
        return features_for(load_card(model), array)
    features = FeatureConfig(noise_floor_time=_NOISE_FLOOR_TIME).reaching(array)
    return replace(features, band_max=min(features.band_max, array.highest_frequency))


def adapted_array(array: MicArray, model: Path | None) -> tuple[MicArray, str]:
    """Return an array as a network knows it: features and directions must be made with this one.

    Args:
        array: the microphones.
        model: the .tflite file of method cnn; None without a network.

    Returns:
        The array, its microphones in the network's order and its board's frame as the network's,
        and a sentence about the differences from training and their cost; the array unchanged and
        '' where there is no difference, and where the network does not fit at all.

    Raises:
        ModelError: the model or its card is missing or not usable.
    """
    if model is None:
        return array, ''
    card = load_card(model)
    found = network_match(card, array)
    if found is None:
        return array, ''
    moved = found.rotation or found.mirrored or found.order != array.order
    return found.applied(array) if moved else array, tolerated_differences(card, array)


def network_match(card: ModelCard, array: MicArray) -> Match | None:
    """Return how the network's microphones lie on an array; None where it does not fit.

    Args:
        card: of the network; one for every array knows no microphones.
        array: may be numbered, turned or mirrored otherwise, and 0.9 to 1.1 times as large.

    Raises:
        ConfigError: the array resolves no azimuth.
    """
    if card.array is None:
        return None
    found = match(array, card.array.positions)
    # Positions in files are rounded.
    fits = found is not None and SCALE_MIN <= round(found.scale, 3) <= SCALE_MAX
    return found if fits else None


def features_for(card: ModelCard, array: MicArray) -> FeatureConfig:
    """Return the settings with which an array's features are those of the network's array.

    Args:
        card: of the network.
        array: one that fits; for any other, the settings are those of the card.
    """
    if card.array is None:
        return card.features.reaching(array)
    found = network_match(card, array)
    if found is None or found.scale == 1:
        return card.features
    # On a larger array all delays are longer in proportion.
    return replace(card.features, lag_rate=card.features.lag_rate / found.scale)


def incompatibilities(card: ModelCard, array: MicArray, features: FeatureConfig) -> list[str]:
    """Return, in words, what of the array or the features the network does not fit.

    Args:
        card: of the network.
        array: as `adapted_array` returns it.
        features: the configured settings.
    """
    found = []
    if card.array is not None:
        matched = network_match(card, array)
        if matched is None:
            found.append(_other_shape(card.array, array))
        elif (matched.rotation, matched.mirrored, matched.order) != (0.0, False, array.order):
            found.append(f'the microphones of array {array.name!r} are turned or in another order')
    if card.features.band_max > array.sampling_frequency / 2:
        found.append(
            f'it needs frequencies up to {card.features.band_max:g} Hz, and those of array '
            f'{array.name!r} end at {array.sampling_frequency / 2:g} Hz'
        )
    mine, theirs = features_for(card, array).to_mapping(), features.to_mapping()
    # Until the noise is learnt whitened features are the plain ones, which the network knows, too.
    mine['whitening'] &= theirs['whitening']
    found += [
        f'its {name} is {mine[name]:g} and the configured one is {theirs[name]:g}'
        for name in mine
        if not np.isclose(mine[name], theirs[name])
    ]
    return found


def _other_shape(trained: TrainedArray, array: MicArray) -> str:
    if trained.positions.shape != array.positions.shape:
        return (
            f'it has {len(trained.positions)} microphones ({trained.name}) and array '
            f'{array.name!r} has {len(array.positions)}'
        )
    found = match(array, trained.positions)
    if found is not None:
        return (
            f'array {array.name!r} is {found.scale:.3f} times as large as '
            f'{trained.name!r}, and only {SCALE_MIN:g} to {SCALE_MAX:g} times will do'
        )
    distance = np.linalg.norm(trained.positions - array.positions, axis=1).max()
    return (
        f'array {array.name!r} has another shape: a microphone lies {distance * 1000:.1f} mm '
        f'away from its place in {trained.name!r}'
    )


def tolerated_differences(card: ModelCard, array: MicArray) -> str:
    """Return a sentence about how an array that fits differs from that of training, or ''.

    Args:
        card: of the network.
        array: as configured, not as `adapted_array` returns it.
    """
    found, trained = network_match(card, array), card.array
    if found is None or trained is None:
        return ''
    parts = found.differences(array)
    if trained.sampling_frequency != array.sampling_frequency:
        parts.append(
            f'at {array.sampling_frequency} Hz instead of {trained.sampling_frequency} Hz'
        )
    if not parts:
        return ''
    return (
        f'array {array.name!r} has the shape of {trained.name!r}, which the network was '
        f'trained for, but is not the same: {"; ".join(parts)}; {_COST}'
    )
