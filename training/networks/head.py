"""The head on the pretrained encoder: convex, strongly regularised.

For generalisation to new speakers, the encoder's representation matters, not details learnt from a
few thousand clips. So the head is a softmax regression on pooled statistics, and on how near they
are to those of some utterances that it learns from, with a strong ridge, fitted to clean utterances
and, with lower weight, to degraded ones. A speaker baseline is subtracted from its output like in
the network beside it, although it was fitted without one.

The scale of the logits depends on how much is known about the speaker: the further the baseline is
from a typical voice, the more speech it contains, and the larger the logits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.corpora.clips import Clip
from training.corpora.emotions import LABELS
from training.corpora.labels import known_targets
from training.networks.kernel import Basis, Kernel

Statistics = NDArray[np.float32]

ACTIVATION = len(LABELS)
"""Which output is the activation; those before it are the labels."""

OUTPUTS = len(LABELS) + 1

KNOWN = 0.3
"""Squared length of a baseline's logits at which a voice is half known."""

_STILL = 1e-3  # deviation of a unit that hardly moves
_OUT = -1e9  # logit of a class that a corpus lacks

Slope = Callable[[NDArray[np.float64]], tuple[NDArray[np.float64], NDArray[np.float64]]]
"""From logits ``[n, outputs]`` to the loss of each utterance ``[n]`` and its gradient."""


@dataclass(frozen=True)
class HeadConfig:
    """How the head is fitted.

    Attributes:
        strength: how much the utterances count beside the ridge; corpora count alike.
        kernel: how freely the logits may follow the kernel, where 1 is as freely as the statistics
            themselves, and 0 not at all.
        smoothing: smoothing of the labels, over the classes that the corpus has.
        degraded: what the degraded takes count for, of all.
        share: what the network's logits count for beside the head's.
        typical: seconds of speech that a typical voice counts for beside the speaker's.
        surer: what a well-known voice adds to the logits, as a share of them.
    """

    strength: float = 2.0
    kernel: float = 1.5
    smoothing: float = 0.2
    degraded: float = 0.25
    share: float = 0.1
    typical: float = 6.0
    surer: float = 0.35

    def __post_init__(self) -> None:
        if not self.strength > 0 or not self.typical > 0:
            raise ValueError("strength and typical are above 0")
        if not (self.kernel >= 0 and self.share >= 0 and self.surer >= 0):
            raise ValueError("kernel, share and surer are 0 at least")
        if not (0 <= self.smoothing < 1 and 0 <= self.degraded < 1):
            raise ValueError("smoothing and degraded are 0 at least, and less than 1")


@dataclass(frozen=True)
class Head:
    """A head: linear, beside a kernel where it has one.

    Attributes:
        typical: float32 ``[statistics]``, those of a typical voice.
        weights: float32 ``[statistics, outputs]``: a logit for each label, then the activation's.
        bias: float32 ``[outputs]``.
        kernel: what is added to the voices.
    """

    typical: Statistics
    weights: NDArray[np.float32]
    bias: NDArray[np.float32]
    kernel: Kernel | None = None

    def voice(self, statistics: Statistics) -> NDArray[np.float32]:
        """Voices of utterances, ``[n, outputs]``; zeros for a typical voice.

        Its logits are this, less the same of the speaker's other speech, and the bias.
        """
        unlike = statistics - self.typical
        voice = unlike @ self.weights
        return np.asarray(voice + self.kernel(unlike) if self.kernel else voice, np.float32)


def known_share(baseline: NDArray[np.float32]) -> NDArray[np.float32]:
    """How well voices are known, 0 to 1, ``[n, 1]``.

    Args:
        baseline: of the head, ``[n, outputs]``; zeros where nothing is known.
    """
    square = np.square(baseline[:, :ACTIVATION]).sum(axis=1, keepdims=True)
    return np.asarray(square / (square + np.float32(KNOWN)), np.float32)


@dataclass(frozen=True)
class Encodings:
    """Statistics of utterances, as the encoder gives them.

    Attributes:
        clips: that the utterances come from.
        statistics: float32 ``[n, statistics]``, of the clean takes.
        degraded: the same of degraded takes.
    """

    clips: tuple[Clip, ...]
    statistics: Statistics
    degraded: Statistics

    @property
    def scale(self) -> Statistics:
        """Deviation of each number, and a little more: one that hardly varies is not inflated."""
        return np.asarray(self.statistics.std(axis=0) + _STILL)

    def where(self, mask: Sequence[bool] | NDArray[np.bool_]) -> Encodings:
        """The encodings of some of the clips."""
        chosen = np.flatnonzero(mask)
        clips = tuple(self.clips[i] for i in chosen)
        return Encodings(clips, self.statistics[chosen], self.degraded[chosen])


