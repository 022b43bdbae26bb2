# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What the noises of random scenes sound like."""

import numpy as np
import pytest

from training.simulation.corpus import load_corpus
from training.simulation.noises import changing_noise, noise, recorded_noise

RATE = 16000
SAMPLES = 4 * RATE


@pytest.fixture(scope='module')
def corpus(sounds):
    return load_corpus(sounds, 'train', RATE)


def level_db(part):
    return 10 * np.log10(np.mean(np.square(part, dtype=float)) + 1e-20)


@pytest.mark.parametrize('seed', range(30))
def test_noise_is_there_all_the_time_and_another_one_each_time(corpus, seed):
    made = noise(np.random.default_rng(seed), corpus, SAMPLES)
    assert made.shape == (SAMPLES,) and made.dtype == np.float32 and np.isfinite(made).all()
    seconds = [level_db(part) for part in made.reshape(4, RATE)]
    assert max(seconds) - min(seconds) < 12
    other = noise(np.random.default_rng(seed + 1000), corpus, SAMPLES)
    assert abs(np.corrcoef(made, other)[0, 1]) < 0.2


def test_noises_are_of_all_colours(corpus):
    """The median frequency of the power goes from the low to the high end of speech."""
    medians = []
    for seed in range(60):
        made = noise(np.random.default_rng(seed), corpus, SAMPLES)
        power = np.cumsum(np.abs(np.fft.rfft(made)) ** 2)
        medians.append(np.argmax(power > 0.5 * power[-1]) / len(power) * RATE / 2)
    assert np.mean(np.array(medians) < 500) > 0.1
    assert np.mean(np.array(medians) > 2500) > 0.1


def test_some_noises_are_recorded(corpus, monkeypatch):
    drawn = []
    monkeypatch.setattr(corpus, 'draw', lambda kind, rng: drawn.append(kind) or np.ones(SAMPLES))
    for seed in range(60):
        noise(np.random.default_rng(seed), corpus, SAMPLES)
    assert set(drawn) == {'noise'} and 3 < len(drawn) < 30


def test_pieces_of_a_recording_are_others(corpus):
    pieces = recorded_noise(np.random.default_rng(1), corpus, SAMPLES, 3)
    assert pieces.shape == (3, SAMPLES)
    assert np.abs(np.corrcoef(pieces) - np.eye(3)).max() < 0.9


def test_noise_begins_or_ends(corpus):
    tenth = SAMPLES // 10
    begins = []
    for seed in range(20):
        made = changing_noise(np.random.default_rng(seed), corpus, SAMPLES)
        first, last = level_db(made[:tenth]), level_db(made[-tenth:])
        assert abs(first - last) > 40
        assert min(first, last) == pytest.approx(-200)
        begins.append(first < last)
    assert 0 < sum(begins) < 20
