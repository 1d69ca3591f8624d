"""A take: a recording of a speaker whose emotion is known, as numbers of the model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from live_ser.model.onnx_model import EmotionModel, KnownVoice, ModelOutput

Matrix = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Take:
    """A recording of one utterance whose emotion is known, as numbers of the model. No sound.

    Attributes:
        emotion: one of the model's labels.
        seconds: of speech.
        logits: float ``[labels]``, logarithms of the probabilities against a typical voice.
        voice: float ``[size]``, what a baseline is made of.
        embedding: float ``[embedding]``.
    """

    emotion: str
    seconds: float
    logits: Matrix
    voice: Matrix
    embedding: Matrix

    @classmethod
    def of(cls, outputs: Sequence[ModelOutput], seconds: Sequence[float], emotion: str) -> Take:
        """The take that one or several stretches of speech make up.

        Args:
            outputs: of each stretch, against a typical voice.
            seconds: of speech in each.
            emotion: that all of it bears.
        """

        def mean(name: str) -> Matrix:
            rows = [np.asarray(getattr(one, name), np.float64) for one in outputs]
            return np.asarray(np.average(rows, axis=0, weights=seconds))

        logits = np.log(np.maximum(mean("probabilities"), 1e-7))
        return cls(emotion, float(sum(seconds)), logits, mean("voice"), mean("embedding"))


def known_voice(network: EmotionModel, takes: Sequence[Take]) -> KnownVoice | None:
    """How a speaker usually sounds: the takes, less what their emotions add to a voice.

    Args:
        network: that the takes are of.
        takes: of the speaker.

    Returns:
        What they tell; None where there is none.
    """
    if not takes:
        return None
    labels, offsets = network.info.labels, network.info.offset_matrix
    voices = [take.voice - offsets[labels.index(take.emotion)] for take in takes]
    seconds = [take.seconds for take in takes]
    mean = np.average(voices, axis=0, weights=seconds)
    return KnownVoice(np.asarray(mean, np.float64), sum(seconds), sum(seconds))
