# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
import subprocess
import sys

import numpy as np
import pytest

from doa_ros.resources import config_directory
from training import evaluate
from training.evaluate import CONDITIONS, demo_material, make_clip, score_methods


@pytest.fixture(scope='module')
def scores(uma8):
    material = demo_material(uma8)
    # Three of the directions keep the test short; `training evaluate` takes all of them.
    return {
        condition: score_methods(
            uma8,
            ['uma8_reference_int8', 'uma8_reference_float32'],
            [make_clip(uma8, material, condition, number) for number in (3, 9, 15)],
        )
        for condition in CONDITIONS
    }


@pytest.mark.parametrize('condition', CONDITIONS, ids=lambda c: c.name)
def test_the_shipped_model_reaches_its_goal(scores, condition):
    free, gated = scores[condition]['uma8_reference_int8']
    assert free.voiced >= 15
    assert free.azimuth_mae_deg <= condition.goal_mae_deg
    assert gated.answered > 0.7


@pytest.mark.parametrize('condition', CONDITIONS, ids=lambda c: c.name)
def test_int8_is_as_good_as_float32(scores, condition):
    int8 = scores[condition]['uma8_reference_int8'][0]
    float32 = scores[condition]['uma8_reference_float32'][0]
    assert int8.azimuth_mae_deg == pytest.approx(float32.azimuth_mae_deg, abs=0.7)


def test_peers_work_too_or_the_comparison_would_be_unfair(scores):
    for method, (score, _) in scores[CONDITIONS[0]].items():
        assert score.azimuth_mae_deg < 5, method
        assert score.elevation_mae_deg < 15, method


def test_the_report_is_written(scores, tmp_path):
    rows = [
        (condition, method, *pair)
        for condition, methods in scores.items()
        for method, pair in methods.items()
    ]
    evaluate._write_report(tmp_path, rows)
    assert (tmp_path / 'report.md').read_text(encoding='utf-8').count('\n') == 2 + len(rows)
    assert (tmp_path / 'errors.png').stat().st_size > 5000


def test_the_command_line_explains_itself():
    checkout = config_directory().parent
    for verb in ('simulate', 'train', 'quantize', 'evaluate'):
        done = subprocess.run(
            [sys.executable, '-m', 'training', verb, '--help'],
            cwd=checkout,
            capture_output=True,
            text=True,
            check=True,
        )
        assert f'doa-train {verb}' in done.stdout


def test_bad_arguments_end_with_one_sentence():
    done = subprocess.run(
        [sys.executable, '-m', 'training', 'evaluate', '--array', 'no_such_array'],
        cwd=config_directory().parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert 'no array named' in done.stderr
    assert 'Traceback' not in done.stderr


def test_seeds_repeat(uma8):
    first, second = (make_clip(uma8, demo_material(uma8), CONDITIONS[0], 2) for _ in range(2))
    np.testing.assert_array_equal(first.audio, second.audio)
