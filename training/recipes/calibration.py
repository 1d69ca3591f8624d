"""Fits a calibration on speakers outside the training set."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from scipy.optimize import brentq, minimize, minimize_scalar

from training.corpora.clips import Clip
from training.corpora.emotions import LABELS
from training.corpora.labels import known_targets
from training.networks.calibration import Calibration
from training.networks.valence import calibrate_valence
from training.recipes.config import RunConfig
from training.recipes.logits import Logits, merging, softmax

_PRECISION = 0.7
"""Least precision of predictions that are not uncertain, on voices left out."""

_OVERCONFIDENCE = 0.1
"""Maximum mean confidence minus accuracy on each of several corpora left out."""

_LOG_TEMPERATURE = (-1.5, 2.0)
_LOG_SLOPE = (-3.0, 1.5)  # of the activation: a steeper one would make rounding visible


def calibrate(
    logits: Logits, clips: Sequence[Clip], config: RunConfig, temperature: float | None = None
) -> Calibration:
    """Calibrate a network on clips that it was not trained on.

    Args:
        logits: logits of the clips, ``[n]``.
        clips: the clips, ``[n]``.
        config: settings of the run.
        temperature: a given temperature; None for that of the least loss.
    """
    known, target, at = _probabilities(logits, clips, config)
    if temperature is None:
        temperature = _temperature(target, at)
    probabilities = at(temperature)
    return Calibration(
        temperature,
        _logistic(logits.activation, clips),
        _abstain(probabilities, target),
        () if logits.voice is None else _offsets(logits.voice, clips),
        calibrate_valence(probabilities.astype(np.float64), [clips[i] for i in known]),
    )


def calibrate_together(
    left_out: Sequence[tuple[Logits, Sequence[Clip]]], config: RunConfig
) -> Calibration:
    """Calibrate on several corpora, each predicted by a network that was trained without it.

    The temperature is the geometric mean of theirs, or higher: on no corpus does the mean
    confidence exceed the accuracy by more than a tenth. New recordings may be as hard as the
    hardest corpus, and overconfidence is worse than underconfidence.

    Args:
        left_out: logits and clips of each corpus.
        config: settings of the runs.
    """
    each = [_probabilities(logits, clips, config)[1:] for logits, clips in left_out]
    mean = np.exp(np.mean([np.log(_temperature(target, at)) for target, at in each]))
    temperature = max([float(mean), *(_not_overconfident(target, at) for target, at in each)])
    return Calibration.mean(
        [calibrate(logits, clips, config, temperature) for logits, clips in left_out]
    )


def _probabilities(
    logits: Logits, clips: Sequence[Clip], config: RunConfig
) -> tuple[Any, Any, Callable[[float], Any]]:
    """Indices of the clips with a label, these labels, and the probabilities by temperature."""
    known, target = known_targets(clips, LABELS)
    matrix = merging(config.classes, LABELS)
    emotion = logits.emotion[known]
    return known, target, lambda temperature: softmax(emotion, temperature) @ matrix


def _temperature(target: Any, at: Callable[[float], Any]) -> float:
    """The temperature of the lowest negative log-likelihood."""

    def loss(log_temperature: float) -> float:
        p = at(float(np.exp(log_temperature)))
        return float(-np.mean(np.log(p[np.arange(len(target)), target] + 1e-9)))

    return float(np.exp(minimize_scalar(loss, bounds=_LOG_TEMPERATURE, method="bounded").x))


def _not_overconfident(target: Any, at: Callable[[float], Any]) -> float:
    """The lowest temperature at which confidence exceeds accuracy by a tenth at most."""

    def excess(log_temperature: float) -> float:
        p = at(float(np.exp(log_temperature)))
        accuracy = np.mean(p.argmax(axis=1) == target)
        return float(p.max(axis=1).mean() - accuracy - _OVERCONFIDENCE)

    low, high = _LOG_TEMPERATURE
    if excess(low) <= 0 or excess(high) >= 0:
        return float(np.exp(low if excess(low) <= 0 else high))
    return float(np.exp(brentq(excess, low, high)))


def _offsets(voices: Any, clips: Sequence[Clip]) -> list[list[float]]:
    """The mean effect of each label on a voice, over the speakers who have clips with it.

    A speaker's own voice is the mean over the labels, each with the same weight.
    """
    known, label = known_targets(clips, LABELS)
    speakers = np.array([clips[i].speaker for i in known])
    added: dict[int, list[Any]] = {place: [] for place in range(len(LABELS))}
    for speaker in np.unique(speakers):
        mine = speakers == speaker
        shown = {one: voices[known][mine & (label == one)].mean(0) for one in set(label[mine])}
        own = np.mean(list(shown.values()), axis=0)
        for one, mean in shown.items():
            added[one].append(mean - own)
    nothing = np.zeros(voices.shape[1])
    means = [np.mean(rows_of or [nothing], axis=0, dtype=np.float64) for rows_of in added.values()]
    rows: list[list[float]] = np.round(means, 3).tolist()
    return rows


def _logistic(logits: Any, clips: Sequence[Clip]) -> tuple[float, float]:
    """Slope and offset that make the activation's logit a probability (Platt 1999).

    The slope is positive, and finite even for a few clips that the logit separates perfectly, since
    Platt's targets are not 0 and 1.
    """
    known = [i for i, clip in enumerate(clips) if clip.activation is not None]
    x = np.asarray(logits, np.float64)[known]
    y = np.array([bool(clips[i].activation) for i in known])
    weight = np.where(y, 0.5 / max(y.mean(), 1e-9), 0.5 / max(1 - y.mean(), 1e-9))
    target = np.where(y, (y.sum() + 1) / (y.sum() + 2), 1 / ((~y).sum() + 2))

    def loss(parameters: Any) -> float:
        z = np.exp(np.clip(parameters[0], *_LOG_SLOPE)) * x + parameters[1]
        return float(np.mean(weight * (np.logaddexp(0, z) - target * z)))

    log_slope, offset = minimize(loss, np.zeros(2), method="Nelder-Mead").x
    return float(np.exp(np.clip(log_slope, *_LOG_SLOPE))), float(offset)


def _abstain(probabilities: Any, target: Any) -> float:
    """The lowest confidence with the required precision.

    At most half of the predictions are uncertain, however hard the voices are.
    """
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == target
    order = np.argsort(-confidence)
    precision = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    enough = np.flatnonzero(precision >= _PRECISION)
    kept = max(enough[-1] + 1 if len(enough) else 0, len(order) // 2)
    return round(float(confidence[order[kept - 1]]), 2)
