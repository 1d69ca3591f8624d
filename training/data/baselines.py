"""Baselines in training: other utterances of the speaker in the same batch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.data.spectral import Rng


@dataclass(frozen=True)
class BaselineConfig:
    """Which baselines the network meets in training, and how they are made live.

    Attributes:
        absent: share of the utterances that are measured against a typical voice alone.
        mixed: share of the others' baselines that are of any emotions; the rest are of one each.
        doubt: utterances that a typical voice counts for beside those of the speaker.
        typical: the same live, in seconds of speech. It is more than in training, because a
            session's speech is less balanced.
        memory: seconds of speech after which older speech counts for less.
    """

    absent: float = 0.2
    mixed: float = 0.7
    doubt: float = 2.0
    typical: float = 12.0
    memory: float = 300.0

    def __post_init__(self) -> None:
        if not 0 < self.typical <= self.memory <= 1e6:
            raise ValueError("a typical voice counts for some seconds, and for no more than memory")


def draw_others(emotions: Sequence[str], config: BaselineConfig, rng: Rng) -> NDArray[np.float32]:
    """How much each utterance of a speaker is measured against each other.

    Args:
        emotions: emotions of the utterances.
        config: how.
        rng: that draws.

    Returns:
        float32 ``[n, n]``: rows of zeros, or of means that lean towards zero, the typical voice.
        Few utterances are as frequent in them as many; none is measured against itself.
    """
    weights = np.zeros((len(emotions), len(emotions)), np.float32)
    for place, row in enumerate(weights):
        if rng.random() < config.absent:
            continue
        usable = [other for other in range(len(emotions)) if other != place]
        if usable and rng.random() >= config.mixed:
            mood = emotions[usable[rng.integers(len(usable))]]
            usable = [other for other in usable if emotions[other] == mood]
        if usable:
            count = math.floor(math.exp(rng.uniform(0, math.log(len(usable) + 1))))
            chosen = rng.choice(usable, min(count, len(usable)), replace=False)
            row[chosen] = 1 / (len(chosen) + config.doubt)
    return weights