def fit_head(encodings: Encodings, config: HeadConfig, beside: Encodings | None = None) -> Head:
    """Fit a head.

    Args:
        encodings: to learn from.
        config: settings of the fit.
        beside: of further corpora, whose clean takes teach it, too. What a typical voice is, and
            how much each number varies, the others say.
    """
    corpora = np.array([clip.corpus for clip in encodings.clips])
    means = [encodings.statistics[corpora == one].mean(axis=0) for one in np.unique(corpora)]
    typical = np.asarray(np.mean(means, axis=0, dtype=np.float64))
    scale = encodings.scale
    takes = [encodings.statistics, encodings.degraded]
    clips = (*encodings.clips, *encodings.clips)
    worth = np.repeat([1 - config.degraded, config.degraded], len(encodings.clips))
    if beside is not None:
        takes.append(beside.statistics)
        clips += beside.clips
        worth = np.concatenate([worth, np.ones(len(beside.clips))])
    x = np.asarray((np.concatenate(takes) - typical) / scale, np.float32)
    numbers = len(typical)
    basis = _basis(x, clips, len(encodings.clips)) if config.kernel else None
    freedom = np.float32(np.sqrt(config.kernel * numbers))
    if basis:
        x = np.concatenate([x, freedom * basis(x)], axis=1)
    labels = _fit_labels(x, clips, worth, config)
    activation = _fit_activation(x, clips, worth, config)
    rows = np.concatenate([labels, activation], axis=1)  # the last row is the bias
    weights = rows[:numbers] / scale[:, np.newaxis]
    kernel = basis.kernel(freedom * rows[numbers:-1], scale) if basis else None
    single = np.float32
    return Head(typical.astype(single), weights.astype(single), rows[-1].astype(single), kernel)


def _basis(x: Statistics, clips: Sequence[Clip], heard: int) -> Basis:
    """The basis of a kernel, of clean takes.

    Args:
        x: standardised statistics: clean takes, degraded ones of the same, what is beside.
        clips: that they come from.
        heard: utterances that there are a clean and a degraded take of.
    """
    clean = np.r_[:heard, 2 * heard : len(clips)]
    corpora = np.array([clips[i].corpus for i in clean])
    return Basis(x[clean], corpora, clean < heard)


def _fit_labels(
    x: Statistics, clips: Sequence[Clip], worth: NDArray[np.float64], config: HeadConfig
) -> NDArray[np.float64]:
    """Softmax regression; classes that an utterance's corpus lacks are left out of its softmax."""
    known, label = known_targets(clips, LABELS)
    corpora = np.array([clips[i].corpus for i in known])
    has = np.zeros((len(known), len(LABELS)), bool)
    for corpus in np.unique(corpora):
        own = corpora == corpus
        has[np.ix_(np.flatnonzero(own), np.unique(label[own]))] = True
    target = config.smoothing * has / has.sum(axis=1, keepdims=True)
    target[np.arange(len(label)), label] += 1 - config.smoothing
    shut = np.where(has, 0.0, _OUT)

    def slope(logits: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        z = logits + shut
        z -= z.max(axis=1, keepdims=True)
        p = np.exp(z)
        total = p.sum(axis=1, keepdims=True)
        loss = np.log(total[:, 0]) - (target * np.where(has, z, 0)).sum(axis=1)
        return loss, p / total - target

    weights = config.strength * _alike(worth[known], corpora)
    return _minimise(x[known], weights, len(LABELS), slope)


def _fit_activation(
    x: Statistics, clips: Sequence[Clip], worth: NDArray[np.float64], config: HeadConfig
) -> NDArray[np.float64]:
    """Logistic regression on the emotions that are aroused or not; both count alike."""
    known = np.array([i for i, clip in enumerate(clips) if clip.activation is not None], np.intp)
    target = np.array([bool(clips[i].activation) for i in known], np.float64)[:, np.newaxis]
    corpora = np.array([clips[i].corpus for i in known])
    weights = config.strength * _alike(worth[known], corpora)
    weights *= np.where(target[:, 0] > 0, 0.5 / target.mean(), 0.5 / (1 - target.mean()))

    def slope(logits: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        p = 1 / (1 + np.exp(-np.clip(logits, -50, 50)))
        return (np.logaddexp(0, logits) - target * logits)[:, 0], p - target

    return _minimise(x[known], weights, 1, slope)


def _alike(worth: NDArray[np.float64], corpora: NDArray[np.str_]) -> NDArray[np.float64]:
    """Weights of takes: what each is worth in its corpus, and corpora count alike, each for 1."""
    _, places = np.unique(corpora, return_inverse=True)
    return np.asarray(worth / np.bincount(places, worth)[places], np.float64)


def _minimise(
    x: Statistics, weights: NDArray[np.float64], outputs: int, slope: Slope
) -> NDArray[np.float64]:
    """Weights and, as the last row, biases of least loss and ridge."""
    numbers = x.shape[1]

    def objective(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        rows = parameters.reshape(numbers + 1, outputs)
        loss, gradient = slope(x @ rows[:-1].astype(np.float32) + rows[-1])
        weighted = weights[:, np.newaxis] * gradient
        down = x.T @ weighted.astype(np.float32) + rows[:-1]
        total = float(weights @ loss + 0.5 * np.square(rows[:-1]).sum())
        return total, np.concatenate([down.ravel(), weighted.sum(axis=0)])

    from scipy.optimize import minimize  # takes seconds

    start = np.zeros((numbers + 1) * outputs)
    how = {"maxiter": 300, "ftol": 1e-6, "maxcor": 20}
    minimum = minimize(objective, start, jac=True, method="L-BFGS-B", options=how)
    return np.asarray(minimum.x.reshape(numbers + 1, outputs))
