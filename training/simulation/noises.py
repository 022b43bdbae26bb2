# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What the noises of random scenes sound like: of all colours, from machines, rain, recordings.

The scenes of `evaluate --bench world` have noises of their own: no network is trained on those
that it is tested with.
"""

from collections.abc import Callable

import numpy as np

from .corpus import Corpus
from .sounds import appliance, band_noise, coloured_noise, drops, fan, hum, motor, pulses, tones

# The colour goes from white by way of pink to brown.
_MADE: tuple[Callable[[np.random.Generator, int, int], np.ndarray], ...] = (
    lambda rng, samples, rate: coloured_noise(rng, samples, rng.uniform(0, 2)),
    band_noise,
    appliance,
    fan,
    motor,
    tones,
    pulses,
    drops,
    hum,
)
_RECORDED = 0.2
# Share of the time after which a noise begins or ends, and how long it takes [s].
_CHANGE, _FADE = (0.2, 0.8), (0.01, 1.0)


def noise(rng: np.random.Generator, corpus: Corpus, samples: int) -> np.ndarray:
    """Return noise of a random kind, recorded or made up, shape (samples,)."""
    if rng.random() < _RECORDED:
        return recorded_noise(rng, corpus, samples, 1)[0]
    return _MADE[rng.integers(len(_MADE))](rng, samples, corpus.rate)


def changing_noise(rng: np.random.Generator, corpus: Corpus, samples: int) -> np.ndarray:
    """Return noise of a random kind that begins or ends after a while, shape (samples,)."""
    change = rng.uniform(*_CHANGE) * samples
    fade = rng.uniform(*_FADE) * corpus.rate
    gain = np.clip((np.arange(samples) - change) / fade, 0, 1)
    if rng.random() < 0.5:
        gain = gain[::-1]
    return gain.astype(np.float32) * noise(rng, corpus, samples)


def recorded_noise(
    rng: np.random.Generator, corpus: Corpus, samples: int, count: int
) -> np.ndarray:
    """Return pieces of one recording, shape (count, samples)."""
    recording = corpus.draw('noise', rng)
    if len(recording) < 2 * samples:
        recording = np.resize(recording, 2 * samples)
    starts = rng.integers(len(recording) - samples, size=count)
    noises = np.stack([recording[start : start + samples] for start in starts])
    # Recordings with long silences would leave nothing to scale.
    noises += np.float32(1e-3) * rng.standard_normal(noises.shape, dtype=np.float32)
    return noises
