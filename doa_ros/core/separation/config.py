# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Settings of the separation."""

from dataclasses import dataclass

from doa_ros.core.config import Config, setting


@dataclass(frozen=True)
class SeparationConfig(Config):
    """When the sound of a track begins and ends, and how much is taken out of it."""

    pre_roll: float = setting(
        0.8,
        'The sound of a track begins so long before its first detection [s].',
        minimum=0.0,
        maximum=2.0,
    )
    hold_time: float = setting(
        2.5,
        'The sound of a track ends after this time without the track [s]; it should be at least '
        'track_timeout, so that talkers who go on after a pause go on in the same sound.',
        minimum=0.1,
        maximum=60.0,
    )
    post_filter_db: float = setting(
        20.0,
        'The most that the post-filter attenuates a frequency [dB]; 0 switches it off.',
        minimum=0.0,
        maximum=60.0,
    )
