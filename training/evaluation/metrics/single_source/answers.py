# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What methods answered at every scored block: the table that the metrics of one source read."""

from collections.abc import Iterable, Sequence

import numpy as np
from pandas import DataFrame, concat

from doa_ros.core.errors import ConfigError
from doa_ros.core.geometry import MicArray, wrap_angle
from doa_ros.core.localization.decoding import Estimate

from ....data.clips import Clip
from ...methods.inputs import BASELINE_WINDOW, MethodInput
from ...methods.method import DirectionMethod
from ...scenes.blocks import HOP


def collect_answers(
    array: MicArray, methods: Sequence[DirectionMethod], clips: Iterable[tuple[str, Clip]]
) -> DataFrame:
    """Let every method answer at the same blocks.

    Args:
        array: the microphones, with z pointing up.
        methods: to be compared.
        clips: labelled audio and the name of the condition it stands for.

    Returns:
        One row per block and method. Angles are in [rad], NaN where they are not known. Of several
        voiced sources the one nearest to the answer is the truth.

        - method, condition, room: names
        - time: end of the block in its clip [s]
        - voiced, silent: whether an answer is expected, or must not come
        - sources: how many of them are voiced
        - azimuth, elevation: true direction
        - distance, rt60, snr: of the scene [m], [s], [dB]
        - answer_azimuth, answer_elevation: the best guess; NaN azimuth where there is none
        - azimuth_stddev, elevation_stddev: of the guess, as the method says; NaN where it does not
        - confidence: of the guess; NaN where the method has none
        - heard: whether the method gives the guess of its own accord
        - azimuth_classes, sensitivity_power: of the method

    Raises:
        ConfigError: no clip holds a scored block.
    """
    parts = []
    for condition, clip in clips:
        inputs = MethodInput(array, clip)
        if inputs.blocks:
            parts += [_answers(condition, inputs, method) for method in methods]
    if not parts:
        raise ConfigError(f'nothing to evaluate: all clips are shorter than {BASELINE_WINDOW:g} s')
    return concat(parts, ignore_index=True)


def _answers(condition: str, inputs: MethodInput, method: DirectionMethod) -> DataFrame:
    clip, blocks = inputs.clip, np.array(inputs.blocks)
    nothing = Estimate(*(np.nan,) * 5)
    guesses = [(found[0] if found else nothing).numbers for found in method.estimates(inputs)]
    azimuth, elevation, azimuth_stddev, elevation_stddev, confidence = np.array(guesses).T

    truth = {name: np.full(len(blocks), np.nan) for name in ('azimuth', 'elevation', 'distance')}
    nearest = np.full(len(blocks), np.inf)
    sources = np.zeros(len(blocks), dtype=int)
    for source in clip.sources:
        voiced = source.voiced[blocks]
        sources += voiced
        error = np.abs(wrap_angle(azimuth - source.azimuth[blocks]))
        # Without a guess any of the voiced sources stands for what was missed.
        better = voiced & (np.nan_to_num(error, nan=np.pi) < nearest)
        nearest[better] = np.nan_to_num(error[better], nan=np.pi)
        truth['azimuth'][better] = source.azimuth[blocks][better]
        truth['elevation'][better] = source.elevation[blocks][better]
        truth['distance'][better] = source.distance
    return DataFrame(
        {
            'method': method.name,
            'condition': condition,
            'room': clip.room,
            'time': (blocks + 1) * HOP,
            'voiced': sources > 0,
            'silent': clip.silent[blocks],
            'sources': sources,
            **truth,
            'rt60': float(clip.rt60),
            'snr': float(clip.snr),
            'answer_azimuth': azimuth,
            'answer_elevation': elevation,
            'azimuth_stddev': azimuth_stddev,
            'elevation_stddev': elevation_stddev,
            'confidence': confidence,
            'heard': ~np.isnan(azimuth) & ~(confidence < method.least_confidence),
            'azimuth_classes': method.azimuth_classes,
            'sensitivity_power': method.sensitivity_power,
        }
    )


def is_guessed(answers: DataFrame) -> np.ndarray:
    """Return which rows are voiced and have a guess."""
    return (answers['voiced'] & answers['answer_azimuth'].notna()).to_numpy()


def is_answered(answers: DataFrame) -> np.ndarray:
    """Return which rows are voiced and have an answer."""
    return (answers['voiced'] & answers['heard']).to_numpy()
