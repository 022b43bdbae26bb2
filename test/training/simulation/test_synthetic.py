# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
import numpy as np

from training.simulation import synthetic
from training.simulation.synthetic import noise, voice, write_sounds


def levels(samples):
    """Return the level of each 50 ms below the loudest [dB]."""
    blocks = samples[: len(samples) // 800 * 800].reshape(-1, 800)
    power = np.mean(blocks**2, axis=1) + 1e-12
    return 10 * np.log10(power / power.max())


def test_a_voice_has_pauses_and_fills_the_band():
    samples = voice(np.random.default_rng(0))
    assert len(samples) >= 8 * 16000
    assert 0.05 < np.mean(levels(samples) < -30) < 0.5
    spectrum = np.abs(np.fft.rfft(samples)) ** 2
    frequencies = np.fft.rfftfreq(len(samples), 1 / 16000)
    for low, high in ((200, 1000), (1000, 3000), (3000, 7000)):
        share = spectrum[(frequencies >= low) & (frequencies < high)].sum() / spectrum.sum()
        assert share > 0.02


def test_noise_goes_on_without_pauses():
    rng = np.random.default_rng(0)
    assert all(levels(noise(rng)).min() > -40 for _ in range(10))


def test_splits_are_folders_of_different_sounds(tmp_path, monkeypatch):
    monkeypatch.setattr(synthetic, '_FILES', {'train': 2, 'val': 1})
    monkeypatch.setattr(synthetic, '_SECONDS', 1.0)
    write_sounds(tmp_path, seed=1)
    files = sorted(tmp_path.rglob('*.flac'))
    assert len(files) == 6
    assert len({file.read_bytes() for file in files}) == 6
