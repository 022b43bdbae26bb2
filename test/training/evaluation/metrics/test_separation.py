# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The figures of `evaluate --bench voices`, of sounds that are known."""

import numpy as np
import pytest

from training.evaluation.methods.separation import CentreMicrophone, SeparationMethod
from training.evaluation.metrics.metric import summarise
from training.evaluation.metrics.separation import METRICS, collect_separation
from training.evaluation.metrics.separation.onset import onset_given
from training.evaluation.metrics.separation.si_sdr import si_sdr
from training.simulation.talkers import HeardTalker, TalkersClip

RATE = 16000
_GENERATOR = np.random.default_rng(1)
WANTED, REST = _GENERATOR.standard_normal((2, 3 * RATE)).astype(np.float32)
BEGIN = RATE // 2


class Gives(SeparationMethod):
    """Gives the same sound of each talker."""

    name = 'gives'

    def __init__(self, sound):
        self._sound = sound

    def sounds(self, clip):
        return [self._sound for _ in clip.talkers]


def _figures(*methods):
    talker = HeardTalker(0.0, 0.0, WANTED, BEGIN)
    clip = TalkersClip(np.zeros((len(WANTED), 2), np.float32), WANTED + REST, (talker,), 'room')
    table = collect_separation(methods, [('here', clip)])
    return {name: summarise(mine, METRICS) for name, mine in table.groupby('method')}


@pytest.mark.parametrize('level_db', [-10.0, 0.0, 15.0])
def test_si_sdr_is_the_level_over_what_else_is_heard(level_db):
    rest = REST - (REST @ WANTED) / (WANTED @ WANTED) * WANTED
    rest *= np.linalg.norm(WANTED) / np.linalg.norm(rest) * 10 ** (-level_db / 20)
    assert si_sdr(0.3 * (WANTED + rest), WANTED) == pytest.approx(level_db, abs=0.01)


def test_si_sdr_of_silence_is_a_number():
    assert np.isfinite(si_sdr(np.zeros(100), WANTED[:100]))
    assert np.isfinite(si_sdr(WANTED[:100], np.zeros(100)))


@pytest.mark.parametrize(
    'missing,given',
    [(slice(0, BEGIN), True), (slice(BEGIN + 4800, None), True), (slice(0, BEGIN + 1), False)],
)
def test_an_onset_is_given_where_all_of_its_samples_are(missing, given):
    sound = WANTED.copy()
    sound[missing] = np.nan
    assert onset_given(sound, BEGIN) is given


def test_figures_are_beside_the_centre_microphone():
    pytest.importorskip('pystoi')
    half = WANTED + np.float32(0.5) * REST
    half[:RATE] = np.nan
    figures = _figures(CentreMicrophone(), Gives(half))
    before, after = figures['centre microphone'], figures['gives']
    assert before['si_sdr_gain'] == before['stoi_gain'] == 0
    assert before['found'] == before['onset'] == 1
    # A fifth of the talker is not given: less than 6 dB.
    assert 2 < after['si_sdr_gain'] < 4
    assert after['stoi_gain'] > 0.05
    assert (after['found'], after['onset']) == (1, 0)


def test_a_talker_without_a_sound_has_no_quality():
    pytest.importorskip('pystoi')
    figures = _figures(Gives(np.full(len(WANTED), np.nan)))['gives']
    assert figures['found'] == 0
    assert np.isnan(figures['si_sdr_gain']) and np.isnan(figures['stoi'])
