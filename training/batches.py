"""Batches to train on: every corpus in each, every speaker of a corpus alike."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import keras
import numpy as np
from numpy.typing import NDArray

from live_ser.features import Frames
from training.augment import Rng, SpectralAugment
from training.baselines import BaselineConfig, Baselines
from training.corpora import SAME
from training.dataset import Utterances

Inputs = dict[str, NDArray[np.float32]]
Targets = dict[str, NDArray[np.float32]]


@dataclass(frozen=True)
class BatchConfig:
    """How batches are drawn.

    Attributes:
        size: utterances in a batch.
        per_epoch: utterances in an epoch.
        lengths: seconds that a batch's utterances may last, in turn. An utterance is cut anywhere,
            or followed by another of its speaker and emotion.
        degraded: share of the utterances that are a degraded take.
        smoothing: of the labels, over the classes that the corpus has.
        absent: weight, in the softmax, of classes that the clip's corpus lacks: 0 leaves them out
            of its loss, 1 takes their absence for evidence.
        speaker_power: a corpus's share goes by the number of its speakers to this power.
    """

    size: int = 32
    per_epoch: int = 4096
    lengths: tuple[float, ...] = (1.0, 1.4, 1.8, 2.2, 2.8)
    degraded: float = 0.3
    smoothing: float = 0.05
    absent: float = 0.0
    speaker_power: float = 0.5


class Batches(keras.utils.PyDataset):  # type: ignore[misc]
    """Random batches, the same for the same seed, epoch and place in the epoch.

    A batch is ``(inputs, targets)``. Inputs are ``log_mel``, float32 ``[batch, frames, mels]``, and
    ``baseline``, float32 ``[batch, 2, mels]``, both in dB. Targets are ``emotion``
    ``[batch, 2 * classes]``, the wanted distribution and beside it the weight of each class in the
    softmax, and ``activation`` ``[batch, 2]``, the wanted value and its weight.

    Args:
        utterances: to draw from.
        classes: of the network's output.
        config: how.
        augment: what is done to each.
        baseline: which baselines the speakers are measured against.
        floor_db: of the baselines; None for a network that takes none.
        frame_rate: frames in a second.
        seed: of everything.
        epoch: to start with.
    """

    def __init__(
        self,
        utterances: Utterances,
        classes: Sequence[str],
        config: BatchConfig,
        augment: SpectralAugment,
        *,
        baseline: BaselineConfig,
        floor_db: float | None,
        frame_rate: float,
        seed: int,
        epoch: int = 0,
    ) -> None:
        super().__init__()
        self.baseline = baseline
        self._baselines = None if floor_db is None else Baselines(utterances, floor_db)
        self.utterances = utterances
        self.config = config
        self.augment = augment
        self.frame_rate = frame_rate
        self.seed = seed
        self.epoch = epoch
        self._targets = targets(utterances, classes, config)
        self._shelves: dict[str, list[list[list[int]]]] = _shelve(utterances)
        self._corpora = sorted(self._shelves)
        share = np.array([len(self._shelves[c]) ** config.speaker_power for c in self._corpora])
        self._share = share / share.sum()

    def __len__(self) -> int:
        return math.ceil(self.config.per_epoch / self.config.size)

    def on_epoch_end(self) -> None:
        """Draw others next time."""
        self.epoch += 1

    def __getitem__(self, index: int) -> tuple[Inputs, Targets]:
        rng = np.random.default_rng([self.seed, self.epoch, index])
        lengths = self.config.lengths
        length = round(lengths[(self.epoch + index) % len(lengths)] * self.frame_rate)
        drawn = [self._draw(rng) for _ in range(self.config.size)]
        inputs = [self._inputs(shelf, i, length, rng) for shelf, i in drawn]
        chosen = [i for _, i in drawn]
        return (
            {name: np.stack([one[name] for one in inputs]) for name in inputs[0]},
            {name: values[chosen] for name, values in self._targets.items()},
        )

    def _draw(self, rng: Rng) -> tuple[list[int], int]:
        """An utterance, and all that its speaker said in its emotion."""
        speakers = self._shelves[self._corpora[rng.choice(len(self._corpora), p=self._share)]]
        emotions = speakers[rng.integers(len(speakers))]
        shelf = emotions[rng.integers(len(emotions))]
        return shelf, shelf[rng.integers(len(shelf))]

    def _inputs(self, shelf: list[int], first: int, length: int, rng: Rng) -> Inputs:
        """An utterance, and what it is measured against."""
        change = self.augment.draw(rng)
        take = 0
        if rng.random() < self.config.degraded:
            take = int(rng.integers(1, max(2, len(self.utterances.takes[first]))))
        spoken = self._spoken(shelf, first, take, math.ceil(length * change.tempo) + 2, rng)
        inputs = {"log_mel": self.augment(spoken, length, change, rng)}
        if self._baselines is not None:
            baseline = self._baselines.draw(first, take, self.baseline, rng)
            if change.noisy or not baseline.any():
                baseline = np.zeros_like(baseline)
            else:
                baseline = change.of_baseline(baseline, rng.normal(0, self.baseline.level_db))
            inputs["baseline"] = baseline
        return inputs

    def _spoken(self, shelf: list[int], first: int, take: int, least: int, rng: Rng) -> Frames:
        """An utterance; a short one goes on with others of its speaker and emotion."""
        parts: list[Frames] = []
        i = first
        while least > 0:
            takes = self.utterances.takes[i]
            parts.append(takes[take % len(takes)])
            least -= len(parts[-1])
            i = shelf[rng.integers(len(shelf))]
        return parts[0] if len(parts) == 1 else np.concatenate(_level(parts))


def targets(utterances: Utterances, classes: Sequence[str], config: BatchConfig) -> Targets:
    """What the network should say of each utterance; see :class:`Batches`.

    An emotion that is no class of the network, such as boredom, teaches activation alone.
    """
    place = {name: i for i, name in enumerate(classes)}
    place |= {name: place[same] for name, same in SAME.items() if name not in place}
    had: dict[str, set[int]] = defaultdict(set)
    for clip in utterances.clips:
        if clip.emotion in place:
            had[clip.corpus].add(place[clip.emotion])
    emotion = np.zeros((len(utterances), 2, len(classes)), np.float32)
    activation = np.zeros((len(utterances), 2), np.float32)
    for i, clip in enumerate(utterances.clips):
        known = sorted(had[clip.corpus])
        emotion[i, 1] = config.absent
        emotion[i, 1, known] = 1
        if clip.emotion in place:
            emotion[i, 0, known] = config.smoothing / len(known)
            emotion[i, 0, place[clip.emotion]] += 1 - config.smoothing
        if clip.activation is not None:
            activation[i] = clip.activation, 1
    return {"emotion": emotion.reshape(len(utterances), -1), "activation": activation}


def _shelve(utterances: Utterances) -> dict[str, list[list[list[int]]]]:
    """Indices by corpus, speaker and emotion."""
    shelves: dict[str, dict[str, dict[str, list[int]]]] = defaultdict(
        lambda: defaultdict(lambda: defaultdict(list))
    )
    for i, clip in enumerate(utterances.clips):
        shelves[clip.corpus][clip.speaker][clip.emotion].append(i)
    return {
        corpus: [list(emotions.values()) for emotions in speakers.values()]
        for corpus, speakers in shelves.items()
    }


def _level(parts: Sequence[Frames]) -> list[Frames]:
    """Parts brought to one band-wise mean: takes of one speaker differ in microphone and noise."""
    mean = parts[0].mean(axis=0)
    return [parts[0], *(part + (mean - part.mean(axis=0)) for part in parts[1:])]
