"""What several networks agree on, taught to one: the one that ships hears as well as all of them.

Soft labels of an ensemble say of each utterance what it resembles beside what it is (Hinton et al.
2015, arXiv 1503.02531). The teachers hear the very batch that the student hears.
"""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np

from training.batches import Batches, Inputs, Targets
from training.learn import softmax


class Taught(keras.utils.PyDataset):  # type: ignore[misc]
    """Batches, their targets mixed with what the teachers say.

    Args:
        batches: as they are.
        teachers: networks with the same inputs and classes.
        share: of the teachers in the targets, 0 to 1.
    """

    def __init__(self, batches: Batches, teachers: Sequence[keras.Model], share: float) -> None:
        super().__init__()
        self.batches = batches
        self.teachers = teachers
        self.share = share

    def __len__(self) -> int:
        return len(self.batches)

    def on_epoch_end(self) -> None:
        """Draw others next time."""
        self.batches.on_epoch_end()

    def __getitem__(self, index: int) -> tuple[Inputs, Targets]:
        inputs, targets = self.batches[index]
        said = [teacher.predict_on_batch(inputs) for teacher in self.teachers]
        emotion = np.mean([softmax(one["emotion"]) for one in said], axis=0)
        roused = np.mean([1 / (1 + np.exp(-one["activation"][:, 0])) for one in said], axis=0)
        hard, known = np.split(targets["emotion"], 2, axis=1)
        labelled = hard.sum(axis=1, keepdims=True) > 0
        # Where a corpus lacks a class, the teachers alone say how much an utterance resembles it.
        soft = np.where(labelled, self.share * emotion + (1 - self.share) * hard, emotion)
        value, weight = targets["activation"].T
        mixed = np.where(weight > 0, self.share * roused + (1 - self.share) * value, roused)
        return inputs, {
            "emotion": np.concatenate([soft, np.ones_like(known)], axis=1).astype(np.float32),
            "activation": np.stack([mixed, np.ones_like(weight)], axis=1).astype(np.float32),
        }
