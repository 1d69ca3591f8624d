"""Confidence that a stranger can trust: fitted on voices that the network never heard."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.optimize import minimize, minimize_scalar

from training.corpora.labels import truth
from training.corpora.readers import LABELS, Clip
from training.recipes.config import RunConfig
from training.recipes.learn import Logits, merging, softmax

_RIGHT_WHEN_SAID = 0.7
"""How often an emotion should be right where the model says it of a voice that it never heard."""

_LOG_SLOPE = (-3.0, 1.5)  # of the activation: no logit is made so steep that rounding shows


def calibrate(said: Logits, clips: Sequence[Clip], config: RunConfig) -> dict[str, Any]:
    """Temperature, activation's slope and offset, and the threshold of abstention.

    Args:
        said: logits (and voices) of clips that did not train.
        clips: what they are.
        config: that the network was trained by.

    Returns:
        Fields of ``training.export.Calibration``.
    """
    known, target = truth(clips, LABELS)
    matrix = merging(config.classes, LABELS)
    logits = said["emotion"][known]

    def loss(log_temperature: float) -> float:
        p = softmax(logits, float(np.exp(log_temperature))) @ matrix
        return float(-np.mean(np.log(p[np.arange(len(target)), target] + 1e-9)))

    temperature = float(np.exp(minimize_scalar(loss, bounds=(-1.5, 2.0), method="bounded").x))
    probabilities = softmax(logits, temperature) @ matrix
    return {
        "temperature": temperature,
        "activation": _logistic(said["activation"], clips),
        "abstain": _abstain(probabilities, target),
        **({"offsets": _offsets(said["voice"], clips)} if "voice" in said else {}),
    }


def _offsets(voices: Any, clips: Sequence[Clip]) -> list[list[float]]:
    """What each label adds to a voice: the mean over the speakers who show it.

    A speaker's own voice is the mean over what they show, each label counting alike.
    """
    known, label = truth(clips, LABELS)
    speakers = np.array([clips[i].speaker for i in known])
    added: dict[int, list[Any]] = {place: [] for place in range(len(LABELS))}
    for speaker in np.unique(speakers):
        mine = speakers == speaker
        shown = {one: voices[known][mine & (label == one)].mean(0) for one in set(label[mine])}
        own = np.mean(list(shown.values()), axis=0)
        for one, mean in shown.items():
            added[one].append(mean - own)
    nothing = np.zeros(voices.shape[1])
    means = [np.mean(found or [nothing], axis=0, dtype=np.float64) for found in added.values()]
    rows: list[list[float]] = np.round(means, 3).tolist()
    return rows


def _logistic(logits: Any, clips: Sequence[Clip]) -> list[float]:
    """Slope and offset that make the activation's logit a probability (Platt 1999).

    The slope is above 0, and a handful of voices that the logit tells apart without a mistake does
    not make it endless: Platt's targets stop short of certainty.
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
    return [float(np.exp(np.clip(log_slope, *_LOG_SLOPE))), float(offset)]


def _abstain(probabilities: Any, target: Any) -> float:
    """The confidence from which on guesses are right as often as is asked for.

    At most half of the guesses are kept back, however hard the voices are.
    """
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == target
    order = np.argsort(-confidence)
    hits = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    enough = np.flatnonzero(hits >= _RIGHT_WHEN_SAID)
    said = max(enough[-1] + 1 if len(enough) else 0, len(order) // 2)
    return round(float(confidence[order[said - 1]]), 2)
