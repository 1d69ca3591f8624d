"""The part of a head that is not linear: how near an utterance is to some of those it learns from.

It is a sum of Gaussian kernels around utterances of every corpus, the centres. Distances are
measured along the principal components of the statistics, where they cost little. A ridge in the
kernel's own coordinates (Nyström's approximation) keeps the sum smooth.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

COMPONENTS = 128
"""Principal components along which distances are measured."""

CENTRES = 512
"""Centres at most; corpora give as many each."""

_LEAST = 1e-2  # eigenvalue of the kernel between centres that counts: less is lost in rounding
_SEED = 0  # of the choice of centres

Rows = NDArray[np.float32]


@dataclass(frozen=True)
class Kernel:
    """A weighted sum of Gaussian kernels.

    Attributes:
        axes: float32 ``[statistics, components]``, to where distances are measured; the usual one
            between utterances is 1.
        centres: float32 ``[centres, components]``.
        weights: float32 ``[centres, outputs]``.
        typical: float32 ``[outputs]``, the mean of the sum over corpora, which is taken off.
    """

    axes: Rows
    centres: Rows
    weights: Rows
    typical: Rows

    def __call__(self, unlike: Rows) -> Rows:
        """What it adds to voices, ``[n, outputs]``.

        Args:
            unlike: statistics, less those of a typical voice, ``[n, statistics]``.
        """
        return values(unlike @ self.axes, self.centres) @ self.weights - self.typical


def values(places: Rows, centres: Rows) -> Rows:
    """Kernels of places at centres, ``[n, centres]``: 1 where they meet, towards 0 far away."""
    squares = (np.square(one).sum(axis=1) for one in (places, centres))
    near = 2 * places @ centres.T - next(squares)[:, np.newaxis] - next(squares)
    return np.asarray(np.exp(np.minimum(near, 0)), np.float32)


class Basis:
    """Coordinates of utterances in the space of a kernel.

    Args:
        x: standardised statistics of clean utterances, ``[n, statistics]``.
        corpora: corpus of each, ``[n]``.
        typical: which of them show what a typical voice is, booleans ``[n]``.

    Attributes:
        axes: float32 ``[statistics, components]``.
        centres: float32 ``[centres, components]``.
    """

    def __init__(self, x: Rows, corpora: NDArray[np.str_], typical: NDArray[np.bool_]) -> None:
        components = np.linalg.eigh((x.T @ x).astype(np.float64))[1]
        axes = components[:, ::-1][:, :COMPONENTS].astype(np.float32)
        places = x @ axes
        chosen = places[_spread(corpora)]
        apart = np.sqrt(np.median(np.square(chosen[:, np.newaxis] - chosen).sum(axis=2)))
        self.axes, self.centres = axes / apart, chosen / apart
        kernel = values(self.centres, self.centres).astype(np.float64)
        eigenvalues, vectors = np.linalg.eigh(kernel)
        self._whitening = vectors / np.sqrt(np.maximum(eigenvalues, _LEAST))
        near = values(places / apart, self.centres)
        each = [near[typical & (corpora == one)] for one in np.unique(corpora[typical])]
        self._typical = np.mean([one.mean(axis=0) for one in each], axis=0, dtype=np.float64)

    def __call__(self, x: Rows) -> Rows:
        """Coordinates, ``[n, centres]``; a ridge on their weights is one of the kernel's space."""
        near = values(x @ self.axes, self.centres) - self._typical
        return np.asarray(near @ self._whitening, np.float32)

    def kernel(self, weights: NDArray[np.float64], scale: Rows) -> Kernel:
        """The sum that weights of coordinates stand for.

        Args:
            weights: of the coordinates, ``[centres, outputs]``.
            scale: of the statistics before they were standardised, ``[statistics]``.
        """
        own = self._whitening @ weights
        parts = (self.axes / scale[:, np.newaxis], self.centres, own, self._typical @ own)
        return Kernel(*(np.asarray(one, np.float32) for one in parts))


def _spread(corpora: NDArray[np.str_]) -> NDArray[np.intp]:
    """Places of the centres: drawn by chance, as many from each corpus."""
    rng = np.random.default_rng(_SEED)
    names = np.unique(corpora)
    drawn = []
    for name in names:
        own = np.flatnonzero(corpora == name)
        drawn.append(rng.choice(own, min(CENTRES // len(names), len(own)), replace=False))
    return np.concatenate(drawn)
