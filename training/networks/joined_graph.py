"""One ONNX graph of the encoder, its head, calibration and, beside them, a network."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnx
from numpy.typing import NDArray

from training.networks.calibration import Calibration
from training.networks.graph_builder import GraphBuilder, value
from training.networks.head import ACTIVATION, KNOWN, OUTPUTS, Head, HeadConfig
from training.networks.kernel import KernelExpansion
from training.networks.valence import NEVER, SIDES

NEWEST_SECONDS = 2.4
"""A joined model uses the newest seconds of an utterance: more takes time and adds nothing."""

# Names of tensors by which the network of a joined file is found again.
NEWEST = "newest"  # the newest frames of log_mel
NETWORK = "network/"
NETWORK_OUTPUTS = ("emotion", "activation", "voice")

_STATISTICS = "encoder/statistics"


@dataclass(frozen=True)
class FittedHead:
    """All that is fitted on the statistics of the encoder.

    Attributes:
        config: settings by which it was fitted.
        head: head that gives logits.
        projection: float32 ``[statistics, EMBEDDING]``, from the statistics, less those of a
            typical voice, to the embedding.
        calibration: calibration of the logits, or of their sum with those of a network.
    """

    config: HeadConfig
    head: Head
    projection: NDArray[np.float32]
    calibration: Calibration


def joined_graph(
    encoder: onnx.ModelProto,
    fitted: FittedHead,
    network: onnx.ModelProto | None,
    *,
    network_voice: int,
    n_mels: int,
    newest: int,
) -> onnx.ModelProto:
    """Build the graph of a model file.

    Args:
        encoder: model from ``log_mel`` to ``statistics``.
        fitted: head, projection and calibration.
        network: network whose logits are added, as
            :func:`training.networks.extraction.extract_network` returns it; None for the encoder
            alone.
        network_voice: length of the network's voice; 0 without a network.
        n_mels: number of mel bands.
        newest: number of frames, counted from the newest, that encoder and network use.

    Returns:
        A model from ``log_mel`` ``[batch, frames, n_mels]`` and ``baseline`` ``[batch, size]`` to
        ``probabilities``, ``activation``, ``valence``, ``voice`` and ``embedding``. In voice and
        baseline, the network's numbers come first, then the head's.
    """
    graph = GraphBuilder()
    graph.slice("log_mel", NEWEST, -newest, None)
    graph.include(encoder.graph, {"log_mel": NEWEST, "statistics": _STATISTICS})
    if network is not None:
        graph.slice("baseline", NETWORK + "baseline", 0, network_voice)
        inner = {name: NETWORK + name for name in (*NETWORK_OUTPUTS, "baseline")}
        graph.include(network.graph, {"log_mel": NEWEST, **inner})
    _add_head(graph, fitted, network_voice)
    _add_gain(graph, fitted.config.surer)
    _add_calibration(graph, fitted.calibration, fitted.config.share if network else 0.0)
    _add_valence(graph, *fitted.calibration.valence)
    size = network_voice + OUTPUTS
    inputs = [value("log_mel", "frames", n_mels), value("baseline", size)]
    outputs = [
        value("probabilities", ACTIVATION),
        value("activation"),
        value("valence"),
        value("voice", size),
        value("embedding", fitted.projection.shape[1]),
    ]
    return graph.model("live_ser", inputs, outputs)


def _add_head(graph: GraphBuilder, fitted: FittedHead, network_voice: int) -> None:
    """From statistics and baseline to ``head/logits``, ``voice`` and ``embedding``."""
    add, head = graph.add, fitted.head
    typical = graph.constant("head/typical", head.typical)
    centred = add("Sub", [_STATISTICS, typical], "head/centred")
    voice = add("MatMul", [centred, graph.constant("head/weights", head.weights)], "head/linear")
    if head.kernel:
        expansion = _add_kernel(graph, head.kernel, centred)
        voice = add("Add", [voice, expansion], "head/voice")
    projection = graph.constant("head/projection", fitted.projection)
    add("MatMul", [centred, projection], "embedding")
    voices = [NETWORK + "voice", voice] if network_voice else [voice]
    add("Concat", voices, "voice", axis=1)
    baseline = graph.slice("baseline", "head/baseline", network_voice, network_voice + OUTPUTS)
    difference = add("Sub", [voice, baseline], "head/difference")
    add("Add", [difference, graph.constant("head/bias", head.bias)], "head/logits")


def _add_kernel(graph: GraphBuilder, kernel: KernelExpansion, centred: str) -> str:
    """From centred statistics to the sum of kernels: exp(2 x c - c² - x²) for each centre c."""
    add, constant = graph.add, graph.constant
    squares = np.square(kernel.centres).sum(axis=1)
    x = add("MatMul", [centred, constant("kernel/axes", kernel.axes)], "kernel/x")
    twice = constant("kernel/twice_centres", 2 * kernel.centres.T)
    product = add("MatMul", [x, twice], "kernel/product")
    less = add("Add", [product, constant("kernel/minus_squares", -squares)], "kernel/less_centres")
    square = add("ReduceSumSquare", [x], "kernel/square", axes=[1], keepdims=1)
    exponent = add("Sub", [less, square], "kernel/exponent")
    near = add("Exp", [exponent], "kernel/values")
    weighted = add("MatMul", [near, constant("kernel/weights", kernel.weights)], "kernel/weighted")
    return add("Sub", [weighted, constant("kernel/mean", kernel.typical)], "kernel/expansion")


def _add_gain(graph: GraphBuilder, surer: float) -> None:
    """From the baseline to ``gain``, by which logits grow the better the speaker is known."""
    add, scalar = graph.add, graph.scalar
    emotions = graph.slice("head/baseline", "gain/emotions", 0, ACTIVATION)
    square = add("ReduceSumSquare", [emotions], "gain/square", axes=[1], keepdims=1)
    total = add("Add", [square, scalar("gain/half_known", KNOWN)], "gain/total")
    known = add("Div", [square, total], "gain/known")
    more = add("Mul", [known, scalar("gain/surer", surer)], "gain/more")
    add("Add", [more, scalar("gain/one", 1)], "gain")


def _add_calibration(graph: GraphBuilder, calibration: Calibration, share: float) -> None:
    """From logits to ``probabilities`` and ``activation``.

    Args:
        graph: graph with the logits of the head and, if ``share`` is above 0, of a network.
        calibration: temperature, and slope and offset of the activation.
        share: weight of the network's logits.
    """
    add, scalar = graph.add, graph.scalar
    slope, offset = calibration.activation
    columns = graph.constant("columns", np.array([1], np.int64))
    emotion = graph.slice("head/logits", "calibration/emotion", 0, ACTIVATION)
    column = graph.slice("head/logits", "calibration/column", ACTIVATION, OUTPUTS)
    activation = add("Squeeze", [column, columns], "calibration/activation")

    def scaled(logits: str, scale: float, output: str) -> str:
        own = add("Mul", [logits, scalar(f"{output}/scale", scale)], f"{output}/head")
        if not share:
            return own
        weight = scalar(f"{output}/network_scale", share * scale)
        other = add("Mul", [NETWORK + output, weight], f"{output}/network")
        return add("Add", [other, own], f"{output}/sum")

    emotion = scaled(emotion, 1 / calibration.temperature, "emotion")
    gained = add("Mul", [emotion, "gain"], "calibration/gained")
    add("Softmax", [gained], "probabilities", axis=-1)
    activation = scaled(activation, slope, "activation")
    shifted = add("Add", [activation, scalar("activation/offset", offset)], "activation/shifted")
    add("Sigmoid", [shifted], "activation")


def _add_valence(graph: GraphBuilder, slope: float, offset: float) -> None:
    """From ``probabilities`` to ``valence``: 2 P - 1, where P has the logit slope * odds + offset.

    That is the hyperbolic tangent of half the logit.
    """
    add, constant = graph.add, graph.constant
    sums = add("MatMul", ["probabilities", constant("valence/sides", SIDES)], "valence/sums")
    positive = add("Add", [sums, graph.scalar("valence/never", NEVER)], "valence/positive")
    logs = add("Log", [positive], "valence/logs")
    weights = constant("valence/weights", np.array([[slope / 2], [-slope / 2]], np.float32))
    odds = add("MatMul", [logs, weights], "valence/odds")
    shifted = add("Add", [odds, graph.scalar("valence/offset", offset / 2)], "valence/shifted")
    column = add("Tanh", [shifted], "valence/column")
    add("Squeeze", [column, "columns"], "valence")
