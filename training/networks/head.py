"""The head on the pretrained encoder: convex, strongly regularised.

What generalises to new speakers is the encoder's representation, not details learned from a few
thousand clips. The head is therefore a softmax regression on the encoder's pooled statistics and on
Gaussian kernels around training utterances, with a strong ridge. It is fitted to clean utterances
and, with a lower weight, to degraded ones, and to the starts of utterances, since live it hears
them grow. A speaker's baseline is subtracted from its output as from the network's, although the
head is fitted without baselines.

The logits are scaled by how well the speaker is known: the further the baseline is from that of a
typical voice, the more speech it is made of, and the larger the logits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.corpora.clips import Clip
from training.corpora.emotions import LABELS
from training.corpora.labels import known_targets
from training.networks.kernel import KernelExpansion, NystroemMap

Statistics = NDArray[np.float32]

ACTIVATION = len(LABELS)
"""Index of the output for activation; the outputs before it are the labels."""

OUTPUTS = len(LABELS) + 1

KNOWN = 0.3
"""Squared norm of a baseline's logits at which a speaker counts as half known."""

_MIN_DEVIATION = 1e-3  # added to each, so that a unit that hardly varies is not blown up
_MASKED = -1e9  # logit of a class that a corpus lacks

Loss = Callable[[NDArray[np.float64]], tuple[NDArray[np.float64], NDArray[np.float64]]]
"""From logits ``[n, outputs]`` to the loss of each utterance, ``[n]``, and its gradient."""


@dataclass(frozen=True)
class HeadConfig:
    """Settings of the head.

    Attributes:
        strength: weight of the loss relative to the ridge, above 0. Each corpus has the same
            weight, however large it is.
        kernel: weight of the kernel relative to the linear part, 0 or more; 0 for a linear head.
        smoothing: label smoothing, 0 to 1, over the classes that the corpus has.
        degraded: share of the loss that comes from degraded takes, 0 to 1.
        starts: share of the loss that comes from the starts of clean takes, 0 to 1.
        share: weight of the network's logits, where the head's weight is 1.
        typical: seconds of speech that the prior, a typical voice, counts for in a speaker's
            baseline.
        surer: share by which the logits of a fully known speaker are larger than those of an
            unknown one.

    Raises:
        ValueError: a setting is out of its range.
    """

    strength: float = 2.0
    kernel: float = 1.5
    smoothing: float = 0.2
    degraded: float = 0.25
    starts: float = 0.35
    share: float = 0.1
    typical: float = 6.0
    surer: float = 0.35

    def __post_init__(self) -> None:
        if not self.strength > 0 or not self.typical > 0:
            raise ValueError("strength and typical are above 0")
        if not (self.kernel >= 0 and self.share >= 0 and self.surer >= 0):
            raise ValueError("kernel, share and surer are 0 at least")
        if not 0 <= self.smoothing < 1:
            raise ValueError("smoothing is 0 at least, and less than 1")
        if not (min(self.degraded, self.starts) >= 0 and self.degraded + self.starts < 1):
            raise ValueError("degraded and starts are 0 at least, and together less than 1")


@dataclass(frozen=True)
class Head:
    """A fitted head.

    Its logits are the voice of an utterance, minus the speaker's baseline, plus the bias.

    Attributes:
        typical: statistics of a typical voice, float32 ``[statistics]``.
        weights: float32 ``[statistics, outputs]``: one output for each label, then activation.
        bias: float32 ``[outputs]``.
        kernel: kernel expansion that is added to the linear part; None for a linear head.
    """

    typical: Statistics
    weights: NDArray[np.float32]
    bias: NDArray[np.float32]
    kernel: KernelExpansion | None = None

    def voice(self, statistics: Statistics) -> NDArray[np.float32]:
        """Outputs before baseline and bias.

        The mean of the voices of a speaker's utterances is the speaker's baseline.

        Args:
            statistics: float32 ``[n, statistics]``.

        Returns:
            float32 ``[n, outputs]``; zeros for a typical voice.
        """
        centred = statistics - self.typical
        voice = centred @ self.weights
        return np.asarray(voice + self.kernel(centred) if self.kernel else voice, np.float32)


