# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Projections: after every step of the optimizer, each kernel is moved to where it may be.

That is projected gradient descent: the network learns under the constraint, and what `fit` leaves
behind meets it exactly.
"""

from abc import abstractmethod
from collections.abc import Callable

import keras
import numpy as np
from scipy.cluster.vq import kmeans2

from ..models.kernels import kernels

# Share of the steps after which all zeros are there, and how often they grow until then.
_RAMP, _TURNS = 0.75, 50
# Of k-means.
_ITERATIONS = 100


class Projection(keras.callbacks.Callback):
    """Projects every kernel of the network that is fitted, after every batch."""

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Project the kernels that the fit starts from."""
        self._step = 0
        self._kernels = kernels(self.model)
        self._projections = [self.begin(np.asarray(kernel)) for kernel in self._kernels]
        self._project()

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Project what the optimizer made of the kernels."""
        self._step += 1
        self._project()

    def _project(self) -> None:
        for kernel, project in zip(self._kernels, self._projections, strict=True):
            kernel.assign(project(np.asarray(kernel), self._step))

    @abstractmethod
    def begin(self, kernel: np.ndarray) -> Callable[[np.ndarray, int], np.ndarray]:
        """Return the projection of one kernel, from its values and the number of steps so far."""


class Pruning(Projection):
    """Makes the smallest weights of each kernel zero.

    The share of zeros grows with the third power of the steps that are left (M. Zhu and S. Gupta,
    "To prune, or not to prune: exploring the efficacy of pruning for model compression", 2017,
    arXiv:1710.01878).

    Args:
        sparsity: share of zeros in the end, 0..1.
        steps: of the whole fit.
    """

    def __init__(self, sparsity: float, steps: int):
        super().__init__()
        self._sparsity = sparsity
        self._last = max(1, int(_RAMP * steps))
        self._every = max(1, self._last // _TURNS)

    def begin(self, kernel: np.ndarray) -> Callable[[np.ndarray, int], np.ndarray]:
        """Return a function that keeps the zeros of a kernel and lets them grow in turns."""
        kept = np.ones(kernel.shape, bool)

        def project(values: np.ndarray, step: int) -> np.ndarray:
            nonlocal kept
            if step <= self._last and (step % self._every == 0 or step == self._last):
                kept = _largest(values, self.sparsity_at(step))
            return values * kept

        return project

    def sparsity_at(self, step: int) -> float:
        """Return the share of zeros after so many steps, 0..1."""
        left = 1 - min(1.0, step / self._last)
        return self._sparsity * (1 - left**3)


def _largest(values: np.ndarray, sparsity: float) -> np.ndarray:
    """Return which weights are left where the smallest become zero, a bool array."""
    kept = np.ones(values.size, bool)
    kept[np.argsort(np.abs(values), axis=None)[: round(sparsity * values.size)]] = False
    return kept.reshape(values.shape)


class WeightSharing(Projection):
    """Lets the weights of each kernel share a few values, which are trained on.

    The values are found by k-means (S. Han, H. Mao and W. Dally, "Deep compression: compressing
    deep neural networks with pruning, trained quantization and Huffman coding", ICLR 2016). What
    the optimizer does to the shared values is done to weights behind them that are not shared, so
    that a weight can come to share another value. A kernel with no more weights than values keeps
    all of its own.

    Args:
        clusters: values of a kernel, 2 or more.
        seed: of k-means.
    """

    def __init__(self, clusters: int, seed: int):
        super().__init__()
        self._clusters, self._seed = clusters, seed

    def begin(self, kernel: np.ndarray) -> Callable[[np.ndarray, int], np.ndarray]:
        """Return a function that moves each weight to the nearest of the shared values."""
        if kernel.size <= self._clusters:
            return lambda values, step: values
        behind = kernel.astype(float)
        shown = behind.copy()
        centres, _ = kmeans2(
            behind.reshape(-1, 1), self._clusters, iter=_ITERATIONS, minit='++', seed=self._seed
        )
        centres = np.sort(centres.ravel())

        def project(values: np.ndarray, step: int) -> np.ndarray:
            nonlocal behind, shown, centres
            behind = behind + (values - shown)
            nearest = np.searchsorted((centres[1:] + centres[:-1]) / 2, behind.ravel())
            counts = np.bincount(nearest, minlength=len(centres))
            sums = np.bincount(nearest, weights=behind.ravel(), minlength=len(centres))
            centres = np.where(counts, sums / np.maximum(counts, 1), centres)
            result = centres[nearest].reshape(values.shape).astype(values.dtype)
            shown = result.astype(float)
            return result

        return project
