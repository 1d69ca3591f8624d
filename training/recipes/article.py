"""The article's system: features, augmentation and training.

Saleem 2021, "Speech Emotion Recognition using CNN and LSTMs": one random split of RAVDESS without
calm; 3.5 s of each clip from 0.5 s on; each training clip twice more with noise and mostly once
more four semitones higher; RMSprop for 150 epochs.

Two things in it look like accidents. They are settings, off unless asked for:

- ``--set pad_with_peak=true``: spectrograms of short clips were padded with 0 dB, which is not
  silence but the loudest value there is; a network can read off how long a clip was.
- ``--set select_on_test=true``: the weights were kept of the epoch that did best on the test split,
  which is then no longer a test. The best epoch is reported either way, as what it is.

Its frames were centred, with padding at both edges; frames here never straddle the edge of what was
heard, so 3.5 s are 298 of them, not 302.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray
from sklearn.preprocessing import StandardScaler

from live_ser.frontend.features import Frames
from training.corpora.clips import Clip
from training.corpora.labels import targets
from training.data.frame_cache import kept_frames, sizes
from training.data.utterances import Utterances
from training.networks.article import DYNAMIC_RANGE, article_network
from training.recipes.article_takes import compute_take
from training.recipes.config import ArticleConfig
from training.recipes.logits import Logits
from training.recipes.recipe import Recipe, Teacher

_NOTHING = -200.0  # dB, far under any dynamic range


class Article(Recipe[ArticleConfig]):
    """The article's system; the network is given the whole window, not its speech."""

    def load(self, clips: Sequence[Clip], *, data: Path, cache: Path) -> Utterances:
        """Read clips: as recorded, then the noisy copies, then the pitched one."""
        takes: list[list[Frames]] = [[] for _ in clips]
        for take in range(2 + self.config.noisy_copies):
            file = cache / f"article-{take}-{_key(clips, self.config, take)}.npz"
            compute = partial(compute_take, clips, self.config, take)
            for i, frames in enumerate(kept_frames(file, compute)):
                if len(frames):
                    takes[i].append(frames)
        return Utterances(tuple(clips), tuple(map(tuple, takes)))

    def network(self) -> keras.Model:
        """Build the network, its weights drawn from the seed."""
        config = self.config
        keras.utils.set_random_seed(config.seed)
        padding = 0.0 if config.pad_with_peak else -DYNAMIC_RANGE
        return article_network(
            config.window_frames, config.features.n_mels, config.classes, padding
        )

    def compiled(self, train: Utterances) -> keras.Model:
        """Build the network, scaled to its training clips and ready to be fitted."""
        model = self.network()
        scaler = StandardScaler()
        peak = model.get_layer("peak_reference")
        batches = self.batches(train)
        for index in range(len(batches)):
            points = keras.ops.convert_to_numpy(peak(batches[index][0]))
            scaler.partial_fit(points.reshape(len(points), -1))
        layer = model.get_layer("scaler")
        layer.mean.assign(scaler.mean_.reshape(layer.mean.shape))
        # RAVDESS varies by 9 dB and more at every point. A point that hardly varies, as in a
        # handful of clips, would be blown up live.
        layer.deviation.assign(np.maximum(scaler.scale_, 1.0).reshape(layer.deviation.shape))
        crossentropy = keras.losses.CategoricalCrossentropy(from_logits=True)
        model.compile("rmsprop", loss={"emotion": crossentropy, "activation": None})
        return model

    def batches(
        self, train: Utterances, epoch: int = 0, teachers: Sequence[Teacher] = ()
    ) -> Batches:
        """Make batches; this preset takes no teachers."""
        return Batches(train, self.config, epoch)

    def predict(self, model: keras.Model, utterances: Utterances) -> Logits:
        """Predict utterances as recorded, each by itself."""
        frames = [takes[0] for takes in utterances.takes]
        length, size = self.config.window_frames, self.config.batch
        outputs = [
            model(whole(frames[i : i + size], length, self.config), training=False)
            for i in range(0, len(frames), size)
        ]
        emotion, activation = (
            np.concatenate([keras.ops.convert_to_numpy(one[name]) for one in outputs])
            for name in ("emotion", "activation")
        )
        return Logits(emotion, activation[:, 0])


RECIPE = Article


class Batches:
    """Every take of every clip once an epoch, in an order of its own.

    A batch is ``(log_mel, targets)``: float32 ``[batch, frames, mels]`` in dB, and as targets
    ``emotion`` ``[batch, classes]``.
    """

    def __init__(self, utterances: Utterances, config: ArticleConfig, epoch: int = 0) -> None:
        self.utterances = utterances
        self.config = config
        self.epoch = epoch
        self._length = config.window_frames
        self._items = [
            (i, k) for i, takes in enumerate(utterances.takes) for k in range(len(takes))
        ]
        self._one_hot = np.eye(len(config.classes), dtype=np.float32)

    def __len__(self) -> int:
        return math.ceil(len(self._items) / self.config.batch)

    def on_epoch_end(self) -> None:
        """Another order next time."""
        self.epoch += 1

    def __getitem__(self, index: int) -> tuple[NDArray[np.float32], dict[str, NDArray[np.float32]]]:
        order = np.random.default_rng([self.config.seed, self.epoch]).permutation(len(self._items))
        size = self.config.batch
        drawn = [self._items[i] for i in order[index * size : (index + 1) * size]]
        frames = [self.utterances.takes[i][k] for i, k in drawn]
        clips = [self.utterances.clips[i] for i, _ in drawn]
        wanted = self._one_hot[targets(clips, self.config.classes)]
        return whole(frames, self._length, self.config), {"emotion": wanted}


def whole(frames: Sequence[Frames], length: int, config: ArticleConfig) -> NDArray[np.float32]:
    """Clips as one batch ``[n, length, mels]``, short ones padded at their end."""
    out = np.full((len(frames), length, frames[0].shape[1]), _NOTHING, np.float32)
    for row, one in zip(out, frames, strict=True):
        row[: len(one)] = one[:length]
        if config.pad_with_peak:
            row[len(one) :] = one[:length].max()
    return out


def _key(clips: Sequence[Clip], config: ArticleConfig, take: int) -> str:
    takes = (config.offset, config.window, config.noise, config.noisy_copies)
    changed = (config.pitch, config.pitched_share)
    content = json.dumps([sizes(clips), asdict(config.features), takes, changed, take])
    return hashlib.sha256(content.encode()).hexdigest()[:16]
