# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace
import math

import pytest

from training.scores.frames import PEER_RATE
from training.scores.peers.pyroom import ALGORITHMS, Pyroom


@pytest.mark.parametrize('title', ALGORITHMS)
def test_plane_waves(uma8, plane_wave, title):
    array = replace(uma8, sampling_frequency=PEER_RATE)
    audio = plane_wave(array, math.radians(-100), math.radians(30), duration=0.5)
    found = Pyroom(title, array).locate(audio)
    assert math.degrees(found.azimuth) == pytest.approx(-100, abs=3)
    assert math.degrees(found.elevation) == pytest.approx(30, abs=6)
    assert math.isnan(found.confidence)
