"""The system of an article: features, augmentation and training.

Saleem 2021, "Speech Emotion Recognition using CNN and LSTMs": one random split of RAVDESS without
calm; 3.5 s of each clip from 0.5 s on; each training clip twice more with noise and mostly once
more four semitones higher; RMSprop for 150 epochs.

Two details of the article look like mistakes. They are settings, off by default:

- ``--set pad_with_peak=true``: spectrograms of short clips were padded with 0 dB, which is not
  silence but the highest value, so that a network can infer the length of a clip.
- ``--set select_on_test=true``: the weights were those of the epoch that did best on the test
  split, which is then no test. The best epoch is reported in either case, as such.

The article's frames were centred, with padding at both edges. Frames here do not extend past the
edges of the sound, so that 3.5 s are 298 frames rather than 302.
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
from training.data.frame_cache import cached_frames, sizes
from training.data.utterances import Utterances
from training.networks.article import DYNAMIC_RANGE, article_network
from training.recipes.article_takes import compute_take
from training.recipes.config import ArticleConfig
from training.recipes.logits import Logits
from training.recipes.recipe import Recipe, Teacher

_PADDING = -200.0  # dB, far below any dynamic range
_VERSION = 2  # increased when the same settings give other frames


class Article(Recipe[ArticleConfig]):
    """The article's system, whose network gets whole windows, with their pauses."""

    def load(self, clips: Sequence[Clip], *, data: Path, cache: Path) -> Utterances:
        """Read clips: as recorded, then the noisy copies, then the one at a higher pitch."""
        takes: list[list[Frames]] = [[] for _ in clips]
        for take in range(2 + self.config.noisy_copies):
            file = cache / f"article-{take}-{_key(clips, self.config, take)}.npz"
            compute = partial(compute_take, clips, self.config, take)
            for i, frames in enumerate(cached_frames(file, compute)):
                if len(frames):
                    takes[i].append(frames)
        return Utterances(tuple(clips), tuple(map(tuple, takes)))

    def network(self) -> keras.Model:
        """Build the network, with weights initialised from the seed."""
        config = self.config
        keras.utils.set_random_seed(config.seed)
        padding = 0.0 if config.pad_with_peak else -DYNAMIC_RANGE
        return article_network(
            config.window_frames, config.features.n_mels, config.classes, padding
        )

    def compiled(self, train: Utterances) -> keras.Model:
        """Build and compile the network, with a scaler fitted to the training clips."""
        model = self.network()
        scaler = StandardScaler()
        peak = model.get_layer("peak_reference")
        batches = self.batches(train)
        for index in range(len(batches)):
            points = keras.ops.convert_to_numpy(peak(batches[index][0]))
            scaler.partial_fit(points.reshape(len(points), -1))
        layer = model.get_layer("scaler")
        layer.mean.assign(scaler.mean_.reshape(layer.mean.shape))
        # RAVDESS varies by 9 dB or more at every point. A point that hardly varies, as in a few
        # clips, would be scaled up at run time.
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
        """Predict utterances as recorded, each on its own."""
        frames = [takes[0] for takes in utterances.takes]
        length, size = self.config.window_frames, self.config.batch
        outputs = [
            model(padded(frames[i : i + size], length, self.config), training=False)
            for i in range(0, len(frames), size)
        ]
        emotion, activation = (
            np.concatenate([keras.ops.convert_to_numpy(one[name]) for one in outputs])
            for name in ("emotion", "activation")
        )
        return Logits(emotion, activation[:, 0])


RECIPE = Article


class Batches:
    """Batches of every take of every clip, in a random order in each epoch.

    A batch is ``(log_mel, targets)``: float32 ``[batch, frames, mels]`` in dB, and the target
    ``emotion``, one-hot ``[batch, classes]``.

    Args:
        utterances: the utterances to draw from.
        config: settings of the run.
        epoch: number of the first epoch, from 0.
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
        """Go on to the next epoch."""
        self.epoch += 1

    def __getitem__(self, index: int) -> tuple[NDArray[np.float32], dict[str, NDArray[np.float32]]]:
        order = np.random.default_rng([self.config.seed, self.epoch]).permutation(len(self._items))
        size = self.config.batch
        drawn = [self._items[i] for i in order[index * size : (index + 1) * size]]
        frames = [self.utterances.takes[i][k] for i, k in drawn]
        clips = [self.utterances.clips[i] for i, _ in drawn]
        one_hot = self._one_hot[targets(clips, self.config.classes)]
        return padded(frames, self._length, self.config), {"emotion": one_hot}


def padded(frames: Sequence[Frames], length: int, config: ArticleConfig) -> NDArray[np.float32]:
    """Clips as a batch, cut or padded at the end to one length.

    Args:
        frames: log-mel frames of each clip, float32 ``[n, mels]`` in dB.
        length: number of frames of the result.
        config: settings of the run.

    Returns:
        float32 ``[clips, length, mels]`` in dB.
    """
    out = np.full((len(frames), length, frames[0].shape[1]), _PADDING, np.float32)
    for row, one in zip(out, frames, strict=True):
        row[: len(one)] = one[:length]
        if config.pad_with_peak:
            row[len(one) :] = one[:length].max()
    return out


def _key(clips: Sequence[Clip], config: ArticleConfig, take: int) -> str:
    takes = (config.offset, config.window, config.noise, config.noisy_copies)
    changed = (config.pitch, config.pitched_share)
    content = json.dumps([_VERSION, sizes(clips), asdict(config.features), takes, changed, take])
    return hashlib.sha256(content.encode()).hexdigest()[:16]
