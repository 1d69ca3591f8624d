"""Outputs of a network before calibration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.corpora.emotions import MERGED


@dataclass(frozen=True)
class Logits:
    """Logits of utterances.

    Attributes:
        emotion: logits of the classes, float32 ``[n, classes]``.
        activation: logit of the activation, float32 ``[n]``.
        voice: embeddings, float32 ``[n, size]``, from which baselines are computed; None for a
            network without a baseline.
    """

    emotion: NDArray[np.float32]
    activation: NDArray[np.float32]
    voice: NDArray[np.float32] | None = None


def merging(classes: Sequence[str], labels: Sequence[str]) -> NDArray[np.float32]:
    """The matrix ``[classes, labels]`` of ones and zeros that sums classes to labels."""
    names = [name if name in labels else MERGED[name] for name in classes]
    return np.array([[name == label for label in labels] for name in names], np.float32)


def softmax(logits: NDArray[np.float32], temperature: float = 1.0) -> NDArray[np.float32]:
    """Probabilities over the last axis, at a temperature."""
    scaled = logits / temperature
    raised = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=-1, keepdims=True), np.float32)
