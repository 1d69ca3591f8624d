"""The interface of a system that can be trained; each preset has a recipe."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from live_ser.spec import BaselineSpec
from training.corpora.clips import Clip
from training.data.utterances import Utterances
from training.recipes.config import RunConfig
from training.recipes.logits import Logits

if TYPE_CHECKING:
    import keras

C = TypeVar("C", bound=RunConfig)


class Batches(Protocol):
    """The batches of an epoch, and after its end those of the next one."""

    def __len__(self) -> int:
        """Number of batches in an epoch."""

    def __getitem__(self, index: int, /) -> tuple[Any, dict[str, NDArray[np.float32]]]:
        """The inputs and targets of a batch."""

    def on_epoch_end(self) -> None:
        """Go on to the next epoch."""


class Teacher(Protocol):
    """A Keras network, or an exported file, to distil a network from."""

    def predict_on_batch(self, inputs: Any) -> Any:
        """Logits: ``emotion`` ``[batch, classes]`` and ``activation`` ``[batch, 1]``."""


class Recipe(ABC, Generic[C]):
    """How a preset reads clips, trains its network, and predicts.

    Args:
        config: settings of the run.
    """

    def __init__(self, config: C) -> None:
        self.config = config

    @abstractmethod
    def load(self, clips: Sequence[Clip], *, data: Path, cache: Path) -> Utterances:
        """Read clips: each as it is classified, then its further takes.

        Args:
            clips: the clips.
            data: folder with ``noise``.
            cache: folder of cached features.
        """

    @abstractmethod
    def network(self) -> keras.Model:
        """Build the network, from ``log_mel`` to logits, with weights initialised from the seed."""

    @abstractmethod
    def compiled(self, train: Utterances) -> keras.Model:
        """Build and compile the network, to be trained on these utterances."""

    @abstractmethod
    def batches(
        self, train: Utterances, epoch: int = 0, teachers: Sequence[Teacher] = ()
    ) -> Batches:
        """Make batches.

        Args:
            train: utterances to draw from.
            epoch: number of the first epoch, from 0.
            teachers: teachers of the network, for a preset that ``takes_teachers``.
        """

    @abstractmethod
    def predict(self, model: keras.Model, utterances: Utterances) -> Logits:
        """Predict utterances as recorded, each on its own."""

    def alone(self, model: keras.Model) -> keras.Model:
        """The network as it is exported, for one utterance at a time."""
        return model

    def baseline(
        self, model: keras.Model, offsets: NDArray[np.float32] | None, labels: int
    ) -> BaselineSpec | None:
        """The specification of the baseline; None for a network without one.

        Args:
            model: the network from :meth:`alone`.
            offsets: mean effect of each label on a voice, ``[labels, size]``; None if unknown.
            labels: number of labels.
        """
        return None
