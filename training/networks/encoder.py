"""The pretrained speaker encoder as an ONNX graph, from log-mel frames to statistics.

GE2E takes 40 mel bands of power, of speech at -30 dBFS. The model's features are 64 mel bands in
decibels. Both the power in GE2E's bands and the level are fixed linear combinations of the power in
these 64 bands, so the graph computes them, and no second set of features is needed.

GE2E was trained on segments of 1.6 s. An utterance is therefore split into two halves, which run
side by side as a batch; that is faster, too. The outputs of each layer are pooled over time to the
mean and the standard deviation of each unit.

The LSTMs run in 8 bits (:mod:`training.networks.quantization`), where an input has 256 steps. Power
needs more: most of it is far below the peaks. So each band is limited and comes as a thermometer
code, in slices of which only one is partly filled, and rounded.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import onnx
from librosa import mel_frequencies
from librosa.filters import mel as mel_filters
from numpy.typing import NDArray
from onnx import helper
from scipy.optimize import nnls

from live_ser.frontend.features import Frames
from live_ser.spec import FeatureSpec
from training.networks.graph_builder import GraphBuilder, value
from training.networks.pretrained import LAYERS, MELS, UNITS, Weights
from training.networks.session import session

STATISTICS = 2 * LAYERS * UNITS
"""Length of the statistics of an utterance: mean and deviation of each unit of each layer."""

_NEPERS = math.log(10) / 10  # nepers of power per decibel
_LEVEL = 10**-3.0  # mean square of the encoder's training data: -30 dBFS
_FAINTEST = 1e-12  # mean square of digital silence
_RATE, _FFT = 16_000, 400  # sample rate and FFT size of the encoder's own features
_STEP = 5.0  # Hz, resolution at which filters are compared
_FLAT = 500.0  # Hz, up to which the power of speech is about the same in each band
_TYPICAL = 0.11  # power of these bands at the encoder's level
_LIMIT = 12.0  # times its typical power, at which a band is limited
_SLICES = 8
_END = np.iinfo(np.int64).max  # end of a slice that reaches the end of its axis
_GATES = (0, 3, 1, 2)  # order of the gates: PyTorch has i f g o, ONNX i o f c


def mel_map(spec: FeatureSpec) -> NDArray[np.float32]:
    """Weights that turn the model's mel bands into those of the encoder.

    They are a non-negative least-squares fit between the filters, without any recordings.

    Args:
        spec: specification of the model's log-mel frames.

    Returns:
        float32 ``[encoder bands, n_mels]``, for bands of power.
    """
    theirs = mel_filters(sr=_RATE, n_fft=_FFT, n_mels=MELS)
    wanted = _sampled(theirs, _RATE / _FFT) / (_RATE / _FFT)
    ours = _responses(spec)
    return np.array([nnls(ours.T, one)[0] for one in wanted], np.float32)


def mean_square(spec: FeatureSpec) -> NDArray[np.float32]:
    """Weights of the bands of power whose sum is the mean square of the samples.

    Args:
        spec: specification of the log-mel frames.

    Returns:
        float32 ``[n_mels]``.
    """
    ours = _responses(spec)
    flat, _ = nnls(ours.T, np.full(ours.shape[1], 1 / _bin(spec)))
    # Parseval: the bins of both halves of the spectrum, over those of the window.
    window = 0.375 * spec.win_length
    return np.asarray(flat * 2 / (spec.n_fft * window), np.float32)


def typical_power() -> NDArray[np.float32]:
    """Typical power of speech in the encoder's bands at its level, float32 ``[bands]``.

    It is the same up to 500 Hz, and falls by 6 dB per octave above.
    """
    centres = mel_frequencies(MELS + 2, fmin=0, fmax=_RATE / 2)[1:-1]
    octaves = np.log2(np.maximum(centres / _FLAT, 1))
    return np.asarray(_TYPICAL / 4**octaves, np.float32)


def _bin(spec: FeatureSpec) -> float:
    return spec.sample_rate / spec.n_fft


def _responses(spec: FeatureSpec) -> NDArray[np.float64]:
    """Response of each mel band to white noise, by frequency: ``[n_mels, frequencies]``."""
    return _sampled(spec.mel_matrix, _bin(spec)) / _bin(spec)


def _sampled(filters: NDArray[Any], step: float) -> NDArray[np.float64]:
    """Filters ``[filters, bins]``, interpolated on a common grid of frequencies."""
    grid = np.arange(0, _RATE / 2 + 1, _STEP)
    places = np.arange(filters.shape[1]) * step
    return np.array([np.interp(grid, places, one) for one in filters])


def encoder_graph(weights: Weights, spec: FeatureSpec) -> onnx.ModelProto:
    """Build the graph of the encoder.

    Args:
        weights: weights of GE2E, as :func:`training.networks.pretrained.load` gives them.
        spec: specification of the log-mel frames.

    Returns:
        A model from ``log_mel`` ``[batch, frames, n_mels]`` in dB to ``statistics``
        ``[batch, 1536]``: for each layer the mean and then the deviation of its units.
    """
    graph = GraphBuilder("encoder/")
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
    inputs, outputs = value("log_mel", "frames", spec.n_mels), value("statistics", STATISTICS)
    model = graph.model("encoder", [inputs], [outputs])
    onnx.checker.check_model(model)
    return model


def _mean(graph: GraphBuilder, halves: str, name: str) -> str:
    """Mean over time and both halves, ``[batch, units]``.

    Two reductions in a row take a third of the time of one over both axes.
    """
    over_time = graph.add("ReduceMean", [halves], f"{name}_of_halves", axes=[0], keepdims=0)
    return graph.add("ReduceMean", [over_time], name, axes=[0], keepdims=0)


def _input(graph: GraphBuilder, spec: FeatureSpec) -> str:
    """From the model's log-mel frames to the input of the first LSTM.

    Power in the encoder's mel bands, scaled to the level of its training data, relative to typical
    speech, in slices, time axis first.
    """
    constant, add = graph.constant, graph.add
    nepers = add("Mul", ["log_mel", constant("nepers", np.float32(_NEPERS))], "nepers_each")
    power = add("Exp", [nepers], "power")
    weights = constant("mean_square", mean_square(spec)[:, np.newaxis])
    squares = add("MatMul", [power, weights], "squares")
    level = add("ReduceMean", [squares], "level", axes=[1, 2], keepdims=1)
    audible = add("Add", [level, constant("faintest", np.float32(_FAINTEST))], "heard")
    gain = add("Div", [constant("wanted", np.float32(_LEVEL)), audible], "gain")
    relative = np.ascontiguousarray(mel_map(spec).T / typical_power())
    bands = add("MatMul", [power, constant("map", relative)], "bands")
    levelled = add("Mul", [bands, gain], "levelled")
    sequence = add("Transpose", [levelled], "sequence", perm=[1, 0, 2])
    return _sliced(graph, _halved(graph, sequence))


def _halved(graph: GraphBuilder, sequence: str) -> str:
    """First and last half of ``[frames, batch, bands]`` as one batch, ``[half, 2 * batch, bands]``.

    If the number of frames is odd, the frame in the middle is in both halves.
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


