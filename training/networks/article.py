"""The article's network, as published, with its preprocessing as the first layers.

Saleem 2021, "Speech Emotion Recognition using CNN and LSTMs", after Zhao, Mao & Chen 2019, doi
10.1016/j.bspc.2018.08.035. Its convolutions and its LSTM run along the mel axis, and the frames of
the window are their channels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers, ops

from training.corpora.emotions import AROUSED, UNAROUSED

DYNAMIC_RANGE = 80.0  # dB below the loudest point at which values are clipped

_register = keras.saving.register_keras_serializable("live_ser")


@_register
class PeakReference(layers.Layer):  # type: ignore[misc]
    """Decibels relative to the loudest point of the window, in a fixed number of frames.

    The layer is idempotent.

    Args:
        frames: frames of the output. Longer windows are cut, shorter ones padded at their end.
        padding: dB to pad with: ``-80`` is silence. The article padded with ``0``, the loudest
            value there is, so that its network could see how long a clip was.
    """

    def __init__(self, frames: int, padding: float = -DYNAMIC_RANGE, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.frames = frames
        self.padding = padding

    def call(self, log_mel: Any) -> Any:
        """``[batch, any, mels]`` in dB to ``[batch, frames, mels]``, -80 to 0 dB."""
        x = log_mel[:, : self.frames]
        x = ops.maximum(x - ops.max(x, axis=(1, 2), keepdims=True), -DYNAMIC_RANGE)
        end = ops.repeat(ops.zeros_like(x[:, :1]) + self.padding, self.frames, axis=1)
        whole = ops.concatenate([x, end], axis=1)[:, : self.frames]
        return ops.reshape(whole, (-1, self.frames, x.shape[-1]))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Shape of the output for a shape of the input."""
        return input_shape[0], self.frames, input_shape[-1]

    def get_config(self) -> dict[str, Any]:
        """Arguments that build the layer again."""
        return {**super().get_config(), "frames": self.frames, "padding": self.padding}


@_register
class PointScaler(layers.Layer):  # type: ignore[misc]
    """Standardise each point of the spectrogram by the mean and deviation of the training data."""

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Add the mean and the deviation."""
        shape = input_shape[1:]
        self.mean = self.add_weight(shape, "zeros", trainable=False, name="mean")
        self.deviation = self.add_weight(shape, "ones", trainable=False, name="deviation")

    def call(self, x: Any) -> Any:
        """``[batch, frames, mels]`` to the same shape."""
        return (x - self.mean) / self.deviation


@_register
class SummedActivation(layers.Layer):  # type: ignore[misc]
    """Activation from the logits of the emotions; emotions that are neither count half for both.

    Args:
        classes: classes of the logits.
    """

    def __init__(self, classes: Sequence[str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.classes = tuple(classes)

    def call(self, logits: Any) -> Any:
        """Logits ``[batch, classes]`` to the logit of the summed probabilities, ``[batch, 1]``."""
        yes = [_log_share(emotion, AROUSED, UNAROUSED) for emotion in self.classes]
        no = [_log_share(emotion, UNAROUSED, AROUSED) for emotion in self.classes]
        ratio = ops.logsumexp(logits + ops.array(yes, logits.dtype), axis=-1, keepdims=True)
        return ratio - ops.logsumexp(logits + ops.array(no, logits.dtype), axis=-1, keepdims=True)

    def get_config(self) -> dict[str, Any]:
        """Arguments that build the layer again."""
        return {**super().get_config(), "classes": self.classes}


def _log_share(emotion: str, wholly: frozenset[str], not_at_all: frozenset[str]) -> float:
    if emotion in wholly:
        return 0.0
    return -1e9 if emotion in not_at_all else -0.6931472  # log 1/2


def article_network(
    frames: int, n_mels: int, classes: Sequence[str], padding: float = -DYNAMIC_RANGE
) -> keras.Model:
    """Build the network.

    Args:
        frames: number of frames of its input.
        n_mels: number of mel bands.
        classes: classes of its output.
        padding: see :class:`PeakReference`.

    Returns:
        A model from ``log_mel`` ``[batch, any, n_mels]`` in dB to a dict of logits: ``emotion``
        ``[batch, classes]`` and ``activation`` ``[batch, 1]``.
    """
    log_mel = keras.Input((None, n_mels), name="log_mel")
    x = PeakReference(frames, padding, name="peak_reference")(log_mel)
    x = PointScaler(name="scaler")(x)
    x = layers.Permute((2, 1))(x)
    for filters in (64, 128, 256):
        x = layers.Conv1D(filters, 3, padding="same", activation="relu")(x)
        x = layers.BatchNormalization()(x)
        x = layers.ELU()(x)
        x = layers.MaxPooling1D(4)(x)
    x = layers.LSTM(540, return_sequences=True)(x)
    x = layers.LSTM(256, return_sequences=True)(x)
    x = layers.Flatten()(x)
    for units in (100, 50):
        x = layers.Dense(units, activation="relu")(x)
        x = layers.BatchNormalization()(x)
    x = layers.Dense(20, activation="relu")(x)
    emotion = layers.Dense(len(classes), name="emotion")(x)
    activation = SummedActivation(classes, name="activation")(emotion)
    return keras.Model(log_mel, {"emotion": emotion, "activation": activation})
