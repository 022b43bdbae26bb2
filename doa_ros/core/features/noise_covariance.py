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
from scipy.ndimage import uniform_filter1d

from doa_ros.core.features.noise_floor import NoiseFloor

# The covariance is an average over so long [s]: three times the windows that six microphones need
# for an inverse that loses 3 dB (I. Reed, J. Mallett and L. Brennan, "Rapid convergence rate in
# adaptive arrays", IEEE Trans. Aerospace and Electronic Systems 10(6), 1974).
_LENGTH = 2.0
# The smallest power is that of so long a time, within which a talker pauses, and where a noise
# begins of a short time, longer than most syllables [s].
_PERIOD, _SHORT_PERIOD = 4.0, 0.6
# Power this much above its smallest is still that of the noise: its smoothed power varies so much.
_NEAR = np.float32(1.4)
# A noise has begun where the smallest power of a short time is so high, and the mean over so long
# [s] is no higher than some times this; and if that is so in such a share of the bins, which no
# talker fills steadily, and until it is in hardly any.
_HIGH, _MEAN, _STEADY, _SHARE, _LAST_SHARE = np.float32(2.0), 0.2, np.float32(2.0), 0.3, 0.1
# Powers are averaged over so long [s], and over so many bins to either side: those of noise then
# vary less than those of a talker.
_SMOOTHING, _NEIGHBOURS = 0.15, 2
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
_LOUDER = 1.4
_TINY = np.float32(1e-20)


def inverted(matrices: np.ndarray) -> np.ndarray:
    """Return the inverses of Hermitian positive definite matrices, by Gauss-Jordan elimination.

    Such matrices need no pivoting, so that a step is one product for all bins.

    Args:
        matrices: they are overwritten; shape (n, n, bins).

    Returns:
        Of the same shape.
    """
    for k in range(len(matrices)):
        pivot = 1 / matrices[k, k].real
        row = matrices[k] * pivot
        row[k] = pivot
        column = matrices[:, k].copy()
        column[k] = 0
        matrices[:, k] = 0
        matrices[k] = row
        matrices -= column[:, None] * row
    return matrices


class NoiseCovariance:
    """The spatial covariance of the noise, and its inverse.

    Attributes:
        alive: which microphones are, shape (microphones,), bool.
        covariance: of the noise, shape (microphones, microphones, bins), complex64. Its power is
            that of the spectra; rows and columns of dead microphones are 0.
        inverse: of that with some loading, at most a few windows old, of the same shape.
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
        self._keep, self._keep_smooth, self._keep_mean = (
            np.float32(np.exp(-hop / time)) for time in (_LENGTH, _SMOOTHING, _MEAN)
        )
        self._edges = np.linspace(0, bins, _TURNS + 1).astype(int)
        self.alive: np.ndarray = np.ones(microphones, dtype=bool)
        self._restart(bins)

    def _restart(self, bins: int) -> None:
        """Forget all."""
        shape = len(self.alive), len(self.alive), bins
        self.covariance, self.inverse = np.zeros((2, *shape), dtype=np.complex64)
        self.inverse_scale = np.ones(bins, dtype=np.float32)
        self.spread = np.zeros(bins, dtype=np.float32)
        self._count = np.zeros(bins, dtype=np.float32)
        self._learnt = self._turn = 0
        self._learning_anew = False
        self.begun = np.zeros(bins, dtype=bool)

    def _start_powers(self, power: np.ndarray) -> None:
        """Begin to compare whitened powers with this one."""
        bins = len(power)
        self._floor = NoiseFloor(bins, self._hop, _PERIOD, bias=1.0)
        self._short_floor = NoiseFloor(bins, self._hop, _SHORT_PERIOD, bias=1.0)
        self._smooth, self._mean = power.copy(), power.copy()

    def whiten(self, spectra: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Learn from a window; return the inverse times its spectra, and its whitened power.

        Args:
            spectra: of the microphones, 0 of dead ones, shape (microphones, bins), complex64.

        Returns:
            Shape (microphones, bins), complex64, and (bins,), float32: that of noise is 1.
        """
        alive = np.asarray(spectra.any(axis=1))
        if not alive.any():
            return np.zeros_like(spectra), np.zeros(spectra.shape[1], dtype=np.float32)
        if (alive != self.alive).any():
            self.alive = alive
            self._restart(spectra.shape[1])
        conjugate = spectra.conj()
        if self._learnt < _FIRST:
            self._learnt += 1
            self._learn(spectra, np.ones(spectra.shape[1], dtype=bool))
            self._invert(slice(None))
        whitened = (self.inverse * spectra).sum(axis=1)
        conjugate *= whitened
        power = np.maximum(conjugate.sum(axis=0).real, 0) / np.float32(alive.sum())
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
        return uniform_filter1d(power, 2 * _NEIGHBOURS + 1, mode='nearest')

    def _is_noise(self, power: np.ndarray) -> np.ndarray:
        """Return in which bins a whitened power is that of noise, and forget what is obsolete."""
        smooth, mean = self._smooth, self._mean
        smooth += (1 - self._keep_smooth) * (power - smooth)
        mean += (1 - self._keep_mean) * (power - mean)
        short_floor = self._short_floor.update(power)
        near = smooth < _NEAR * self._floor.update(power)
        high = short_floor > _HIGH
        steady = high & (mean < _STEADY * short_floor)
        begun = steady.mean() > (_LAST_SHARE if self._learning_anew else _SHARE)
        self._learning_anew = begun
        self.begun = high & (smooth < _NEAR * short_floor) & begun
        gone = smooth < 1 / _OBSOLETE
        noise: np.ndarray = near | self.begun | gone
        obsolete = gone | (noise & (smooth > _OBSOLETE) & (self._count > _NEEDED))
        self._count[obsolete] = np.minimum(self._count[obsolete], _KEPT)
        return noise

    def _learn(self, spectra: np.ndarray, noise: np.ndarray) -> None:
        """Average the products of spectra in the bins where they are those of noise."""
        count = np.where(noise, self._keep * self._count + 1, self._count)
        share = np.where(noise, 1 / np.maximum(count, 1), 0).astype(np.float32)
        products = spectra[:, None] * spectra.conj()
        products -= self.covariance
        products *= share
        self.covariance += products
        self._count = count

    def _invert_next(self) -> None:
        """Invert in a part of the band, and keep the powers in it comparable."""
        part = slice(self._edges[self._turn], self._edges[self._turn + 1])
        self._turn = (self._turn + 1) % _TURNS
        # The covariance is Hermitian, so that this is the trace of the product.
        expected = (self.inverse[..., part].conj() * self.covariance[..., part]).real.sum((0, 1))
        change = np.float32(self.alive.sum()) / np.maximum(expected, _TINY)
        change = np.where(change < 1 / _LOUDER, change, np.float32(1))
        self._smooth[part] *= change
        self._mean[part] *= change
        self._short_floor.scale(part, change)
        self._invert(part)

    def _invert(self, part: slice) -> None:
        """Invert in a part of the band."""
        matrices = self.covariance[..., part].copy()
        diagonal = np.arange(len(self.alive))
        power = matrices[diagonal, diagonal].real.sum(axis=0) / np.float32(self.alive.sum())
        matrices[diagonal, diagonal] += _LOADING * power + _TINY
        inverse = inverted(matrices)
        self.inverse[..., part] = inverse
        scale = inverse[diagonal, diagonal].real[self.alive].mean(axis=0)
        self.inverse_scale[part] = scale
        # That of few windows is high by chance.
        known = self._count[part] >= _NEEDED
        self.spread[part][known] = np.log10(np.maximum(power * scale, 1))[known]
