# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Steady noise from directions of its own, while somebody talks."""

from .situation import DirectionalNoise, Family, Situation
from .sounds import machine, pink_noise, room_fan, vacuum_cleaner

_STEADY = (vacuum_cleaner, room_fan, pink_noise, machine)
_WRONG = {'wrong_and_confident': 0.02}
# Least share that is found, by the level of the noise [dB].
_FOUND_BESIDE_ONE = {-10: 0.98, -5: 0.98, 0: 0.97, 10: 0.90, 20: 0.50}
_FOUND_BESIDE_TWO = {-10: 0.95, 0: 0.85, 10: 0.60}
# The talker is heard for so long before the noise begins, and then for longer than usual [s].
_BEGIN, _TALK = 4.5, 7.5

DIRECTIONAL_NOISE = Family(
    'Steady noise from one direction or two while somebody talks',
    (
        *(
            Situation(
                f'one noise at {level} dB',
                {'recall': found, **_WRONG},
                noise=DirectionalNoise(_STEADY, level),
            )
            for level, found in _FOUND_BESIDE_ONE.items()
        ),
        *(
            Situation(
                f'two noises at {level} dB',
                {'recall': found, **_WRONG},
                noise=DirectionalNoise(_STEADY, level, count=2),
            )
            for level, found in _FOUND_BESIDE_TWO.items()
        ),
        Situation(
            'noise at 0 dB begins amid speech',
            {'recovery': 2.0, **_WRONG},
            noise=DirectionalNoise(_STEADY, 0.0, begin=_BEGIN),
            talk=_TALK,
        ),
        Situation(
            'noise alone',
            {'silence_answered': 0.01},
            talkers=0,
            noise=DirectionalNoise(_STEADY, 20.0),
        ),
    ),
    (
        'recall',
        'wrong_and_confident',
        'unanswered',
        'strongest_azimuth_mae_deg',
        'elevation_mae_deg',
        'phantoms',
        'confident_phantoms',
        'silence_answered',
        'recovery',
    ),
)
