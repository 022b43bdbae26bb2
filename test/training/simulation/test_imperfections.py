# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Imperfect microphones and housings."""

import numpy as np
import pytest

from training.sections import SimulateConfig
from training.simulation.imperfections import draw_specimen

FREQUENCIES = np.linspace(0, 8000, 801)


def specimens(array, **settings):
    nothing = {'gain_db': 0.0, 'phase_deg': 0.0, 'position': 0.0}
    config = SimulateConfig(**{**nothing, **settings})
    return [draw_specimen(np.random.default_rng(seed), array, config) for seed in range(100)]


def test_a_perfect_board_changes_nothing(uma8):
    specimen = specimens(uma8)[0]
    np.testing.assert_allclose(specimen.response(FREQUENCIES), 1)
    np.testing.assert_array_equal(specimen.positions, uma8.positions)
    assert specimen.shading(np.array([1.0, 0, 0]), FREQUENCIES) is None


def test_errors_are_as_large_as_asked(uma8):
    drawn = specimens(uma8, gain_db=2.0, phase_deg=5.0, position=0.001)
    responses = np.array([specimen.response(FREQUENCIES) for specimen in drawn])
    assert np.std(20 * np.log10(np.abs(responses[..., 0]))) == pytest.approx(2, rel=0.15)
    # At 1 kHz, an octave of which the phase is drawn.
    assert np.std(np.degrees(np.angle(responses[..., 100]))) == pytest.approx(5, rel=0.15)
    moved = [specimen.positions - uma8.positions for specimen in drawn]
    assert np.std(moved) == pytest.approx(0.001, rel=0.15)


def test_arrays_are_a_little_larger_or_smaller(uma8):
    drawn = [s.positions for s in specimens(uma8, size=0.02)]
    sizes = [
        np.linalg.norm(positions[1]) / np.linalg.norm(uma8.positions[1]) for positions in drawn
    ]
    assert np.std(sizes) == pytest.approx(0.02, rel=0.2)
    for size, positions in zip(sizes, drawn, strict=True):
        np.testing.assert_allclose(positions, size * uma8.positions)


def test_a_housing_shades_its_far_side(uma8):
    specimen = specimens(uma8, enclosure=1.0)[0]
    outwards = uma8.positions[1] / np.linalg.norm(uma8.positions[1])
    near = np.abs(specimen.shading(outwards, FREQUENCIES)[1])
    far = np.abs(specimen.shading(-outwards, FREQUENCIES)[1])
    np.testing.assert_allclose(near, 1, atol=0.05)
    assert far[10] > 0.95  # 100 Hz
    assert far[-1] < 0.3
    assert np.ptp(np.abs(specimen.response(FREQUENCIES))) > 0.1
