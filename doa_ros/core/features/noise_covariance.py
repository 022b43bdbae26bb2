# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Learning the spatial covariance of the noise at each frequency, and whitening by it.

The power of a whitened spectrum is 1 on average where there is noise alone, and higher where a
sound comes from elsewhere, however loud the noise is. So it also tells when to learn. The noise is
learnt where this power is near its smallest of the last seconds, as in minima-controlled recursive
averaging (I. Cohen, "Noise spectrum estimation in adverse environments: improved minima controlled
recursive averaging", IEEE Trans. Speech and Audio Processing 11(5), 2003), and where it is high
but steady: there a noise has begun. It is learnt where it is far below 1, too: there a noise is
gone.
"""

import numpy as np

from doa_ros.core.features.noise_floor import SMOOTHING, RunningMinimum
from doa_ros.core.features.pair_products import PairProducts

# The covariance is an average over so long [s]: three times the windows that six microphones need
# for an inverse that loses 3 dB (I. Reed, J. Mallett and L. Brennan, "Rapid convergence rate in
# adaptive arrays", IEEE Trans. Aerospace and Electronic Systems 10(6), 1974).
_LENGTH = 2.0
# The smallest power is that of so long a time, within which a talker pauses, and where a noise
# begins of a short time, longer than most syllables [s].
_PERIOD, _SHORT_PERIOD = 4.0, 0.6
# Power this much above its smallest is still that of the noise: its smoothed power varies so much.
_NEAR = 1.4
# A noise has begun where the smallest power of a short time is so high, and the mean over so long
# [s] is no higher than some times this; and if that is so in such a share of the bins, which no
# talker fills steadily, and until it is in hardly any.
_HIGH, _MEAN, _STEADY, _SHARE, _LAST_SHARE = np.float32(2.0), 0.2, np.float32(2.0), 0.3, 0.1
# Powers are averaged over so long [s], and over so many bins to either side: those of noise then
# vary less than those of a talker.
_NEIGHBOURS = 2
_POOL = np.full(2 * _NEIGHBOURS + 1, 1 / (2 * _NEIGHBOURS + 1), dtype=np.float32)
# The first windows are all learnt: as many as make a covariance of six microphones invertible.
_FIRST = 8
# Where what is learnt is so many times as loud as what is known, the past counts for few windows
# from then on, provided that it counts for more than a covariance needs. Where all that is heard
# is so many times as quiet, the noise is gone: no sound makes the power smaller. That is learnt,
# too, and the past counts for few windows until it is known.
_OBSOLETE, _KEPT, _NEEDED = np.float32(4.0), np.float32(3.0), 12
# Share of the mean power that is added to that of each microphone before inverting. In simulated
# rooms, less helps beside noise 20 dB above a talker, and more beside noise as loud as the talker.
_LOADING = np.float32(1e-3)
# An inverse is this many windows old at most: to invert all bins in every window would cost
# several times as much as the rest.
_TURNS = 8
# If a covariance was so much louder than its inverse expects, past powers are scaled; estimates
# differ less by chance.
_LOUDER = np.float32(1.4)
_TINY = np.float32(1e-20)


def inverted(matrices: np.ndarray) -> np.ndarray:
    """Return the inverses of Hermitian positive definite matrices, by Gauss-Jordan elimination.

    Such matrices need no pivoting, so that a step is one product for all bins.

    Args:
        matrices: they are overwritten; shape (n, n, bins).

    Returns:
        Of the same shape.
    """
    for k, row in enumerate(matrices):
        pivot = 1 / row[k].real
        column = matrices[:, k].copy()
        column[k], matrices[:, k], row[k] = 0, 0, 1
        row *= pivot
        matrices -= column[:, None] * row
    return matrices


def _real_product(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the real part of the sum of conj(one) * other over all axes but the last."""
    # Of complex numbers as pairs of real ones, which takes half as long.
    parts = one.view(np.float32) * other.view(np.float32)
    parts = np.add.reduce(parts, axis=tuple(range(parts.ndim - 1)))
    return np.asarray(parts[::2] + parts[1::2])


class NoiseCovariance:
    """The spatial covariance of the noise, and its inverse.

    Attributes:
        alive: which microphones are, shape (microphones,), bool.
        inverse: of the covariance with some loading, at most a few windows old, shape
            (microphones, microphones, bins), complex64.
        inverse_scale: mean of its diagonal, without dead microphones, shape (bins,), float32.
        begun: where a noise has begun and is being learnt, shape (bins,), bool.
        spread: logarithm to base 10 of the mean of the eigenvalues of the covariance over their
            harmonic mean, shape (bins,), float32. It is 0 for noise that is unrelated between
            microphones, or that is not known yet, and high for noise from few directions.

    Args:
        microphones: how many there are.
        bins: number of frequency bins.
        hop: time between windows [s].
    """

    def __init__(self, microphones: int, bins: int, hop: float):
        self._hop = hop
        self._keep = np.float32(np.exp(-hop / _LENGTH))
        gains = 1 - np.exp(-hop / np.array([SMOOTHING, SMOOTHING, SMOOTHING, _MEAN]))
        self._gains = gains.astype(np.float32)[:, None]
        self._edges = np.linspace(0, bins, _TURNS + 1).astype(int)
        self._upper_indices = np.triu_indices(microphones)
        self._products = PairProducts(range(microphones), bins, diagonal=0)
        self._padded = np.empty(bins + 2 * _NEIGHBOURS, dtype=np.float32)
        self._restart([True] * microphones, bins)

    def _restart(self, alive: list[bool], bins: int) -> None:
        """Forget all."""
        count = len(alive)
        self.alive, self._alive = np.array(alive), alive
        self._alive_count = np.float32(sum(alive))
        self._alive_mean = self.alive / self._alive_count
        # The covariance is Hermitian: its diagonal and what is right of that, as `_products`.
        self._upper = np.zeros((count * (count + 1) // 2, bins), dtype=np.complex64)
        self.inverse, self._terms = np.zeros((2, count, count, bins), dtype=np.complex64)
        self.inverse_scale = np.ones(bins, dtype=np.float32)
        self.spread = np.zeros(bins, dtype=np.float32)
        self._count = np.zeros(bins, dtype=np.float32)
        self._learnt = self._turn = 0
        self._learning_anew = False
        self.begun = np.zeros(bins, dtype=bool)

    @property
    def covariance(self) -> np.ndarray:
        """The covariance, shape (microphones, microphones, bins), complex64.

        Its power is that of the spectra; rows and columns of dead microphones are 0.
        """
        return self._covariance(slice(None))

    def _covariance(self, part: slice) -> np.ndarray:
        """Return it in a part of the band."""
        upper, (rows, columns) = self._upper[:, part], self._upper_indices
        matrices = np.empty((*self.inverse.shape[:2], upper.shape[1]), dtype=np.complex64)
        matrices[columns, rows] = upper.conj()
        matrices[rows, columns] = upper
        return matrices

    def _start_powers(self, power: np.ndarray) -> None:
        """Begin to compare whitened powers with this one."""
        bins = len(power)
        self._floor = RunningMinimum(bins, self._hop, _PERIOD)
        self._short_floor = RunningMinimum(bins, self._hop, _SHORT_PERIOD)
        self._averages = np.stack([power] * 4)
        self._started = False

    def whiten(self, spectra: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Learn from a window; return the inverse times its spectra, and its whitened power.

        Args:
            spectra: of the microphones, 0 of dead ones, shape (microphones, bins), complex64.

        Returns:
            Shape (microphones, bins), complex64, and (bins,), float32: that of noise is 1.
        """
        alive: list[bool] = np.asarray(spectra.any(axis=1)).tolist()
        if not any(alive):
            return np.zeros_like(spectra), np.zeros(spectra.shape[1], dtype=np.float32)
        if alive != self._alive:
            self._restart(alive, spectra.shape[1])
        if self._learnt < _FIRST:
            self._learnt += 1
            self._learn(spectra, np.ones(spectra.shape[1], dtype=bool))
            self._invert(slice(None), self.covariance)
        np.multiply(self.inverse, spectra, out=self._terms)
        whitened = np.add.reduce(self._terms, axis=1)
        power = np.maximum(_real_product(spectra, whitened), 0)
        power /= self._alive_count
        if self._learnt == _FIRST:
            # From now on powers are comparable.
            self._learnt += 1
            self._start_powers(self._pooled(power))
        elif self._learnt > _FIRST:
            self._learn(spectra, self._is_noise(self._pooled(power)))
            self._invert_next()
        return whitened, power

    def _pooled(self, power: np.ndarray) -> np.ndarray:
        """Return the mean over neighbouring bins."""
        padded = self._padded
        padded[_NEIGHBOURS:-_NEIGHBOURS] = power
        padded[:_NEIGHBOURS], padded[-_NEIGHBOURS:] = power[0], power[-1]
        return np.correlate(padded, _POOL)

    def _is_noise(self, power: np.ndarray) -> np.ndarray:
        """Return in which bins a whitened power is that of noise, and forget what is obsolete."""
        if not self._started:
            # What the minima are of begins one window later than the rest.
            self._averages[:2], self._started = power, True
        change = power - self._averages
        change *= self._gains
        self._averages += change
        # The first is as it was heard; the others are scaled where the inverse changes much.
        unscaled, scaled, smooth, mean = self._averages
        short_floor = self._short_floor.update(scaled)
        near = smooth < _NEAR * self._floor.update(unscaled)
        high = short_floor > _HIGH
        steady = high & (mean < _STEADY * short_floor)
        share = np.count_nonzero(steady) / len(steady)
        begun = bool(share > (_LAST_SHARE if self._learning_anew else _SHARE))
        self._learning_anew = begun
        self.begun = high & (smooth < _NEAR * short_floor) & begun
        gone = smooth < 1 / _OBSOLETE
        noise: np.ndarray = near | self.begun | gone
        obsolete = gone | (noise & (smooth > _OBSOLETE) & (self._count > _NEEDED))
        np.minimum(self._count, _KEPT, out=self._count, where=obsolete)
        return noise

    def _learn(self, spectra: np.ndarray, noise: np.ndarray) -> None:
        """Average the products of spectra in the bins where they are those of noise."""
        np.multiply(self._count, self._keep, out=self._count, where=noise)
        self._count += noise
        share = noise / np.maximum(self._count, 1)
        products = self._products.of(spectra)
        products -= self._upper
        products *= share
        self._upper += products

    def _invert_next(self) -> None:
        """Invert in a part of the band, and keep the powers in it comparable."""
        part = slice(self._edges[self._turn], self._edges[self._turn + 1])
        self._turn = (self._turn + 1) % _TURNS
        covariance = self._covariance(part)
        # The covariance is Hermitian, so that this is the trace of the product.
        expected = _real_product(self.inverse[..., part], covariance)
        expected /= self._alive_count
        louder = expected > _LOUDER
        if louder.any():
            change = np.where(louder, 1 / np.maximum(expected, _LOUDER), np.float32(1))
            self._averages[1:, part] *= change
            self._short_floor.scale(part, change)
        self._invert(part, covariance)

    def _invert(self, part: slice, matrices: np.ndarray) -> None:
        """Invert the covariance in a part of the band."""
        count = len(matrices)
        diagonal = matrices.reshape(count * count, -1)[:: count + 1]
        power = diagonal.real.sum(axis=0) / self._alive_count
        diagonal += _LOADING * power + _TINY
        self.inverse[..., part] = inverted(matrices)
        scale = self._alive_mean @ diagonal.real
        self.inverse_scale[part] = scale
        # That of few windows is high by chance.
        known = self._count[part] >= _NEEDED
        spread = np.log10(np.maximum(power * scale, 1))
        np.copyto(self.spread[part], spread, where=known)
