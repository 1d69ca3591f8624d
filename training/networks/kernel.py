"""The part of the head that is not linear: a sum of Gaussian kernels around training utterances.

The utterances, called centres, come from every corpus. Distances are measured along the principal
components of the statistics, where they are cheap to compute. The weights are fitted by ridge on a
Nyström approximation of the kernel's feature map, which keeps the sum smooth.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

COMPONENTS = 128
"""Principal components in which distances are measured."""

CENTRES = 512
"""Maximum number of centres; each corpus contributes the same number."""

_MIN_EIGENVALUE = 1e-2  # of the kernel between centres: smaller ones drown in rounding
_SEED = 0  # for the choice of centres

Rows = NDArray[np.float32]


@dataclass(frozen=True)
class KernelExpansion:
    """A weighted sum of Gaussian kernels around centres, zero on average over corpora.

    Attributes:
        axes: float32 ``[statistics, components]``, projection to the space in which distances are
            measured; the median distance between centres is 1 there.
        centres: float32 ``[centres, components]``.
        weights: float32 ``[centres, outputs]``.
        typical: float32 ``[outputs]``, mean of the sum over corpora, which is subtracted.
    """

    axes: Rows
    centres: Rows
    weights: Rows
    typical: Rows

    def __call__(self, centred: Rows) -> Rows:
        """Evaluate the expansion.

        Args:
            centred: statistics of utterances minus those of a typical voice, ``[n, statistics]``.

        Returns:
            float32 ``[n, outputs]``.
        """
        return gaussian_kernel(centred @ self.axes, self.centres) @ self.weights - self.typical


def gaussian_kernel(x: Rows, centres: Rows) -> Rows:
    """Gaussian kernel, exp of minus the squared distance, between rows.

    Args:
        x: float32 ``[n, components]``.
        centres: float32 ``[centres, components]``.

    Returns:
        float32 ``[n, centres]``: 1 where a row lies on a centre, towards 0 far away from it.
    """
    squares = (np.square(one).sum(axis=1) for one in (x, centres))
    exponents = 2 * x @ centres.T - next(squares)[:, np.newaxis] - next(squares)
    return np.asarray(np.exp(np.minimum(exponents, 0)), np.float32)


class NystroemMap:
    """Nyström approximation of the feature map of a Gaussian kernel.

    The inner product of the features of two utterances approximates the kernel between them, so a
    ridge on weights of these features is a ridge in the kernel's space.

    Args:
        x: standardised statistics of clean utterances, ``[n, statistics]``.
        corpora: corpus of each utterance, ``[n]``.
        typical: mask of the utterances whose mean is that of a typical voice, booleans ``[n]``.

    Attributes:
        axes: float32 ``[statistics, components]``.
        centres: float32 ``[centres, components]``.
    """

    def __init__(self, x: Rows, corpora: NDArray[np.str_], typical: NDArray[np.bool_]) -> None:
        components = np.linalg.eigh((x.T @ x).astype(np.float64))[1]
        axes = components[:, ::-1][:, :COMPONENTS].astype(np.float32)
        projected = x @ axes
        centres = projected[_draw_centres(corpora)]
        squares = np.square(centres[:, np.newaxis] - centres).sum(axis=2)
        width = np.sqrt(np.median(squares))
        self.axes, self.centres = axes / width, centres / width
        kernel = gaussian_kernel(self.centres, self.centres).astype(np.float64)
        eigenvalues, vectors = np.linalg.eigh(kernel)
        self._whitening = vectors / np.sqrt(np.maximum(eigenvalues, _MIN_EIGENVALUE))
        values = gaussian_kernel(projected / width, self.centres)
        by_corpus = [values[typical & (corpora == one)] for one in np.unique(corpora[typical])]
        means = [one.mean(axis=0) for one in by_corpus]
        self._mean = np.mean(means, axis=0, dtype=np.float64)

    def __call__(self, x: Rows) -> Rows:
        """Features of standardised statistics ``[n, statistics]``: float32 ``[n, centres]``."""
        values = gaussian_kernel(x @ self.axes, self.centres) - self._mean
        return np.asarray(values @ self._whitening, np.float32)

    def expansion(self, weights: NDArray[np.float64], scale: Rows) -> KernelExpansion:
        """The expansion that computes a weighted sum of the features.

        Args:
            weights: weights of the features, ``[centres, outputs]``.
            scale: standard deviations by which the statistics were divided, ``[statistics]``; the
                expansion takes statistics that are not standardised.
        """
        own = self._whitening @ weights
        parts = (self.axes / scale[:, np.newaxis], self.centres, own, self._mean @ own)
        return KernelExpansion(*(np.asarray(one, np.float32) for one in parts))


def _draw_centres(corpora: NDArray[np.str_]) -> NDArray[np.intp]:
    """Indices of randomly drawn centres, the same number from each corpus."""
    rng = np.random.default_rng(_SEED)
    names = np.unique(corpora)
    drawn = []
    for name in names:
        own = np.flatnonzero(corpora == name)
        drawn.append(rng.choice(own, min(CENTRES // len(names), len(own)), replace=False))
    return np.concatenate(drawn)
