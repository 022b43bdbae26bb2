# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace
import math

import pytest

from training.evaluation.methods.baselines.pyroom import ALGORITHMS, Pyroom
from training.evaluation.methods.inputs import BASELINE_RATE


@pytest.mark.parametrize('title', ALGORITHMS)
def test_plane_waves_are_found_by_every_algorithm(uma8, plane_wave, title):
    array = replace(uma8, sampling_frequency=BASELINE_RATE)
    audio = plane_wave(array, math.radians(-100), math.radians(30), duration=0.5)
    (found,) = Pyroom(title, array).locate(audio)
    assert math.degrees(found.azimuth) == pytest.approx(-100, abs=3)
    assert math.degrees(found.elevation) == pytest.approx(30, abs=6)
    assert math.isnan(found.confidence)


@pytest.mark.parametrize('title', ['SRP-PHAT', 'NormMUSIC'])
def test_two_sources_are_found_when_told_so(uma8, plane_wave, title):
    array = replace(uma8, sampling_frequency=BASELINE_RATE)
    audio = sum(
        plane_wave(array, math.radians(azimuth), math.radians(20), duration=0.5, seed=azimuth + 90)
        for azimuth in (-60, 60)
    )
    found = Pyroom(title, array, 2).locate(audio)
    degrees = sorted(math.degrees(estimate.azimuth) for estimate in found)
    assert degrees == pytest.approx([-60, 60], abs=5)
