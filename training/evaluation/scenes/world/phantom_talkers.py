# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""One talker or two, and estimates where nobody talks: reflections at the walls."""

from ..conditions import DIFFICULTIES
from .situation import Family, Situation

# By difficulty: largest share of phantoms with one talker; least share that is found with two.
_PHANTOMS, _FOUND = (0.01, 0.02, 0.03), (0.98, 0.92, 0.88)
_SPURIOUS = 0.02
_CLIPPED_DB = 18.0
# Smallest and largest size [m].
LARGE_ROOMS = ((7.0, 6.0, 2.6), (10.0, 8.0, 3.6))

PHANTOM_TALKERS = Family(
    'One talker or two: estimates where nobody talks',
    (
        *(
            Situation(
                f'one talker, {difficulty.name}',
                {'phantoms': phantoms},
                rt60=difficulty.rt60,
                snr=(difficulty.snr, difficulty.snr),
            )
            for difficulty, phantoms in zip(DIFFICULTIES, _PHANTOMS, strict=True)
        ),
        Situation(
            f'one talker, clipped by {_CLIPPED_DB:g} dB',
            {'phantoms': 0.02, 'elevation_mae_deg': 6.0},
            clipped_db=_CLIPPED_DB,
        ),
        Situation(
            'one talker, walking at 60 deg/s',
            {'phantoms': 0.02, 'recall': 0.95, 'strongest_azimuth_mae_deg': 4.0},
            speed_deg=60.0,
        ),
        Situation(
            'one talker, 5 m away',
            {'phantoms': 0.02, 'strongest_azimuth_mae_deg': 3.0, 'unanswered': 0.08},
            size=LARGE_ROOMS,
            distance=(4.8, 5.2),
            elevation_deg=(0.0, 20.0),
        ),
        *(
            Situation(
                f'one talker, turned away: direct sound {level:g} dB',
                {'phantoms': 0.02},
                rt60=DIFFICULTIES[1].rt60,
                snr=(DIFFICULTIES[1].snr, DIFFICULTIES[1].snr),
                direct_db=level,
            )
            for level in (-6.0, -12.0)
        ),
        Situation(
            'one talker, turned away to a hard wall',
            {'phantoms': 0.02},
            rt60=DIFFICULTIES[1].rt60,
            snr=(DIFFICULTIES[1].snr, DIFFICULTIES[1].snr),
            direct_db=-10.0,
            hard_wall=0.95,
        ),
        *(
            Situation(
                f'two talkers, {difficulty.name}',
                {'recall': found, 'spurious_in_speech': _SPURIOUS},
                rt60=difficulty.rt60,
                snr=(difficulty.snr, difficulty.snr),
                talkers=2,
                speech='turns',
            )
            for difficulty, found in zip(DIFFICULTIES, _FOUND, strict=True)
        ),
        Situation(
            'two talkers, 30 degrees apart',
            {'recall': 0.93, 'spurious_in_speech': _SPURIOUS, 'elevation_mae_deg': 8.0},
            talkers=2,
            apart_deg=(30.0, 30.0),
            speech='turns',
        ),
    ),
    (
        'recall',
        'phantoms',
        'confident_phantoms',
        'spurious_in_speech',
        'wrong_and_confident',
        'strongest_azimuth_mae_deg',
        'elevation_mae_deg',
        'unanswered',
        'silence_answered',
    ),
)