def known_share(baseline: NDArray[np.float32]) -> NDArray[np.float32]:
    """How well speakers are known.

    Args:
        baseline: baselines of the head, ``[n, outputs]``; zeros for an unknown speaker.

    Returns:
        float32 ``[n, 1]``, from 0 for an unknown speaker towards 1.
    """
    square = np.square(baseline[:, :ACTIVATION]).sum(axis=1, keepdims=True)
    return np.asarray(square / (square + np.float32(KNOWN)), np.float32)


@dataclass(frozen=True)
class Encodings:
    """The encoder's statistics of utterances.

    Attributes:
        clips: clips of the utterances.
        statistics: statistics of the clean takes, float32 ``[n, statistics]``.
        degraded: statistics of degraded takes of the same utterances; None if there are none.
        starts: statistics of the starts of the clean takes; None if there are none.
    """

    clips: tuple[Clip, ...]
    statistics: Statistics
    degraded: Statistics | None = None
    starts: Statistics | None = None

    @property
    def scale(self) -> Statistics:
        """Standard deviation of each statistic over the clean takes, ``[statistics]``."""
        return np.asarray(self.statistics.std(axis=0) + _MIN_DEVIATION)

    @property
    def typical(self) -> NDArray[np.float64]:
        """Statistics of a typical voice: the mean over corpora of their means, ``[statistics]``."""
        corpora = np.array([clip.corpus for clip in self.clips])
        means = [self.statistics[corpora == one].mean(axis=0) for one in np.unique(corpora)]
        return np.asarray(np.mean(means, axis=0, dtype=np.float64))

    def where(self, mask: Sequence[bool] | NDArray[np.bool_]) -> Encodings:
        """The encodings where a mask ``[n]`` is True."""
        chosen = np.flatnonzero(mask)
        clips = tuple(self.clips[i] for i in chosen)
        others = (self.degraded, self.starts)
        degraded, starts = (None if one is None else one[chosen] for one in others)
        return Encodings(clips, self.statistics[chosen], degraded, starts)

    def takes(self, config: HeadConfig) -> list[tuple[Statistics, float]]:
        """The statistics of each kind of take, clean first, and its share of the loss."""
        others = ((self.degraded, config.degraded), (self.starts, config.starts))
        present = [(one, share) for one, share in others if one is not None]
        return [(self.statistics, 1 - sum(share for _, share in present)), *present]


def fit_head(encodings: Encodings, config: HeadConfig, extra: Encodings | None = None) -> Head:
    """Fit a head.

    Args:
        encodings: training utterances.
        config: settings of the head.
        extra: utterances of further corpora. They do not affect the statistics of a typical voice,
            nor the standard deviations.
    """
    typical, scale = encodings.typical, encodings.scale
    sets = [encodings] if extra is None else [encodings, extra]
    takes = [(one.clips, *take) for one in sets for take in one.takes(config)]
    clips = [clip for of, _, _ in takes for clip in of]
    weights = np.concatenate([np.full(len(of), share) for of, _, share in takes])
    x = _standardised([one for _, one, _ in takes], typical, scale)
    size = len(typical)
    features = None
    if config.kernel:
        clean = _standardised([one.statistics for one in sets], typical, scale)
        corpora = np.array([clip.corpus for one in sets for clip in one.clips])
        features = NystroemMap(clean, corpora, np.arange(len(clean)) < len(encodings.clips))
    kernel_scale = np.float32(np.sqrt(config.kernel * size))
    if features:
        x = np.concatenate([x, kernel_scale * features(x)], axis=1)
    labels = _fit_labels(x, clips, weights, config)
    activation = _fit_activation(x, clips, weights, config)
    rows = np.concatenate([labels, activation], axis=1)
    linear, nonlinear, bias = rows[:size], rows[size:-1], rows[-1]
    return Head(
        typical.astype(np.float32),
        (linear / scale[:, np.newaxis]).astype(np.float32),
        bias.astype(np.float32),
        features.expansion(kernel_scale * nonlinear, scale) if features else None,
    )


def _standardised(
    statistics: Sequence[Statistics], typical: NDArray[np.float64], scale: Statistics
) -> Statistics:
    """Statistics in one array, centred and scaled, float32 ``[n, statistics]``."""
    return np.asarray((np.concatenate(statistics) - typical) / scale, np.float32)


