"""Distillation of several networks, the teachers, into one (Hinton et al. 2015, arXiv 1503.02531).

The mean of the teachers' predictions is a soft label: it contains how much an utterance resembles
other emotions. Teachers predict the same augmented batch that the student is trained on.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from live_ser.errors import LiveSerError
from live_ser.model.onnx_model import load
from training.data.batches import Batches, Inputs, Targets
from training.recipes.config import RunConfig
from training.recipes.logits import softmax
from training.recipes.recipe import Teacher

_LEAST = 1e-6  # probability, so that its logit is finite


class ExportedTeacher:
    """An exported model file as a teacher.

    Args:
        path: path of the file.
        config: settings of the student.

    Raises:
        LiveSerError: it has other features or classes than the student.
    """

    def __init__(self, path: Path, config: RunConfig) -> None:
        self._model = load(path)
        info = self._model.info
        alike = info.features == config.features.spec() and info.labels == config.classes
        if not alike:
            raise LiveSerError(
                f"{path} has other features or classes than this network",
                "take a file that was exported from a run with the same settings",
            )

    def predict_on_batch(self, inputs: Inputs) -> dict[str, NDArray[np.float32]]:
        """Logits of the calibrated predictions of the file."""
        windows = inputs["log_mel"]
        outputs = [self._model.predict(window) for window in windows]
        if self._model.info.baseline:
            baselines = inputs["others"] @ np.stack([np.asarray(one.voice) for one in outputs])
            outputs = [self._model.predict(*one) for one in zip(windows, baselines, strict=True)]
        emotion = np.log(np.stack([one.probabilities for one in outputs]) + _LEAST)
        roused = np.clip([[one.activation] for one in outputs], _LEAST, 1 - _LEAST)
        return {"emotion": emotion, "activation": logit(roused)}


class DistilledBatches:
    """Batches whose targets are mixed with the predictions of teachers.

    Args:
        batches: the batches.
        teachers: teachers with the same inputs and classes.
        share: share of the teachers' predictions in the targets, 0 to 1.
    """

    def __init__(self, batches: Batches, teachers: Sequence[Teacher], share: float) -> None:
        self.batches = batches
        self.teachers = teachers
        self.share = share

    def __len__(self) -> int:
        return len(self.batches)

    def on_epoch_end(self) -> None:
        """Go on to the next epoch."""
        self.batches.on_epoch_end()

    def __getitem__(self, index: int) -> tuple[Inputs, Targets]:
        inputs, targets = self.batches[index]
        outputs = [teacher.predict_on_batch(inputs) for teacher in self.teachers]
        emotion = np.mean([softmax(one["emotion"]) for one in outputs], axis=0)
        roused = np.mean([1 / (1 + np.exp(-one["activation"][:, 0])) for one in outputs], axis=0)
        hard, known = np.split(targets["emotion"], 2, axis=1)
        labelled = hard.sum(axis=1, keepdims=True) > 0
        # If the utterance has no label among the classes, the teachers' predictions are the target.
        soft = np.where(labelled, self.share * emotion + (1 - self.share) * hard, emotion)
        value, weight = targets["activation"].T
        mixed = np.where(weight > 0, self.share * roused + (1 - self.share) * value, roused)
        return inputs, {
            "emotion": np.concatenate([soft, np.ones_like(known)], axis=1).astype(np.float32),
            "activation": np.stack([mixed, np.ones_like(weight)], axis=1).astype(np.float32),
        }
