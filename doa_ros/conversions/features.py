# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Features of analysis windows as messages."""

import math

import numpy as np
from std_msgs.msg import Header

from doa_ros.conversions.numbers import HALF_TURN, check_age, floats
from doa_ros.core.errors import ConfigError, MessageError
from doa_ros.core.features.config import FeatureConfig
from doa_ros.core.features.extractor import WindowFeatures
from doa_ros.core.features.framing import lost_before
from doa_ros.core.features.source_cancellation import Residual
from doa_ros.core.geometry import MicArray
from doa_ros.headers import check_header
from doa_ros.msg import FeatureSettings, GccPhat

# What to do where the features of another node do not fit.
_SAME = 'give gcc_phat and doa_estimator the same model and method'


def gcc_phat_from_window(
    header: Header, window: WindowFeatures, microphones: MicArray, features: FeatureConfig
) -> GccPhat:
    """Return the message of the features of one window.

    Args:
        header: of the window.
        window: its features.
        microphones: the array that they are of.
        features: their settings.
    """
    first, second = microphones.pairs.T
    message = GccPhat(
        header=header,
        settings=FeatureSettings(**features.to_mapping()),
        sampling_frequency=float(microphones.sampling_frequency),
        pair_first=first.tolist(),
        pair_second=second.tolist(),
        activity=float(window.activity),
        sound_age=float(window.sound_age),
        first_sample_index=window.hop_index,
        residual_azimuth=math.nan,
    )
    message.data = floats(window.features)
    if window.residual is not None:
        message.residual = floats(window.residual.features)
        message.residual_azimuth = float(microphones.frame_azimuth(window.residual.azimuth))
    return message


def features_from_settings(message: FeatureSettings) -> FeatureConfig:
    """Return the settings of features in a message.

    Raises:
        MessageError: a setting is out of bounds.
    """
    names = message.get_fields_and_field_types()
    try:
        return FeatureConfig(**{name: getattr(message, name) for name in names})
    except ConfigError as error:
        raise MessageError(f'GCC-PHAT with settings that are not usable: {error}') from None


def window_from_gcc_phat(
    message: GccPhat,
    microphones: MicArray,
    features: FeatureConfig,
    previous: int | None = None,
) -> WindowFeatures:
    """Return the features in a message.

    Args:
        message: the features.
        microphones: the array they must be of.
        features: their settings, as `features_from_settings` returns them.
        previous: index in the message before it, which shows whether anything was lost.

    Raises:
        MessageError: of another array, or values that are not usable.
    """
    check_header(message.header)
    pairs = microphones.pairs
    received = message.pair_first, message.pair_second
    if not all(np.array_equal(r, own) for r, own in zip(received, pairs.T, strict=True)):
        raise MessageError(
            f'GCC-PHAT of {len(message.pair_first)} pairs is not of array {microphones.name!r} '
            f'with {len(pairs)} pairs in this order; {_SAME}'
        )
    if message.sampling_frequency != microphones.sampling_frequency:
        raise MessageError(
            f'GCC-PHAT at {message.sampling_frequency:g} Hz is not of array {microphones.name!r} '
            f'at {microphones.sampling_frequency} Hz'
        )
    shape = len(pairs), features.lag_count
    gcc = _correlation(message, 'data', shape)
    residual = None
    if features.residual:
        if abs(message.residual_azimuth) > HALF_TURN:
            raise MessageError('GCC-PHAT with residual_azimuth outside of -pi..pi')
        azimuth = microphones.board_azimuth(message.residual_azimuth)
        residual = Residual(_correlation(message, 'residual', shape), float(azimuth))
    if not 0 <= message.activity <= 1.01:
        raise MessageError('GCC-PHAT with activity outside of 0..1')
    check_age(message.sound_age)
    hop = round(features.hop * microphones.sampling_frequency)
    due = None if previous is None else previous + hop
    return WindowFeatures(
        features=gcc,
        activity=message.activity,
        hop_index=message.first_sample_index,
        gap=lost_before(message.first_sample_index, due),
        sound_age=message.sound_age,
        residual=residual,
    )


def _correlation(message: GccPhat, name: str, shape: tuple[int, int]) -> np.ndarray:
    """Return one of the correlations in a message, shape (pairs, lags)."""
    values = getattr(message, name)
    if len(values) != shape[0] * shape[1]:
        raise MessageError(
            f'GCC-PHAT {name} of {len(values)} values instead of {shape[0]} pairs x '
            f'{shape[1]} lags'
        )
    gcc = np.array(values, dtype=np.float32).reshape(shape)
    if not (np.abs(gcc) <= 1.01).all():
        raise MessageError(f'GCC-PHAT {name} outside of -1..1')
    return gcc
