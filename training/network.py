"""The network: a CNN over time, a bidirectional LSTM over time, attention over what it says.

It takes log-mel frames in decibels as they come; normalisation is its first layer. It gives logits;
calibration and the merging of classes are added where it is exported.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import keras
from keras import layers, ops

_NEPERS = math.log(10) / 10  # of power, in a decibel

_register = keras.saving.register_keras_serializable("live_ser")


@dataclass(frozen=True)
class NetworkConfig:
    """Size and regularisation of the CNN+LSTM.

    Attributes:
        channels: filters of each convolution; each halves the frames.
        kernel: frames that a filter spans.
        strides: frames that each filter moves; where it is 1, pooling halves the frames instead.
        lstm: units of the LSTM, each way.
        heads: ways of weighting its outputs over time.
        dropout: after each convolution.
        head_dropout: in front of the two outputs.
        normalise: what each band of a window is divided by, after its mean is subtracted:
            ``band`` its own deviation, ``window`` that of all bands together.
        floor: decibels under its mean power over the window at which each band fades into a floor.
            How silent a studio's silence is says nothing of the voice; without a floor it decides
            the mean and the deviation that everything is measured by.
    """

    channels: tuple[int, ...] = (96, 96, 96)
    kernel: int = 5
    strides: tuple[int, ...] = (2, 1, 1)
    lstm: int = 96
    heads: int = 1
    dropout: float = 0.1
    head_dropout: float = 0.2
    normalise: str = "band"
    floor: float = 20.0


@_register
class WindowNorm(layers.Layer):  # type: ignore[misc]
    """Each mel band less its mean over the window: a microphone's colour and level leave no trace.

    Args:
        scale: ``band`` divides each band by its own deviation, ``window`` by that of all bands.
        floor: decibels under its mean power at which each band fades into a floor.
    """

    def __init__(self, scale: str = "band", floor: float = 20.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scale = scale
        self.floor = floor

    def call(self, log_mel: Any) -> Any:
        """``[batch, frames, mels]`` in dB to the same shape, about unit variance."""
        power = ops.exp(log_mel * _NEPERS)
        faint = 10 ** (-self.floor / 10) * ops.mean(power, axis=1, keepdims=True)
        floored = ops.log(power + faint) / _NEPERS
        centred = floored - ops.mean(floored, axis=1, keepdims=True)
        axes = 1 if self.scale == "band" else (1, 2)
        variance = ops.mean(ops.square(centred), axis=axes, keepdims=True)
        # 1 dB of deviation is less than any voice has: a steady hum is not blown up.
        return centred / ops.sqrt(variance + 1.0)

    def get_config(self) -> dict[str, Any]:
        """What it takes to build the layer again."""
        return {**super().get_config(), "scale": self.scale, "floor": self.floor}


@_register
class AttentionPooling(layers.Layer):  # type: ignore[misc]
    """Mean and deviation over time, weighted by what each moment is worth; one pair a head."""

    def __init__(self, heads: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.heads = heads
        self.score = layers.Dense(heads, name="score")

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Build the score."""
        self.score.build(input_shape)
        self.built = True

    def call(self, sequence: Any) -> Any:
        """``[batch, time, units]`` to ``[batch, 2 * heads * units]``."""
        weights = ops.transpose(ops.softmax(self.score(sequence), axis=1), (0, 2, 1))
        mean = ops.matmul(weights, sequence)
        square = ops.matmul(weights, ops.square(sequence))
        deviation = ops.sqrt(ops.maximum(square - ops.square(mean), 1e-6))
        flat = 2 * self.heads * sequence.shape[-1]
        return ops.reshape(ops.concatenate([mean, deviation], axis=-1), (-1, flat))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Shape of the output for a shape of the input."""
        units = input_shape[-1]
        assert units is not None
        return input_shape[0], 2 * self.heads * units

    def get_config(self) -> dict[str, Any]:
        """What it takes to build the layer again."""
        return {**super().get_config(), "heads": self.heads}


def cnn_lstm(config: NetworkConfig, n_mels: int, classes: int) -> keras.Model:
    """Build the network.

    Returns:
        A model from ``log_mel`` ``[batch, frames, n_mels]`` in dB to a dict of logits:
        ``emotion`` ``[batch, classes]`` and ``activation`` ``[batch, 1]``.
    """
    log_mel = keras.Input((None, n_mels), name="log_mel")
    x = WindowNorm(config.normalise, config.floor, name="window_norm")(log_mel)
    for i, (channels, stride) in enumerate(zip(config.channels, config.strides, strict=False)):
        x = layers.Conv1D(channels, config.kernel, stride, padding="same", name=f"conv{i}")(x)
        x = layers.BatchNormalization(name=f"norm{i}")(x)
        x = layers.ELU()(x)
        if stride == 1:
            x = layers.MaxPooling1D(2)(x)
        x = layers.Dropout(config.dropout)(x)
    x = layers.Bidirectional(layers.LSTM(config.lstm, return_sequences=True), name="lstm")(x)
    x = AttentionPooling(config.heads, name="pooling")(x)
    x = layers.Dropout(config.head_dropout)(x)
    emotion = layers.Dense(classes, name="emotion")(x)
    activation = layers.Dense(1, name="activation")(x)
    return keras.Model(log_mel, {"emotion": emotion, "activation": activation})
