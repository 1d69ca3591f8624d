"""From utterances to a trained network, and from a network to what it says of utterances."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from training.batches import Batches
from training.config import Config
from training.corpora import SAME, Clip
from training.dataset import Utterances, batches_by_length, load_utterances
from training.losses import masked_crossentropy, weighted_binary_crossentropy
from training.network import cnn_lstm

Logits = dict[str, NDArray[np.float32]]


def network(config: Config) -> keras.Model:
    """The network of a run, its weights drawn from its seed."""
    keras.utils.set_random_seed(config.seed)
    return cnn_lstm(config.network, config.features.n_mels, len(config.classes))


def load(clips: Sequence[Clip], config: Config, *, data: Path, cache: Path) -> Utterances:
    """The speech of the clips: as recorded, then as degraded."""
    return load_utterances(
        clips, config.features, config.gate, data=data, cache=cache, takes=config.takes
    )


def compiled(config: Config, train: Utterances) -> keras.Model:
    """The network of a run, ready to be fitted; to what is no matter here."""
    model = network(config)
    steps = config.epochs * -(-config.batches.per_epoch // config.batches.size)
    warm_up = max(1, steps // 10)
    rate = keras.optimizers.schedules.CosineDecay(
        config.learning_rate / 20,
        steps - warm_up,
        alpha=0.01,
        warmup_target=config.learning_rate,
        warmup_steps=warm_up,
    )
    optimizer = keras.optimizers.AdamW(
        rate,
        weight_decay=config.weight_decay,
        clipnorm=1.0,
        use_ema=config.average > 0,
        ema_momentum=config.average or 0.99,
        ema_overwrite_frequency=None,
    )
    model.compile(
        optimizer,
        loss={"emotion": masked_crossentropy, "activation": weighted_binary_crossentropy},
        loss_weights={"emotion": 1.0, "activation": config.activation_weight},
    )
    return model


def batches(utterances: Utterances, config: Config, epoch: int = 0) -> Batches:
    """The batches of a run, from an epoch on."""
    return Batches(
        utterances,
        config.classes,
        config.batches,
        config.augment,
        baseline=config.baseline,
        floor_db=config.network.floor if config.network.against else None,
        frame_rate=config.frame_rate,
        seed=config.seed,
        epoch=epoch,
    )


def judge(
    model: keras.Model,
    utterances: Utterances,
    config: Config,
    take: int = 0,
    baselines: NDArray[np.float32] | None = None,
) -> Logits:
    """Logits of whole utterances: ``emotion`` ``[n, classes]`` and ``activation`` ``[n]``.

    Args:
        model: that judges.
        utterances: what it hears.
        config: of its run.
        take: of each utterance.
        baselines: float32 ``[n, 2, mels]`` of their speakers; none are known if None.
    """
    emotion = np.zeros((len(utterances), len(config.classes)), np.float32)
    activation = np.zeros(len(utterances), np.float32)
    frames = [takes[take] for takes in utterances.takes]
    if baselines is None:
        baselines = np.zeros((len(utterances), 2, config.features.n_mels), np.float32)
    for members, batch in batches_by_length(frames, config.window_frames):
        inputs = {"log_mel": batch}
        if config.network.against:
            inputs["baseline"] = baselines[members]
        said = model.predict_on_batch(inputs)
        emotion[members] = said["emotion"]
        activation[members] = said["activation"][:, 0]
    return {"emotion": emotion, "activation": activation}


def merging(classes: Sequence[str], labels: Sequence[str]) -> NDArray[np.float32]:
    """Which class is said as which label: ``[classes, labels]``, ones and zeros."""
    said = [name if name in labels else SAME[name] for name in classes]
    return np.array([[name == label for label in labels] for name in said], np.float32)


def softmax(logits: NDArray[np.float32], temperature: float = 1.0) -> NDArray[np.float32]:
    """Probabilities over the last axis."""
    scaled = logits / temperature
    raised = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=-1, keepdims=True), np.float32)
