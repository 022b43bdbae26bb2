# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Sounds other than steady noise and even speech: music, doors, rain, and silence afterwards."""

from .situation import DirectionalNoise, Family, Situation
from .sounds import babble, chords, claps, door_slam, hum, rain, rumble, uneven_words

_SILENCE = {'silence_answered': 0.01}

SOUNDS_AND_SILENCE = Family(
    'Other sounds, and silence after them',
    (
        Situation(
            'loud chords from one direction',
            {'strongest_azimuth_mae_deg': 5.0, 'wrong_and_confident': 0.01},
            voice=chords,
            peak_dbfs=-10.0,
        ),
        Situation('door slams 15 dB above the talker', slam=door_slam),
        Situation(
            'talker falls silent',
            {'silence_answered': 0.10, 'predicted_in_silence': 1.0},
            # Nothing but the silence afterwards is silent long enough to be scored.
            lead=0.3,
            talk=3.5,
            tail=4.0,
        ),
        Situation('levels of words differ by 15 dB', voice=uneven_words),
        Situation('hum or rumble at 15 dB', _SILENCE, noise=DirectionalNoise((hum, rumble), 15.0)),
        Situation('talker in rain, 5 dB', _SILENCE, diffuse=rain, snr=(5.0, 5.0)),
        Situation('rain alone', _SILENCE, diffuse=rain, talkers=0),
        Situation('talker amid babble, 5 dB', _SILENCE, diffuse=babble, snr=(5.0, 5.0)),
        Situation('babble alone', _SILENCE, diffuse=babble, talkers=0),
        Situation('claps from three directions', talkers=3, voice=claps, kind='impulse'),
    ),
    (
        'recall',
        'wrong_and_confident',
        'unanswered',
        'strongest_azimuth_mae_deg',
        'phantoms',
        'confident_phantoms',
        'silence_answered',
        'predicted_in_silence',
        'elevation_mae_deg',
    ),
)
