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
    """Baselines in training, and settings of those that a session computes.

    Attributes:
        absent: share of the utterances without a baseline, which are compared with a typical voice.
        mixed: share of the baselines that are from utterances of any emotion; each of the others is
            from utterances of one emotion.
        doubt: weight of a typical voice in a baseline, in utterances.
        typical: weight of a typical voice in a session, in seconds of speech. It is higher than in
            training, because the speech of a session is less balanced.
        memory: seconds of speech in a session after which older speech counts for less.

    Raises:
        ValueError: ``typical`` or ``memory`` is out of range.
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
    """Draw which other utterances of a speaker make the baseline of each utterance.

    Args:
        emotions: emotions of the utterances, ``[n]``.
        config: settings of the baselines.
        rng: random generator.

    Returns:
        float32 ``[n, n]``, the weight of each utterance (columns) in the baseline of each (rows).
        A row of zeros is a typical voice; the others sum to less than 1, so that the mean is drawn
        towards a typical voice. Small and large numbers of utterances are equally frequent, and
        no utterance is in its own baseline.
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
