"""Speakers' baselines to train and to measure with: how a voice sounds in its other clips."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from live_ser.baseline import Sums, no_baseline
from training.augment import Rng
from training.dataset import Utterances


@dataclass(frozen=True)
class BaselineConfig:
    """Which baselines the network meets in training.

    Attributes:
        absent: share of the utterances without one.
        clips: of the speaker that a baseline is of, at most; few are as frequent as many.
        mixed: share of the baselines that are of any emotions; the others are of one each.
        level_db: deviation of the level between baseline and utterance.
        min_speech: seconds of speech under which a baseline is not used live.
        memory: seconds of speech after which older speech counts for less.
    """

    absent: float = 0.4
    clips: int = 30
    mixed: float = 0.7
    level_db: float = 3.0
    min_speech: float = 5.0
    memory: float = 300.0


class Baselines:
    """Draws baselines of the speakers of some utterances.

    Args:
        utterances: all that there is of the speakers.
        floor_db: decibels under its mean power at which each band fades into a floor.
    """

    def __init__(self, utterances: Utterances, floor_db: float) -> None:
        self._clips = utterances.clips
        self._mels = utterances.takes[0][0].shape[1]
        self._sums = [[Sums.of(frames, floor_db) for frames in takes] for takes in utterances.takes]
        self._said: dict[str, list[int]] = defaultdict(list)
        for place, clip in enumerate(self._clips):
            self._said[clip.speaker].append(place)

    def draw(self, place: int, take: int, config: BaselineConfig, rng: Rng) -> NDArray[np.float32]:
        """A baseline to train an utterance with: float32 ``[2, mels]``, zeros for none."""
        if rng.random() < config.absent:
            return no_baseline(self._mels)
        mixed = rng.random() < config.mixed
        spoken = [other for other in self._said[self._clips[place].speaker] if other != place]
        if not mixed and spoken:
            emotion = self._clips[spoken[rng.integers(len(spoken))]].emotion
            spoken = [other for other in spoken if self._clips[other].emotion == emotion]
        if not spoken:
            return no_baseline(self._mels)
        most = min(config.clips, len(spoken))
        count = math.floor(math.exp(rng.uniform(0, math.log(most + 1))))
        chosen = rng.choice(spoken, min(count, most), replace=False)
        return self._of(list(map(int, chosen)), take)

    def _of(self, places: list[int], take: int) -> NDArray[np.float32]:
        mine = [self._sums[place] for place in places]
        total = mine[0][take % len(mine[0])]
        for sums in mine[1:]:
            total += sums[take % len(sums)]
        return total.statistics.astype(np.float32)
