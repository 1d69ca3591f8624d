"""Metrics: UAR, ECE, AUC and others."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from training.evaluation.figures import ReliabilityBin

Floats = NDArray[np.float64]


def recalls(targets: ArrayLike, predicted: ArrayLike, classes: int) -> Floats:
    """Recall of each class, ``[classes]``; NaN for a class without clips."""
    targets, predicted = np.asarray(targets), np.asarray(predicted)
    values = [
        np.mean(predicted[targets == c] == c) if np.any(targets == c) else np.nan
        for c in range(classes)
    ]
    return np.array(values, np.float64)


def uar(targets: ArrayLike, predicted: ArrayLike, classes: int) -> float:
    """Unweighted average recall, over the classes in the targets."""
    return float(np.nanmean(recalls(targets, predicted, classes)))


def accuracy(targets: ArrayLike, predicted: ArrayLike) -> float:
    """Share of correct predictions."""
    return float(np.mean(np.asarray(targets) == np.asarray(predicted)))


def confusion(targets: ArrayLike, predicted: ArrayLike, classes: int) -> NDArray[np.int64]:
    """Confusion matrix: counts ``[target, predicted]``."""
    table = np.zeros((classes, classes), np.int64)
    np.add.at(table, (np.asarray(targets), np.asarray(predicted)), 1)
    return table


def ece(targets: ArrayLike, probabilities: ArrayLike, bins: int = 15) -> float:
    """Expected calibration error of the most probable class, in bins of equal width (Guo 2017)."""
    return calibration_error(*_best(targets, probabilities), bins=bins)


def calibration_error(confidence: ArrayLike, correct: ArrayLike, bins: int = 15) -> float:
    """Expected calibration error of predictions, by their confidence and whether each is right."""
    table = reliability(confidence, correct, bins)
    count = sum(row.clips for row in table)
    return sum(abs(row.confidence - row.accuracy) * row.clips / count for row in table)


def reliability(
    confidence: ArrayLike, correct: ArrayLike, bins: int = 15
) -> tuple[ReliabilityBin, ...]:
    """Confidence and accuracy in each bin of confidence that is not empty."""
    confidence, correct = np.asarray(confidence, np.float64), np.asarray(correct, np.bool_)
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    return tuple(
        ReliabilityBin(
            confidence=float(confidence[place == b].mean()),
            accuracy=float(correct[place == b].mean()),
            clips=int(np.count_nonzero(place == b)),
        )
        for b in np.unique(place)
    )


def surest_gain(confidence: ArrayLike, correct: ArrayLike, share: float = 0.3) -> float:
    """Accuracy of the most confident predictions, divided by that of all.

    Args:
        confidence: confidence of each prediction, ``[n]``.
        correct: whether each is correct, ``[n]``.
        share: share of the predictions that are the most confident, 0 to 1.
    """
    confidence, correct = np.asarray(confidence, np.float64), np.asarray(correct, np.bool_)
    top = np.argsort(-confidence, kind="stable")[: max(1, round(share * len(correct)))]
    return float(correct[top].mean() / correct.mean()) if correct.any() else 0.0


def bootstrap(
    figure: Callable[[NDArray[np.intp]], float],
    groups: ArrayLike,
    *,
    rounds: int = 1000,
    seed: int = 0,
) -> tuple[float, float]:
    """95 % bootstrap interval of a figure, resampling whole speakers.

    Args:
        figure: function from indices of clips to the figure.
        groups: speaker of each clip, ``[n]``.
        rounds: number of samples.
        seed: seed of the samples.

    Returns:
        Lower and upper end of the interval.
    """
    groups = np.asarray(groups)
    members = [np.flatnonzero(groups == g) for g in np.unique(groups)]
    rng = np.random.default_rng(seed)
    values = [
        figure(np.concatenate([members[i] for i in rng.integers(len(members), size=len(members))]))
        for _ in range(rounds)
    ]
    low, high = np.nanquantile(values, [0.025, 0.975])
    return float(low), float(high)


def _best(targets: ArrayLike, probabilities: ArrayLike) -> tuple[Floats, NDArray[np.bool_]]:
    p = np.asarray(probabilities, np.float64)
    return p.max(axis=1), p.argmax(axis=1) == np.asarray(targets)