def _sliced(graph: GraphBuilder, sequence: str) -> str:
    """Split each band into slices, ``[frames, batch, bands]`` to ``[..., slices * bands]``.

    A slice holds what of the power lies between its bottom and the bottom of the next one. Their
    sum is the power, limited.
    """
    constant, add = graph.constant, graph.add
    height = _LIMIT / _SLICES
    bottoms = height * np.arange(_SLICES, dtype=np.float32)[:, np.newaxis]
    bands = add("Unsqueeze", [sequence, constant("slice_axis", np.array([2], np.int64))], "levels")
    above = add("Sub", [bands, constant("bottoms", bottoms)], "above")
    limits = [graph.scalar("empty", 0), graph.scalar("full", height)]
    slices = add("Clip", [above, *limits], "slices")
    flat = constant("flat", np.array([0, 0, _SLICES * MELS], np.int64))
    return add("Reshape", [slices, flat], "sliced")


def _lstm(graph: GraphBuilder, weights: Weights, layer: int, sequence: str, direction: str) -> str:
    """Add an LSTM layer, from ``[frames, batch, features]`` to ``[frames, batch, units]``."""

    def gates(name: str) -> NDArray[np.float32]:
        gates_of = np.split(weights[f"lstm.{name}_l{layer}"], 4)
        return np.concatenate([gates_of[gate] for gate in _GATES])

    biases = np.concatenate([gates("bias_ih"), gates("bias_hh")])
    of_input = gates("weight_ih")
    if layer == 0:
        of_input = np.tile(of_input * typical_power(), _SLICES)
    given = [
        sequence,
        graph.constant(f"input_weights{layer}", of_input[np.newaxis]),
        graph.constant(f"recurrent_weights{layer}", gates("weight_hh")[np.newaxis]),
        graph.constant(f"biases{layer}", biases[np.newaxis]),
    ]
    states = graph.add("LSTM", given, f"states{layer}", hidden_size=UNITS)
    return graph.add("Squeeze", [states, direction], f"layer{layer}")


def encode(model: onnx.ModelProto, utterances: Iterable[Frames]) -> NDArray[np.float32]:
    """Compute the statistics of utterances.

    Args:
        model: encoder from :func:`encoder_graph`, or its version in 8 bits.
        utterances: log-mel frames of each utterance, float32 ``[frames, n_mels]``.

    Returns:
        float32 ``[n, STATISTICS]``.
    """
    run = session(model).run
    batches = (frames[np.newaxis].astype(np.float32) for frames in utterances)
    return np.stack([run(["statistics"], {"log_mel": batch})[0][0] for batch in batches])