def _fit_labels(
    x: Statistics, clips: Sequence[Clip], weights: NDArray[np.float64], config: HeadConfig
) -> NDArray[np.float64]:
    """Softmax regression, in which an utterance's softmax leaves out classes its corpus lacks.

    Args:
        x: features, ``[n, features]``.
        clips: clip of each row.
        weights: weight of each row within its corpus, ``[n]``.
        config: settings of the head.

    Returns:
        Weights and, as the last row, biases, ``[features + 1, labels]``.
    """
    known, label = known_targets(clips, LABELS)
    corpora = np.array([clips[i].corpus for i in known])
    has = np.zeros((len(known), len(LABELS)), bool)
    for corpus in np.unique(corpora):
        own = corpora == corpus
        has[np.ix_(np.flatnonzero(own), np.unique(label[own]))] = True
    target = config.smoothing * has / has.sum(axis=1, keepdims=True)
    target[np.arange(len(label)), label] += 1 - config.smoothing
    mask = np.where(has, 0.0, _MASKED)

    def loss(logits: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        z = logits + mask
        z -= z.max(axis=1, keepdims=True)
        p = np.exp(z)
        total = p.sum(axis=1, keepdims=True)
        losses = np.log(total[:, 0]) - (target * np.where(has, z, 0)).sum(axis=1)
        return losses, p / total - target

    balanced = config.strength * _balanced(weights[known], corpora)
    return _minimise(x[known], balanced, len(LABELS), loss)


def _fit_activation(
    x: Statistics, clips: Sequence[Clip], weights: NDArray[np.float64], config: HeadConfig
) -> NDArray[np.float64]:
    """Logistic regression of activation, in which high and low have the same weight.

    Arguments and result are as in :func:`_fit_labels`, with one output.
    """
    known = np.array([i for i, clip in enumerate(clips) if clip.activation is not None], np.intp)
    target = np.array([bool(clips[i].activation) for i in known], np.float64)[:, np.newaxis]
    corpora = np.array([clips[i].corpus for i in known])
    balanced = config.strength * _balanced(weights[known], corpora)
    balanced *= np.where(target[:, 0] > 0, 0.5 / target.mean(), 0.5 / (1 - target.mean()))

    def loss(logits: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        p = 1 / (1 + np.exp(-np.clip(logits, -50, 50)))
        return (np.logaddexp(0, logits) - target * logits)[:, 0], p - target

    return _minimise(x[known], balanced, 1, loss)


def _balanced(weights: NDArray[np.float64], corpora: NDArray[np.str_]) -> NDArray[np.float64]:
    """Weights ``[n]``, scaled so that those of each corpus sum to 1."""
    _, index = np.unique(corpora, return_inverse=True)
    return np.asarray(weights / np.bincount(index, weights)[index], np.float64)


def _minimise(
    x: Statistics, weights: NDArray[np.float64], outputs: int, loss: Loss
) -> NDArray[np.float64]:
    """Minimise a weighted loss with a ridge on all but the biases.

    Args:
        x: features, ``[n, features]``.
        weights: weight of each row, ``[n]``.
        outputs: number of outputs.
        loss: loss of the logits ``[n, outputs]``.

    Returns:
        Weights and, as the last row, biases, ``[features + 1, outputs]``.
    """
    shape = (x.shape[1] + 1, outputs)

    def objective(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        rows = parameters.reshape(shape)
        losses, gradient = loss(x @ rows[:-1].astype(np.float32) + rows[-1])
        weighted = weights[:, np.newaxis] * gradient
        slope = x.T @ weighted.astype(np.float32) + rows[:-1]
        total = float(weights @ losses + 0.5 * np.square(rows[:-1]).sum())
        return total, np.concatenate([slope.ravel(), weighted.sum(axis=0)])

    from scipy.optimize import minimize  # takes seconds

    options = {"maxiter": 300, "ftol": 1e-6, "maxcor": 20}
    start = np.zeros(np.prod(shape))
    minimum = minimize(objective, start, jac=True, method="L-BFGS-B", options=options)
    return np.asarray(minimum.x.reshape(shape))
