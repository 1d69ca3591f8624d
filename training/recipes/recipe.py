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
    """Batches of an epoch, as inputs and targets; those of the next one after its end."""

    def __len__(self) -> int:
        """How many there are in an epoch."""

    def __getitem__(self, index: int, /) -> tuple[Any, dict[str, NDArray[np.float32]]]:
        """One of them."""

    def on_epoch_end(self) -> None:
        """Draw others next time."""


class Teacher(Protocol):
    """A Keras network or an exported file that a network is distilled from."""

    def predict_on_batch(self, inputs: Any) -> Any:
        """Logits: ``emotion`` ``[batch, classes]`` and ``activation`` ``[batch, 1]``."""


class Recipe(ABC, Generic[C]):
    """How a preset reads its clips, learns from them, and predicts.

    Args:
        config: settings of the run.
    """

    def __init__(self, config: C) -> None:
        self.config = config

    @abstractmethod
    def load(self, clips: Sequence[Clip], *, data: Path, cache: Path) -> Utterances:
        """Read clips: each first as it is classified, then in further takes.

        Args:
            clips: to read.
            data: folder that holds ``noise``.
            cache: folder that keeps what was computed.
        """

    @abstractmethod
    def network(self) -> keras.Model:
        """Build the network, from ``log_mel`` to logits, its weights drawn from the seed."""

    @abstractmethod
    def compiled(self, train: Utterances) -> keras.Model:
        """Build the network, ready to be fitted to these."""

    @abstractmethod
    def batches(
        self, train: Utterances, epoch: int = 0, teachers: Sequence[Teacher] = ()
    ) -> Batches:
        """Make batches.

        Args:
            train: utterances to draw from.
            epoch: to start with.
            teachers: that the network is distilled from; see ``RunConfig.takes_teachers``.
        """

    @abstractmethod
    def predict(self, model: keras.Model, utterances: Utterances) -> Logits:
        """Predict utterances as recorded, each by itself."""

    def alone(self, model: keras.Model) -> keras.Model:
        """The network as it is exported, for one utterance at a time."""
        return model

    def baseline(
        self, model: keras.Model, offsets: NDArray[np.float32] | None, labels: int
    ) -> BaselineSpec | None:
        """Specification of the baseline for the model file; None for a network that takes none.

        Args:
            model: as :meth:`alone` gives it.
            offsets: what each label adds to a voice, ``[labels, size]``; None where unknown.
            labels: how many there are.
        """
        return None
