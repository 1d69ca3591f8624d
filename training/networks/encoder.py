"""The pretrained speaker encoder as a graph from our log-mel frames to statistics.

GE2E wants 40 mel bands of power, of speech at -30 dBFS. Ours are 64 bands of decibels: what its
bands hear is a fixed mixture of what ours hear, and so is the level. So it needs no features of its
own. It learned from 1.6 s at a time: so an utterance is heard in two halves, side by side, which is
quicker too. The outputs of each layer are pooled over time: mean and deviation of each unit.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from librosa.filters import mel as mel_filters
from numpy.typing import NDArray
from onnx import helper, numpy_helper
from scipy.optimize import nnls

from live_ser.frontend.features import Frames
from live_ser.spec import FeatureSpec
from training.networks.pretrained import LAYERS, MELS, UNITS, Weights

OPSET = 17
STATISTICS = 2 * LAYERS * UNITS
"""Numbers that tell an utterance: mean and deviation of the units of each layer."""

_NEPERS = math.log(10) / 10  # of power, in a decibel
_LEVEL = 10**-3.0  # mean square that the encoder is used to: -30 dBFS
_FAINTEST = 1e-12  # mean square of digital silence
_RATE, _FFT = 16_000, 400  # of the encoder's own features
_STEP = 5.0  # Hz, at which filters are compared
_FIRST = "encoder/states0"  # LSTM
_END = np.iinfo(np.int64).max  # of a slice: where its axis ends
_GATES = (0, 3, 1, 2)  # PyTorch has i f g o, ONNX i o f c


def mel_map(spec: FeatureSpec) -> NDArray[np.float32]:
    """The encoder's bands as mixtures of ours: float32 ``[bands, n_mels]``, not negative.

    The least squares between the filters themselves: no recording has a say in it.
    """
    theirs = mel_filters(sr=_RATE, n_fft=_FFT, n_mels=MELS)
    wanted = _sampled(theirs, _RATE / _FFT) / (_RATE / _FFT)
    ours = _responses(spec)
    return np.array([nnls(ours.T, one)[0] for one in wanted], np.float32)


def mean_square(spec: FeatureSpec) -> NDArray[np.float32]:
    """Weights of our bands whose sum is the mean square of the samples: float32 ``[n_mels]``."""
    ours = _responses(spec)
    flat, _ = nnls(ours.T, np.full(ours.shape[1], 1 / _bin(spec)))
    # Parseval: the bins of both halves of the spectrum, over those of the window.
    window = 0.375 * spec.win_length
    return np.asarray(flat * 2 / (spec.n_fft * window), np.float32)


def _bin(spec: FeatureSpec) -> float:
    return spec.sample_rate / spec.n_fft


def _responses(spec: FeatureSpec) -> NDArray[np.float64]:
    """Response of each of our bands to white noise, by frequency: ``[n_mels, frequencies]``."""
    return _sampled(spec.mel_matrix, _bin(spec)) / _bin(spec)


def _sampled(filters: NDArray[Any], step: float) -> NDArray[np.float64]:
    grid = np.arange(0, _RATE / 2 + 1, _STEP)
    places = np.arange(filters.shape[1]) * step
    return np.array([np.interp(grid, places, one) for one in filters])


@dataclass
class _Graph:
    """Nodes and constants, as they are added; names carry a prefix."""

    prefix: str
    nodes: list[Any] = field(default_factory=list)
    constants: list[Any] = field(default_factory=list)

    def constant(self, name: str, value: Any) -> str:
        self.constants.append(numpy_helper.from_array(np.asarray(value), self.prefix + name))
        return self.prefix + name

    def add(self, kind: str, inputs: Sequence[str], output: str, **attributes: Any) -> str:
        name = self.prefix + output
        self.nodes.append(helper.make_node(kind, inputs, [name], name=name, **attributes))
        return name


def encoder_graph(weights: Weights, spec: FeatureSpec) -> onnx.ModelProto:
    """Build the encoder.

    Args:
        weights: weights of GE2E, as :func:`training.networks.pretrained.load` gives them.
        spec: specification of the log-mel frames.

    Returns:
        A model from ``log_mel`` ``[batch, frames, n_mels]`` in dB to ``statistics``
        ``[batch, 1536]``: for each layer the mean and then the deviation of its units.
    """
    graph = _Graph("encoder/")
    sequence = _input(graph, spec)
    direction = graph.constant("direction", np.array([1], np.int64))
    apart = graph.constant("apart", np.array([0, 2, -1, UNITS], np.int64))
    pooled: list[str] = []
    for layer in range(LAYERS):
        sequence = _lstm(graph, weights, layer, sequence, direction)
        halves = graph.add("Reshape", [sequence, apart], f"halves{layer}")
        mean = _mean(graph, halves, f"mean{layer}")
        centred = graph.add("Sub", [halves, mean], f"centred{layer}")
        square = graph.add("Mul", [centred, centred], f"square{layer}")
        variance = _mean(graph, square, f"variance{layer}")
        pooled += [mean, graph.add("Sqrt", [variance], f"deviation{layer}")]
    graph.nodes.append(helper.make_node("Concat", pooled, ["statistics"], axis=1))
    floats = onnx.TensorProto.FLOAT
    made = helper.make_graph(
        graph.nodes,
        "encoder",
        [helper.make_tensor_value_info("log_mel", floats, ["batch", "frames", spec.n_mels])],
        [helper.make_tensor_value_info("statistics", floats, ["batch", STATISTICS])],
        graph.constants,
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
    onnx.checker.check_model(model)
    return model


def _mean(graph: _Graph, halves: str, name: str) -> str:
    """Mean over time and both halves, ``[batch, units]``; one after the other it takes a third."""
    over_time = graph.add("ReduceMean", [halves], f"{name}_of_halves", axes=[0], keepdims=0)
    return graph.add("ReduceMean", [over_time], name, axes=[0], keepdims=0)


def _input(graph: _Graph, spec: FeatureSpec) -> str:
    """Our log-mels as the encoder's power, at the level that it is used to, time in front."""
    constant, add = graph.constant, graph.add
    nepers = add("Mul", ["log_mel", constant("nepers", np.float32(_NEPERS))], "nepers_each")
    power = add("Exp", [nepers], "power")
    weights = constant("mean_square", mean_square(spec)[:, np.newaxis])
    squares = add("MatMul", [power, weights], "squares")
    level = add("ReduceMean", [squares], "level", axes=[1, 2], keepdims=1)
    audible = add("Add", [level, constant("faintest", np.float32(_FAINTEST))], "heard")
    gain = add("Div", [constant("wanted", np.float32(_LEVEL)), audible], "gain")
    bands = add("MatMul", [power, constant("map", np.ascontiguousarray(mel_map(spec).T))], "bands")
    levelled = add("Mul", [bands, gain], "levelled")
    return _halved(graph, add("Transpose", [levelled], "sequence", perm=[1, 0, 2]))


