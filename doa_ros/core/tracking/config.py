# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Settings of the tracker."""

from dataclasses import dataclass

from doa_ros.core.config import Config, setting


@dataclass(frozen=True)
class TrackerConfig(Config):
    """How talkers move, how precise detections are, and when a track begins and ends."""

    RENAMED = {
        'confirmation': 'confirmation_time',
        'delay': 'observation_delay',
        'correlation': 'error_correlation_time',
        'manoeuvre': 'manoeuvre_gain',
        'velocity_deg': 'initial_velocity_deg',
        'velocity_memory': 'velocity_decay_time',
        'stddev_min_deg': 'observation_stddev_min_deg',
        'gate': 'gate_sigma',
    }

    track_timeout: float = setting(
        2.5,
        'A track ends after this time without a detection of its talker [s].',
        minimum=0.1,
        maximum=60.0,
    )
    prediction_time: float = setting(
        0.5,
        'Tracks are given for this time after the last talker fell silent [s]. From then on they '
        'are only kept; a talker who is heard again within track_timeout gets theirs back.',
        minimum=0.0,
        maximum=60.0,
    )
    confirmation_time: float = setting(
        0.12,
        'A new track is confirmed when its score reaches this time [s]: a window with a '
        'detection of confidence 1 adds hop to the score, one of confidence 1/3 adds nothing, and '
        'a window without a detection takes half of hop away.',
        minimum=0.0,
        maximum=5.0,
    )
    birth_confidence_min: float = setting(
        0.7,
        'Smallest confidence of a detection that begins a track, 0..1; a less confident one can '
        'only continue a track.',
        minimum=0.0,
        maximum=1.0,
    )
    confidence_time: float = setting(
        0.5,
        'Time constant of the confidence of a track, which is a mean of the confidences of its '
        'detections [s].',
        minimum=0.01,
        maximum=60.0,
    )
    observation_delay: float = setting(
        0.03,
        'How far a detection lags behind the mean time of its sound [s].',
        minimum=0.0,
        maximum=2.0,
    )
    error_correlation_time: float = setting(
        0.05,
        'Time over which the errors of successive detections are correlated [s].',
        minimum=0.001,
        maximum=5.0,
    )
    white_error_share: float = setting(
        0.07,
        'Share of the error variance of a detection that is independent of earlier detections '
        '[1].',
        minimum=0.001,
        maximum=1.0,
    )
    observation_stddev_min_deg: float = setting(
        5.0,
        'Lower bound of the standard deviation of a detection [deg].',
        minimum=0.1,
        maximum=90.0,
    )
    acceleration_deg: float = setting(
        6.0,
        'How much the angular velocity of a talker changes in a second, as a standard deviation '
        '[deg/s].',
        minimum=0.1,
        maximum=1000.0,
    )
    manoeuvre_gain: float = setting(
        0.2,
        'How much acceleration_deg grows per angular velocity, as a talker who walks may turn or '
        'stop [1].',
        minimum=0.0,
        maximum=10.0,
    )
    unheard_acceleration_deg: float = setting(
        5.0,
        'How much acceleration_deg grows while the talker is not heard, as they may begin to walk '
        'or stop [deg/s].',
        minimum=0.0,
        maximum=1000.0,
    )
    initial_velocity_deg: float = setting(
        80.0,
        'Angular velocity of a new talker, as a standard deviation [deg/s].',
        minimum=0.0,
        maximum=1000.0,
    )
    velocity_decay_time: float = setting(
        8.0,
        'While a talker is not heard, the velocity decays with this time constant [s].',
        minimum=0.05,
        maximum=60.0,
    )
    elevation_motion_ratio: float = setting(
        0.12,
        'Velocities and accelerations in elevation, as a share of those in azimuth [1].',
        minimum=0.0,
        maximum=10.0,
    )
    gate_sigma: float = setting(
        8.0,
        'Largest distance of a detection from a track it belongs to, in standard deviations [1].',
        minimum=1.0,
        maximum=10.0,
    )
