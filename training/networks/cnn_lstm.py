"""The network: a CNN over time and bands, a bidirectional LSTM over time, attention over it.

It takes log-mel frames in decibels; normalisation is its first layer. An utterance is compared with
other utterances of its speaker: the mean of their representations is subtracted from its own. The
network gives logits; calibration and the merging of classes are added when it is exported.
"""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import layers, ops

from training.networks.config import NetworkConfig
from training.networks.layers import Conv2D

_NEPERS = math.log(10) / 10  # nepers of power per decibel
_USUAL_DEVIATION = 6.0  # dB, of a mel band during speech

_register = keras.saving.register_keras_serializable("live_ser")


@_register
class WindowNorm(layers.Layer):  # type: ignore[misc]
    """Subtract the mean over the window from each mel band, and scale to unit variance.

    The spectrum and the level of the microphone are removed with the mean. The layer returns the
    normalised window, and the mean and standard deviation of each band.

    Args:
        scale: ``band`` divides each band by its own standard deviation, ``window`` by that of all
            bands together.
        floor: noise floor that is added to each band, in decibels below its mean power.
    """

    def __init__(self, scale: str = "band", floor: float = 20.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scale = scale
        self.floor = floor

    def call(self, log_mel: Any) -> tuple[Any, Any]:
        """Normalise ``[batch, frames, mels]`` in dB.

        Returns:
            The window in the same shape, with about unit variance; and the statistics
            ``[batch, 2, mels]``, mean and standard deviation in dB.
        """
        power = ops.exp(log_mel * _NEPERS)
        faint = 10 ** (-self.floor / 10) * ops.mean(power, axis=1, keepdims=True)
        floored = ops.log(power + faint) / _NEPERS
        mean = ops.mean(floored, axis=1, keepdims=True)
        centred = floored - mean
        # 1 dB is less than the deviation of any voice; it keeps a steady hum from being scaled up.
        variance = ops.mean(ops.square(centred), axis=1, keepdims=True) + 1.0
        statistics = ops.concatenate([mean, ops.sqrt(variance)], axis=1)
        if self.scale == "window":
            variance = ops.mean(variance, axis=2, keepdims=True)
        return centred / ops.sqrt(variance), statistics

    def get_config(self) -> dict[str, Any]:
        """Arguments that build the layer again."""
        return {**super().get_config(), "scale": self.scale, "floor": self.floor}


@_register
class DifferenceFromOthers(layers.Layer):  # type: ignore[misc]
    """Difference between an utterance and the weighted mean of others of its speaker."""

    def call(self, voice: Any, others: Any) -> Any:
        """Subtract the mean.

        Args:
            voice: representations of the utterances, ``[batch, units]``.
            others: weight of each utterance (columns) in the mean for each (rows),
                ``[batch, batch]``.
        """
        return voice - ops.matmul(others, voice)


@_register
class AttentionPooling(layers.Layer):  # type: ignore[misc]
    """Mean and standard deviation over time with learned weights; one pair for each head."""

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
        # Centred first: otherwise a small deviation would be lost to rounding.
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
    """The long-term spectrum of a window, independent of its level.

    A strained voice has more power in the high bands, and so has a bright microphone. Training on
    different microphones teaches the network how much of it is due to the voice.
    """

    def call(self, statistics: Any) -> Any:
        """``[batch, 2, mels]`` in dB to ``[batch, 2 * mels]``, about unit variance."""
        mean, deviation = statistics[:, 0], statistics[:, 1]
        spectrum = (mean - ops.mean(mean, axis=1, keepdims=True)) / 12
        liveliness = 2 * (ops.log(deviation) - math.log(_USUAL_DEVIATION))
        return ops.concatenate([spectrum, liveliness], axis=-1)


def cnn_lstm(config: NetworkConfig, n_mels: int, classes: int) -> keras.Model:
    """Build the network for training, in which the utterances of a batch are compared.

    Normalisation puts a typical voice at zero, so an utterance with a row of zeros in ``others`` is
    compared with a typical voice.

    Args:
        config: size and regularisation.
        n_mels: number of mel bands.
        classes: number of classes.

    Returns:
        A model from ``log_mel`` ``[batch, frames, n_mels]`` in dB and ``others``
        ``[batch, batch]``, the weight of each utterance (columns) in the mean that each (rows) is
        compared with, to a dict of logits: ``emotion`` ``[batch, classes]`` and ``activation``
        ``[batch, 1]``.
    """
    log_mel = keras.Input((None, n_mels), name="log_mel")
    others = keras.Input((None,), name="others")
    norm = WindowNorm(config.normalise, config.floor, name="window_norm")
    x, statistics = norm(log_mel)
    x = _regions(x, config)
    # On JAX, several networks are trained at once by vmap, which cuDNN's LSTM does not support.
    cudnn = False if keras.backend.backend() == "jax" else "auto"
    lstm = layers.LSTM(config.lstm, return_sequences=True, use_cudnn=cudnn)
    x = layers.Bidirectional(lstm, name="lstm")(x)
    x = AttentionPooling(config.heads, name="pooling")(x)
    speech = _standardised("speech")(x)
    timbre = _standardised("timbre")(Timbre(name="spectrum")(statistics))
    difference = DifferenceFromOthers()
    x = layers.Dropout(config.head_dropout)(difference(speech, others))
    x = layers.Dense(classes + 1, use_bias=False, name="speech_says")(x)
    v = layers.Dropout(config.timbre_dropout)(difference(timbre, others))
    # Without a bias, so that a timbre like that of the others has no effect.
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
            # Before the ELU, which is monotonic: the same result from a quarter of the work.
            x = layers.MaxPooling2D(2)(x)
        x = layers.Dropout(config.dropout)(layers.ELU()(x))
    # Bands are not pooled, so that the LSTM knows in which band a filter responded.
    return layers.Reshape((-1, x.shape[2] * x.shape[3]))(x)


def by_itself(network: keras.Model) -> keras.Model:
    """The network for inference: one utterance at a time, and the baseline of its speaker.

    Args:
        network: network from :func:`cnn_lstm`, with which it shares its weights.

    Returns:
        A model from ``log_mel`` ``[batch, frames, n_mels]`` and ``baseline`` ``[batch, size]``,
        zeros for a typical voice, to the same logits and ``voice`` ``[batch, size]``. The mean
        voice of a speaker's utterances is the speaker's baseline.
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


def _standardised(name: str) -> layers.Layer:
    """Standardisation by the running mean and variance of the training batches."""
    return layers.BatchNormalization(center=False, scale=False, name=name)


def _named(logits: Any) -> dict[str, Any]:
    """Split logits ``[batch, classes + 1]``, of which the last is that of the activation."""
    return {"emotion": logits[:, :-1], "activation": logits[:, -1:]}
