"""The network: a CNN over time and bands, a bidirectional LSTM over time, attention over it.

It takes log-mel frames in decibels as they come; normalisation is its first layer. What it hears of
an utterance is told against what it hears of the speaker's others. It gives logits; calibration and
the merging of classes are added where it is exported.
"""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import layers, ops

from training.networks.config import NetworkConfig
from training.networks.layers import Conv2D

_NEPERS = math.log(10) / 10  # of power, in a decibel
_USUAL_DEVIATION = 6.0  # dB, of a band of speech

_register = keras.saving.register_keras_serializable("live_ser")


@_register
class WindowNorm(layers.Layer):  # type: ignore[misc]
    """Each mel band less its mean over the window: a microphone's colour and level leave no trace.

    It gives the window so normalised, and what was taken out of it: the mean and the deviation of
    each band.

    Args:
        scale: ``band`` divides each band by its own deviation, ``window`` by that of all bands.
        floor: decibels under its mean power at which each band fades into a floor.
    """

    def __init__(self, scale: str = "band", floor: float = 20.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scale = scale
        self.floor = floor

    def call(self, log_mel: Any) -> tuple[Any, Any]:
        """``[batch, frames, mels]`` in dB to the same shape about unit variance, and statistics.

        The statistics are ``[batch, 2, mels]``: mean and deviation in dB.
        """
        power = ops.exp(log_mel * _NEPERS)
        faint = 10 ** (-self.floor / 10) * ops.mean(power, axis=1, keepdims=True)
        floored = ops.log(power + faint) / _NEPERS
        mean = ops.mean(floored, axis=1, keepdims=True)
        centred = floored - mean
        # 1 dB of deviation is less than any voice has: a steady hum is not blown up.
        variance = ops.mean(ops.square(centred), axis=1, keepdims=True) + 1.0
        statistics = ops.concatenate([mean, ops.sqrt(variance)], axis=1)
        if self.scale == "window":
            variance = ops.mean(variance, axis=2, keepdims=True)
        return centred / ops.sqrt(variance), statistics

    def get_config(self) -> dict[str, Any]:
        """Arguments that build the layer again."""
        return {**super().get_config(), "scale": self.scale, "floor": self.floor}


@_register
class Apart(layers.Layer):  # type: ignore[misc]
    """Difference between an utterance and the mean of others of its speaker."""

    def call(self, voice: Any, others: Any) -> Any:
        """``[batch, units]`` and ``[batch, batch]``, the weights of the others (columns)."""
        return voice - ops.matmul(others, voice)


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
        # About the mean over time, or little would be left of the digits of a small deviation.
        middle = ops.mean(sequence, axis=1, keepdims=True)
        centred = sequence - middle
        mean = ops.matmul(weights, centred)
        square = ops.matmul(weights, ops.square(centred))
        deviation = ops.sqrt(ops.maximum(square - ops.square(mean), 1e-6))
        mean = mean + middle
        flat = 2 * self.heads * sequence.shape[-1]
        return ops.reshape(ops.concatenate([mean, deviation], axis=-1), (-1, flat))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Shape of the output for a shape of the input."""
        units = input_shape[-1]
        assert units is not None
        return input_shape[0], 2 * self.heads * units

    def get_config(self) -> dict[str, Any]:
        """Arguments that build the layer again."""
        return {**super().get_config(), "heads": self.heads}


@_register
class Timbre(layers.Layer):  # type: ignore[misc]
    """How a window sounds by itself, whatever its level: its long-term spectrum.

    A strained voice has more of its power in the high bands, and so has a bright microphone: this
    is worth as much as training saw different microphones.
    """

    def call(self, statistics: Any) -> Any:
        """``[batch, 2, mels]`` in dB to ``[batch, 2 * mels]``, about unit variance."""
        mean, deviation = statistics[:, 0], statistics[:, 1]
        spectrum = (mean - ops.mean(mean, axis=1, keepdims=True)) / 12
        liveliness = 2 * (ops.log(deviation) - math.log(_USUAL_DEVIATION))
        return ops.concatenate([spectrum, liveliness], axis=-1)


def cnn_lstm(config: NetworkConfig, n_mels: int, classes: int) -> keras.Model:
    """Build the network.

    Each utterance of a batch is told against others of it. What a typical voice sounds like is
    zero by normalisation, so that a row of zeros in ``others`` measures against that.

    Returns:
        A model from ``log_mel`` ``[batch, frames, n_mels]`` in dB and ``others``
        ``[batch, batch]``, how much each utterance (row) is measured against each other, to a dict
        of logits: ``emotion`` ``[batch, classes]`` and ``activation`` ``[batch, 1]``.
    """
    log_mel = keras.Input((None, n_mels), name="log_mel")
    others = keras.Input((None,), name="others")
    norm = WindowNorm(config.normalise, config.floor, name="window_norm")
    x, statistics = norm(log_mel)
    x = _regions(x, config)
    # On JAX, networks are trained side by side: for cuDNN's LSTM there is no such way.
    cudnn = False if keras.backend.backend() == "jax" else "auto"
    lstm = layers.LSTM(config.lstm, return_sequences=True, use_cudnn=cudnn)
    x = layers.Bidirectional(lstm, name="lstm")(x)
    x = AttentionPooling(config.heads, name="pooling")(x)
    speech = _about_the_typical("speech")(x)
    timbre = _about_the_typical("timbre")(Timbre(name="spectrum")(statistics))
    apart = Apart()
    x = layers.Dropout(config.head_dropout)(apart(speech, others))
    x = layers.Dense(classes + 1, use_bias=False, name="speech_says")(x)
    v = layers.Dropout(config.timbre_dropout)(apart(timbre, others))
    # Without a bias: the units tell what is unlike the usual, and nothing where nothing is.
    v = layers.Dense(config.timbre, "tanh", use_bias=False, name="timbre_units")(v)
    v = layers.Dropout(config.head_dropout)(v)
    v = layers.Dense(classes + 1, name="timbre_says")(v)
    inputs = {"log_mel": log_mel, "others": others}
    return keras.Model(inputs, _named(layers.Add()([x, v])))


def _regions(window: Any, config: NetworkConfig) -> Any:
    """Output of the convolutions by time and band: ``[batch, time, units]``."""
    x = layers.Reshape((-1, window.shape[2], 1))(window)
    for i, (channels, kernel) in enumerate(zip(config.channels, config.kernels, strict=False)):
        stride = 1 if i else 2
        x = Conv2D(channels, kernel, stride, padding="same", name=f"conv{i}")(x)
        x = layers.BatchNormalization(name=f"norm{i}")(x)
        if stride == 1:
            # Before the ELU, which changes no order: the same result, from a quarter of the work.
            x = layers.MaxPooling2D(2)(x)
        x = layers.Dropout(config.dropout)(layers.ELU()(x))
    # Regions stay apart: the LSTM hears which band a filter answered in.
    return layers.Reshape((-1, x.shape[2] * x.shape[3]))(x)


def by_itself(network: keras.Model) -> keras.Model:
    """The network as it is used: on one utterance, and what is known of its speaker.

    Args:
        network: that :func:`cnn_lstm` built; its weights are shared.

    Returns:
        A model from ``log_mel`` ``[batch, frames, n_mels]`` and ``baseline`` ``[batch, size]``,
        zeros for a typical voice, to the same logits and ``voice`` ``[batch, size]``, the mean of
        which over a speaker's utterances is a baseline.
    """
    says = network.get_layer("speech_says")
    speech, timbre = (network.get_layer(name).output for name in ("speech", "timbre"))
    voice = layers.Concatenate(name="voice")([says(speech), timbre])
    baseline = keras.Input(voice.shape[1:], name="baseline")
    apart = layers.Subtract()([voice, baseline])
    units = network.get_layer("timbre_units")(apart[:, says.units :])
    logits = apart[:, : says.units] + network.get_layer("timbre_says")(units)
    inputs = {"log_mel": network.input["log_mel"], "baseline": baseline}
    return keras.Model(inputs, {**_named(logits), "voice": voice})


def _about_the_typical(name: str) -> layers.Layer:
    """Input less its running mean, over its running deviation."""
    return layers.BatchNormalization(center=False, scale=False, name=name)


def _named(logits: Any) -> dict[str, Any]:
    """The logits of the emotions, and the last one, of the activation."""
    return {"emotion": logits[:, :-1], "activation": logits[:, -1:]}
