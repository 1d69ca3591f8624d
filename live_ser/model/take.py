"""A take: a labelled recording of a speaker, as outputs of the model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from live_ser.model.onnx_model import EmotionModel, KnownVoice, ModelOutput

Matrix = NDArray[np.float64]
SAME_RECORDING = 1e-3  # maximum difference of embeddings of the same recording


@dataclass(frozen=True, eq=False)
class Take:
    """A labelled recording of an utterance, as outputs of the model; it contains no sound.

    Attributes:
        emotion: one of the model's labels.
        seconds: seconds of speech.
        logits: float ``[labels]``, log-probabilities with the baseline of a typical voice.
        voice: float ``[size]``, the speaker embedding.
        embedding: float ``[embedding]``.
    """

    emotion: str
    seconds: float
    logits: Matrix
    voice: Matrix
    embedding: Matrix

    @classmethod
    def of(cls, outputs: Sequence[ModelOutput], seconds: Sequence[float], emotion: str) -> Take:
        """A take of one or several stretches of speech.

        Args:
            outputs: the model's output for each, with the baseline of a typical voice.
            seconds: seconds of speech in each.
            emotion: the label of all of them.
        """

        def mean(name: str) -> Matrix:
            rows = [np.asarray(getattr(one, name), np.float64) for one in outputs]
            return np.asarray(np.average(rows, axis=0, weights=seconds))

        logits = np.log(np.maximum(mean("probabilities"), 1e-7))
        return cls(emotion, float(sum(seconds)), logits, mean("voice"), mean("embedding"))

    def is_same(self, other: Take) -> bool:
        """Whether another take is the same recording with the same label."""
        return (
            self.emotion == other.emotion
            and len(self.embedding) == len(other.embedding)
            and bool(np.abs(self.embedding - other.embedding).max() < SAME_RECORDING)
        )


def known_voice(network: EmotionModel, takes: Sequence[Take]) -> KnownVoice | None:
    """A speaker's baseline: the mean voice of takes, without the effect of their emotions.

    Args:
        network: the model that made the takes.
        takes: takes of the speaker.

    Returns:
        The baseline; None without takes.
    """
    if not takes:
        return None
    labels, offsets = network.info.labels, network.info.offset_matrix
    voices = [take.voice - offsets[labels.index(take.emotion)] for take in takes]
    seconds = [take.seconds for take in takes]
    mean = np.average(voices, axis=0, weights=seconds)
    return KnownVoice(np.asarray(mean, np.float64), sum(seconds), sum(seconds))
