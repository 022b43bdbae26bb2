# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
import numpy as np

from training.simulation.pauses import shorten_pauses


def test_pauses_of_speech_are_shortened():
    rng = np.random.default_rng(0)
    word, pause = rng.standard_normal(8000), 1e-4 * rng.standard_normal(16000)
    speech = np.concatenate([word, pause[:3200], word, pause, word])
    shortened = shorten_pauses(np.concatenate([pause, speech, pause, [0.0] * 7]), 16000)
    # Of the long pause of 1 s, 0.3 s are left, and nothing before and after the words.
    assert len(shortened) == len(speech) - 11200
    np.testing.assert_array_equal(shortened[: 19200 + 4800], speech[: 19200 + 4800])
    np.testing.assert_array_equal(shortened[-8000:], word)
    np.testing.assert_array_equal(shorten_pauses(np.zeros(5000), 16000), np.zeros(5000))