def _halved(graph: _Graph, sequence: str) -> str:
    """First and last half of ``[frames, batch, bands]`` side by side, ``[half, 2 * batch, bands]``.

    The frame in the middle of an odd number is in both.
    """
    constant, add = graph.constant, graph.add
    axis = constant("frames_axis", np.array([0], np.int64))
    shape = add("Shape", [sequence], "shape")
    frames = add("Gather", [shape, axis], "frames")
    odd = add("Add", [frames, constant("one", np.array([1], np.int64))], "odd")
    half = add("Div", [odd, constant("two", np.array([2], np.int64))], "half")
    first = add("Slice", [sequence, axis, half, axis], "first")
    back = add("Neg", [half], "back")
    last = constant("last_frame", np.array([_END], np.int64))
    second = add("Slice", [sequence, back, last, axis], "second")
    return add("Concat", [first, second], "side_by_side", axis=1)


def _lstm(graph: _Graph, weights: Weights, layer: int, sequence: str, direction: str) -> str:
    """A layer, from ``[frames, batch, numbers]`` to ``[frames, batch, units]``."""

    def gates(name: str) -> NDArray[np.float32]:
        gates_of = np.split(weights[f"lstm.{name}_l{layer}"], 4)
        return np.concatenate([gates_of[gate] for gate in _GATES])

    biases = np.concatenate([gates("bias_ih"), gates("bias_hh")])
    given = [
        sequence,
        graph.constant(f"input_weights{layer}", gates("weight_ih")[np.newaxis]),
        graph.constant(f"recurrent_weights{layer}", gates("weight_hh")[np.newaxis]),
        graph.constant(f"biases{layer}", biases[np.newaxis]),
    ]
    states = graph.add("LSTM", given, f"states{layer}", hidden_size=UNITS)
    return graph.add("Squeeze", [states, direction], f"layer{layer}")


def encode(model: onnx.ModelProto, utterances: Iterable[Frames]) -> NDArray[np.float32]:
    """Encode whole utterances: float32 ``[n, 1536]``.

    Args:
        model: as :func:`encoder_graph` built it, or the same in 8 bits.
        utterances: log-mel frames of each, float32 ``[frames, n_mels]``.
    """
    run = session(model).run
    batches = (frames[np.newaxis].astype(np.float32) for frames in utterances)
    return np.stack([run(["statistics"], {"log_mel": batch})[0][0] for batch in batches])


def session(model: onnx.ModelProto) -> Any:
    """A graph, ready to run on one thread."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    data = model.SerializeToString()
    return ort.InferenceSession(data, options, providers=["CPUExecutionProvider"])


def in_8_bits(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same with the weights of its LSTMs in 8 bits: smaller and faster.

    The first one stays as it is: its input, power, spans more than 8 bits can tell.
    """
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with tempfile.TemporaryDirectory() as folder:
        given, made = Path(folder, "encoder.onnx"), Path(folder, "encoder8.onnx")
        onnx.save(model, given)
        quantize_dynamic(
            given,
            made,
            op_types_to_quantize=["LSTM"],
            nodes_to_exclude=[_FIRST],
            per_channel=True,
            # Of the weights' 8 bits 7 are used: processors without VNNI add two products of 8 bits
            # in 16, which overflow otherwise, so that they would hear something else.
            weight_type=QuantType.QInt8,
            reduce_range=True,
        )
        return onnx.load(made)
