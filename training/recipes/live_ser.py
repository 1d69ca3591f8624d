"""live-ser's own system: its training and predictions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from live_ser.spec import BaselineSpec, pack_matrix
from training.corpora.clips import Clip
from training.data.batches import Batches
from training.data.dataset import load_utterances
from training.data.utterances import Utterances, batches_by_length
from training.networks.cnn_lstm import by_itself, cnn_lstm
from training.networks.losses import masked_crossentropy, weighted_binary_crossentropy
from training.recipes import recipe
from training.recipes.config import Config
from training.recipes.distill import DistilledBatches
from training.recipes.logits import Logits
from training.recipes.recipe import Recipe, Teacher


class LiveSer(Recipe[Config]):
    """The CNN+LSTM, which classifies utterances relative to others of their speaker."""

    def load(self, clips: Sequence[Clip], *, data: Path, cache: Path) -> Utterances:
        """Read the speech of clips: as recorded, then degraded."""
        config = self.config
        return load_utterances(
            clips, config.features, config.gate, data=data, cache=cache, takes=config.takes
        )

    def network(self) -> keras.Model:
        """Build the network, with weights initialised from the seed."""
        config = self.config
        keras.utils.set_random_seed(config.seed)
        return cnn_lstm(config.network, config.features.n_mels, len(config.classes))

    def compiled(self, train: Utterances) -> keras.Model:
        """Build and compile the network, whatever the training clips are."""
        config, model = self.config, self.network()
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

    def batches(
        self, train: Utterances, epoch: int = 0, teachers: Sequence[Teacher] = ()
    ) -> recipe.Batches:
        """Make batches; with teachers, their predictions are part of the targets."""
        config = self.config
        batches = Batches(
            train,
            config.classes,
            config.batches,
            config.augment,
            baseline=config.baseline,
            frame_rate=config.frame_rate,
            seed=config.seed,
            epoch=epoch,
        )
        return DistilledBatches(batches, teachers, config.taught) if teachers else batches

    def alone(self, model: keras.Model) -> keras.Model:
        """The network for one utterance, with the baseline of its speaker as an input."""
        return by_itself(model)

    def predict(self, model: keras.Model, utterances: Utterances) -> Logits:
        """Predict utterances as recorded, without a baseline."""
        frames = [takes[0] for takes in utterances.takes]
        network = self.alone(model)
        size = network.input["baseline"].shape[1]
        outputs: dict[str, list[NDArray[np.float32]]] = {name: [] for name in network.output}
        order: list[int] = []
        for members, batch in batches_by_length(frames, self.config.window_frames):
            typical = np.zeros((len(members), size), np.float32)
            output = network.predict_on_batch({"log_mel": batch, "baseline": typical})
            order += members.tolist()
            for name, values in output.items():
                outputs[name].append(values)
        back = np.argsort(order)
        emotion, activation, voice = (
            np.concatenate(outputs[name])[back] for name in ("emotion", "activation", "voice")
        )
        return Logits(emotion, activation[:, 0], voice)

    def baseline(
        self, model: keras.Model, offsets: NDArray[np.float32] | None, labels: int
    ) -> BaselineSpec:
        """Specification of the baseline for the model file."""
        size = model.input["baseline"].shape[1]
        matrix = np.zeros((labels, size), np.float32)
        if offsets is not None:
            matrix[:] = offsets
        config = self.config.baseline
        return BaselineSpec(size, config.typical, config.memory, pack_matrix(matrix.round(3)))


RECIPE = LiveSer
