"""An embedding of utterances that separates the emotions of each speaker.

Teaching uses it: a user labels a few of their own utterances, and a small linear model on the
embedding corrects the head. It is a linear discriminant analysis within speakers, on the leading
principal components: its axes have the highest ratio of the variance between the emotions of a
speaker to the variance within an emotion.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

from training.corpora.emotions import LABELS
from training.corpora.labels import known_targets
from training.networks.head import Encodings, Statistics

EMBEDDING = 128
"""Length of an embedding."""

_COMPONENTS = 300  # number of principal components
_SHRINKAGE = 0.05  # of the covariance within an emotion, towards a sphere
_EMPHASIS = 0.25  # exponent of the variance of an axis, by which it is scaled

Matrix = NDArray[np.float64]


def fit_projection(encodings: Encodings) -> NDArray[np.float32]:
    """Fit the projection from statistics, minus those of a typical voice, to embeddings.

    Each corpus has the same weight, and so has each speaker of a corpus. The axes are scaled such
    that an isotropic ridge suits the embedding.

    Args:
        encodings: training utterances, clean and degraded.

    Returns:
        float32 ``[statistics, EMBEDDING]``.
    """
    assert encodings.degraded is not None
    known, label = known_targets(encodings.clips, LABELS)
    scale = encodings.scale
    clean, degraded = (one[known] / scale for one in (encodings.statistics, encodings.degraded))
    corpora = np.array([encodings.clips[i].corpus for i in known])
    speakers = np.array([encodings.clips[i].speaker for i in known])
    scatters = []
    for corpus in np.unique(corpora):
        own = corpora == corpus
        scatters.append(_scatters(clean[own], degraded[own], speakers[own], label[own]))
    within, between = np.mean(scatters, axis=0)
    components = min(_COMPONENTS, len(within))
    basis = np.linalg.eigh(within + between)[1][:, ::-1][:, :components]
    inside, apart = (basis.T @ one @ basis for one in (within, between))
    inside += _SHRINKAGE * np.trace(inside) / components * np.eye(components)
    variances, axes = eigh(apart, inside)
    variances = np.maximum(variances[::-1][:EMBEDDING], 0)
    weights = variances**_EMPHASIS / np.sqrt(np.sum(variances ** (2 * _EMPHASIS)) + 1e-12)
    projection = np.zeros((len(within), EMBEDDING), np.float32)
    scaled = basis @ axes[:, ::-1][:, :EMBEDDING] * weights / scale[:, np.newaxis]
    projection[:, : scaled.shape[1]] = scaled
    return projection


def _scatters(
    clean: Statistics, degraded: Statistics, speakers: NDArray[np.str_], label: NDArray[np.intp]
) -> tuple[Matrix, Matrix]:
    """Covariances of a corpus, within an emotion of a speaker and between emotions of a speaker."""
    size = clean.shape[1]
    within, between = np.zeros((size, size)), np.zeros((size, size))
    shown = several = 0
    for speaker in np.unique(speakers):
        means = []
        for one in np.unique(label[speakers == speaker]):
            own = (speakers == speaker) & (label == one)
            if own.sum() < 2:
                continue
            mean = clean[own].mean(axis=0, dtype=np.float64)
            sound, spoiled = clean[own] - mean, degraded[own] - mean
            within += (sound.T @ sound / (len(sound) - 1) + spoiled.T @ spoiled / len(sound)) / 2
            shown += 1
            means.append(mean)
        if len(means) > 1:
            apart = np.array(means) - np.mean(means, axis=0)
            between += apart.T @ apart / (len(means) - 1)
            several += 1
    return within / max(shown, 1), between / max(several, 1)
