"""Figures of merit, each as the field defines it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def recalls(truth: ArrayLike, predicted: ArrayLike, classes: int) -> Floats:
    """Share of each class that was found, ``[classes]``; NaN for a class without clips."""
    truth, predicted = np.asarray(truth), np.asarray(predicted)
    found = [
        np.mean(predicted[truth == c] == c) if np.any(truth == c) else np.nan
        for c in range(classes)
    ]
    return np.array(found, np.float64)


def uar(truth: ArrayLike, predicted: ArrayLike, classes: int) -> float:
    """Unweighted average recall, over the classes that the truth holds."""
    return float(np.nanmean(recalls(truth, predicted, classes)))


def accuracy(truth: ArrayLike, predicted: ArrayLike) -> float:
    """Share of the clips that were named rightly."""
    return float(np.mean(np.asarray(truth) == np.asarray(predicted)))


def confusion(truth: ArrayLike, predicted: ArrayLike, classes: int) -> NDArray[np.int64]:
    """Counts ``[truth, predicted]``."""
    table = np.zeros((classes, classes), np.int64)
    np.add.at(table, (np.asarray(truth), np.asarray(predicted)), 1)
    return table


def ece(truth: ArrayLike, probabilities: ArrayLike, bins: int = 15) -> float:
    """Expected calibration error of the best guess, over equally wide bins (Guo et al. 2017)."""
    return calibration_error(*_best(truth, probabilities), bins=bins)


def calibration_error(confidence: ArrayLike, right: ArrayLike, bins: int = 15) -> float:
    """The same of guesses by how sure they were and whether they were right, ``[n]`` each."""
    table = reliability(confidence, right, bins)
    count = sum(row["clips"] for row in table)
    return sum(abs(row["confidence"] - row["accuracy"]) * row["clips"] / count for row in table)


def reliability(confidence: ArrayLike, right: ArrayLike, bins: int = 15) -> list[dict[str, float]]:
    """How sure and how right, by how sure: a row for each bin of confidence that holds clips."""
    confidence, right = np.asarray(confidence, np.float64), np.asarray(right, np.bool_)
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    return [
        {
            "confidence": float(confidence[place == b].mean()),
            "accuracy": float(right[place == b].mean()),
            "clips": int(np.count_nonzero(place == b)),
        }
        for b in np.unique(place)
    ]


def surest(truth: ArrayLike, probabilities: ArrayLike, share: float = 0.3) -> float:
    """Accuracy over the clips that the model is surest of, over the accuracy of all."""
    return surest_gain(*_best(truth, probabilities), share=share)


def surest_gain(confidence: ArrayLike, right: ArrayLike, share: float = 0.3) -> float:
    """The same of guesses by how sure they were and whether they were right, ``[n]`` each."""
    confidence, right = np.asarray(confidence, np.float64), np.asarray(right, np.bool_)
    top = np.argsort(-confidence, kind="stable")[: max(1, round(share * len(right)))]
    return float(right[top].mean() / right.mean()) if right.any() else 0.0


def bootstrap(
    figure: Callable[[NDArray[np.intp]], float],
    groups: ArrayLike,
    *,
    rounds: int = 1000,
    seed: int = 0,
) -> tuple[float, float]:
    """95 % interval of a figure, drawing whole speakers with replacement.

    Args:
        figure: from indices of clips to the figure.
        groups: speaker of each clip.
        rounds: how often to draw.
        seed: of the draws.
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


def _best(truth: ArrayLike, probabilities: ArrayLike) -> tuple[Floats, NDArray[np.bool_]]:
    p = np.asarray(probabilities, np.float64)
    return p.max(axis=1), p.argmax(axis=1) == np.asarray(truth)
