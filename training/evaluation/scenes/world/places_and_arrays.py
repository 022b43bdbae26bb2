# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Rooms, levels, directions and arrays other than the usual ones."""

from .situation import Family, Situation

_HALL = ((10.0, 8.0, 4.0), (16.0, 12.0, 7.0))
# Rings that were built with another radius than the 43 mm of the UMA-8.
_SMALLER, _LARGER = 42 / 43, 44 / 43
_FOUR_MICROPHONES = 'respeaker_4mic_hat'

PLACES_AND_ARRAYS = Family(
    'Other rooms, levels, directions and arrays',
    (
        Situation(
            'source at 70 to 85 degrees of elevation',
            {'strongest_great_circle_deg': 4.0},
            elevation_deg=(70.0, 85.0),
            distance=(0.7, 2.0),
        ),
        Situation(
            'talker below 20 degrees of elevation',
            {'elevation_mae_deg': 7.0, 'elevation_bias_deg': 0.0},
            elevation_deg=(0.0, 20.0),
            rt60=0.45,
            snr=(10.0, 10.0),
        ),
        Situation(
            'hall, RT60 1.2 s',
            {'strongest_azimuth_mae_deg': 5.0, 'unanswered': 0.10},
            size=_HALL,
            rt60=1.2,
            distance=(1.0, 4.0),
        ),
        Situation('diffuse noise, -10 to -5 dB', {'unanswered': 0.15}, snr=(-10.0, -5.0)),
        Situation('quiet: peaks at -60 dBFS', peak_dbfs=-60.0),
        Situation('loud: peaks at -1 dBFS', peak_dbfs=-1.0),
        Situation('array 2.3 % smaller', {'elevation_covered': 0.68}, array_scale=_SMALLER),
        Situation('array 2.3 % larger', {'elevation_covered': 0.68}, array_scale=_LARGER),
        Situation(
            '4 microphones, 2 talkers 45 degrees apart',
            {'recall': 11 / 12},
            talkers=2,
            apart_deg=(45.0, 45.0),
            array=_FOUR_MICROPHONES,
        ),
        Situation(
            '4 microphones, 3 talkers 45 degrees apart',
            {'recall': 15 / 18},
            talkers=3,
            apart_deg=(45.0, 45.0),
            array=_FOUR_MICROPHONES,
        ),
    ),
    (
        'recall',
        'wrong_and_confident',
        'unanswered',
        'strongest_azimuth_mae_deg',
        'elevation_mae_deg',
        'elevation_bias_deg',
        'elevation_covered',
        'strongest_great_circle_deg',
        'phantoms',
    ),
)
