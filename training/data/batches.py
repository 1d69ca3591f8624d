"""Batches for training: a few speakers in each, balanced over corpora and speakers."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from live_ser.frontend.features import Frames
from training.corpora.emotions import MERGED
from training.data.baselines import BaselineConfig, draw_others
from training.data.spectral import Rng, SpectralAugment
from training.data.utterances import Utterances

Inputs = dict[str, NDArray[np.float32]]
Targets = dict[str, NDArray[np.float32]]


@dataclass(frozen=True)
class BatchConfig:
    """How batches are drawn.

    Attributes:
        size: number of utterances in a batch.
        speakers: number of speakers in a batch, with the same number of utterances each.
        per_epoch: number of utterances in an epoch.
        lengths: lengths of the utterances in seconds, one for each batch in turn. An utterance is
            cut at random, or continued with another one of its speaker and emotion.
        degraded: share of the speakers whose degraded takes are used.
        smoothing: label smoothing, over the classes that the corpus has.
        absent: weight, in the softmax, of classes that the clip's corpus lacks: 0 leaves them out
            of the loss, 1 treats them as any other class.
        speaker_power: exponent: a corpus is drawn in proportion to this power of the number of its
            speakers.

    Raises:
        ValueError: a batch would be empty.
    """

    size: int = 32
    speakers: int = 2
    per_epoch: int = 4096
    lengths: tuple[float, ...] = (1.0, 1.4, 1.8, 2.2, 2.8)
    degraded: float = 0.3
    smoothing: float = 0.05
    absent: float = 0.0
    speaker_power: float = 0.5

    def __post_init__(self) -> None:
        if not self.lengths or min(self.lengths) <= 0:
            raise ValueError("utterances are longer than nothing")
        if not 1 <= self.speakers <= self.size or self.per_epoch < 1:
            raise ValueError("each speaker of a batch, and an epoch, has one utterance at least")


class Batches:
    """Random batches, the same for the same seed, epoch and index.

    A batch is ``(inputs, targets)``. Inputs are ``log_mel``, float32 ``[batch, frames, mels]`` in
    dB, and ``others``, float32 ``[batch, batch]``, see
    :func:`training.data.baselines.draw_others`. All utterances of a speaker are changed to the same
    vocal tract and microphone. Targets are ``emotion`` ``[batch, 2 * classes]``, the target
    distribution followed by the weight of each class in the softmax, and ``activation``
    ``[batch, 2]``, the target and its weight.

    Args:
        utterances: the utterances to draw from.
        classes: classes of the network's output.
        config: how batches are drawn.
        augment: augmentation of the log-mel frames.
        baseline: settings of the baselines.
        frame_rate: frames per second.
        seed: seed of everything random.
        epoch: number of the first epoch, from 0.
    """

    def __init__(
        self,
        utterances: Utterances,
        classes: Sequence[str],
        config: BatchConfig,
        augment: SpectralAugment,
        *,
        baseline: BaselineConfig,
        frame_rate: float,
        seed: int,
        epoch: int = 0,
    ) -> None:
        self.baseline = baseline
        self.utterances = utterances
        self.config = config
        self.augment = augment
        self.frame_rate = frame_rate
        self.seed = seed
        self.epoch = epoch
        self._targets = targets(utterances, classes, config)
        self._groups: dict[str, list[list[list[int]]]] = _grouped(utterances)
        self._corpora = sorted(self._groups)
        share = np.array([len(self._groups[c]) ** config.speaker_power for c in self._corpora])
        self._share = share / share.sum()

    def __len__(self) -> int:
        return math.ceil(self.config.per_epoch / self.config.size)

    def on_epoch_end(self) -> None:
        """Go on to the next epoch."""
        self.epoch += 1

    def __getitem__(self, index: int) -> tuple[Inputs, Targets]:
        rng = np.random.default_rng([self.seed, self.epoch, index])
        size, lengths = self.config.size, self.config.lengths
        length = round(lengths[(self.epoch + index) % len(lengths)] * self.frame_rate)
        log_mel: list[Frames] = []
        chosen: list[int] = []
        others = np.zeros((size, size), np.float32)
        for part in np.array_split(np.arange(size), self.config.speakers):
            frames, spoken = self._speaker(len(part), length, rng)
            log_mel += frames
            chosen += spoken
            emotions = [self.utterances.clips[i].emotion for i in spoken]
            others[np.ix_(part, part)] = draw_others(emotions, self.baseline, rng)
        return (
            {"log_mel": np.stack(log_mel), "others": others},
            {name: values[chosen] for name, values in self._targets.items()},
        )

    def _speaker(self, count: int, length: int, rng: Rng) -> tuple[list[Frames], list[int]]:
        """Draw utterances of one speaker: their augmented frames, and their indices."""
        speakers = self._groups[self._corpora[rng.choice(len(self._corpora), p=self._share)]]
        emotions = speakers[rng.integers(len(speakers))]
        change = self.augment.draw(rng)
        degraded = rng.random() < self.config.degraded
        utterances: list[Frames] = []
        chosen: list[int] = []
        for _ in range(count):
            group = emotions[rng.integers(len(emotions))]
            first = group[rng.integers(len(group))]
            takes = len(self.utterances.takes[first])
            take = int(rng.integers(1, max(2, takes))) if degraded else 0
            spoken = self._spoken(group, first, take, math.ceil(length * change.tempo) + 2, rng)
            utterances.append(self.augment(spoken, length, change, rng))
            chosen.append(first)
        return utterances, chosen

    def _spoken(self, group: list[int], first: int, take: int, remaining: int, rng: Rng) -> Frames:
        """An utterance; a short one is continued with others of its speaker and emotion."""
        pieces: list[Frames] = []
        i = first
        while remaining > 0:
            takes = self.utterances.takes[i]
            pieces.append(takes[take % len(takes)])
            remaining -= len(pieces[-1])
            i = group[rng.integers(len(group))]
        return pieces[0] if len(pieces) == 1 else np.concatenate(_level(pieces))


def targets(utterances: Utterances, classes: Sequence[str], config: BatchConfig) -> Targets:
    """Targets of the utterances, as described at :class:`Batches`.

    An emotion that is no class of the network, such as boredom, is only a target of the activation.

    Args:
        utterances: the utterances.
        classes: classes of the network's output.
        config: settings of the batches.
    """
    place = {name: i for i, name in enumerate(classes)}
    place |= {
        name: place[same] for name, same in MERGED.items() if name not in place and same in place
    }
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


def _grouped(utterances: Utterances) -> dict[str, list[list[list[int]]]]:
    """Indices by corpus, speaker and emotion."""
    groups: dict[str, dict[str, dict[str, list[int]]]] = defaultdict(
        lambda: defaultdict(lambda: defaultdict(list))
    )
    for i, clip in enumerate(utterances.clips):
        groups[clip.corpus][clip.speaker][clip.emotion].append(i)
    return {
        corpus: [list(emotions.values()) for emotions in speakers.values()]
        for corpus, speakers in groups.items()
    }


def _level(pieces: Sequence[Frames]) -> list[Frames]:
    """Pieces with the mean of the first in each band: takes differ in microphone and noise."""
    mean = pieces[0].mean(axis=0)
    return [pieces[0], *(part + (mean - part.mean(axis=0)) for part in pieces[1:])]
