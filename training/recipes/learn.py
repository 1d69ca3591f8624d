"""From utterances to a trained network, and from a network to what it says of utterances."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from training.corpora.readers import SAME, Clip
from training.data.batches import Batches
from training.data.dataset import Utterances, batches_by_length, load_utterances
from training.networks.cnn_lstm import by_itself, cnn_lstm
from training.networks.losses import masked_crossentropy, weighted_binary_crossentropy
from training.recipes.config import Config

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
        frame_rate=config.frame_rate,
        seed=config.seed,
        epoch=epoch,
    )


def alone(model: keras.Model) -> keras.Model:
    """The network as it is used, on one utterance and what is known of its speaker."""
    return by_itself(model)


def judge(model: keras.Model, utterances: Utterances, config: Config) -> Logits:
    """What a network says of whole utterances as recorded, nothing known of their speakers.

    Returns:
        Logits ``emotion`` ``[n, classes]`` and ``activation`` ``[n]``, and ``voice`` ``[n, size]``.
    """
    frames = [takes[0] for takes in utterances.takes]
    network = alone(model)
    size = network.input["baseline"].shape[1]
    found: dict[str, list[NDArray[np.float32]]] = {name: [] for name in network.output}
    order: list[int] = []
    for members, batch in batches_by_length(frames, config.window_frames):
        typical = np.zeros((len(members), size), np.float32)
        said = network.predict_on_batch({"log_mel": batch, "baseline": typical})
        order += members.tolist()
        for name, values in said.items():
            found[name].append(values)
    back = np.argsort(order)
    said = {name: np.concatenate(values)[back] for name, values in found.items()}
    return {**said, "activation": said["activation"][:, 0]}


def merging(classes: Sequence[str], labels: Sequence[str]) -> NDArray[np.float32]:
    """Which class is said as which label: ``[classes, labels]``, ones and zeros."""
    said = [name if name in labels else SAME[name] for name in classes]
    return np.array([[name == label for label in labels] for name in said], np.float32)


def softmax(logits: NDArray[np.float32], temperature: float = 1.0) -> NDArray[np.float32]:
    """Probabilities over the last axis."""
    scaled = logits / temperature
    raised = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=-1, keepdims=True), np.float32)
