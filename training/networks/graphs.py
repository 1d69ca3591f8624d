"""Several networks in one ONNX graph: the network, the encoder with its head, calibration.

The network is taken from an exported file as it is, without the calibration behind it; from a file
that was joined before, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from live_ser.errors import LiveSerError
from training.networks.encoder import OPSET
from training.networks.head import ACTIVATION, KNOWN, OUTPUTS, Head
from training.networks.kernel import Kernel
from training.networks.valence import NEVER, SIDES

HEARD = 2.4
"""The newest seconds of an utterance that a joined file hears: more takes time and adds nothing."""

_NEWEST = "newest"  # frames of the log-mel
_NETWORK = "network/"
_ENCODER = "encoder/"
_OUTPUTS = ("emotion", "activation", "voice")
_INPUTS = (_NEWEST, _NETWORK + "baseline")  # of the network in a joined file
_MICROSOFT = "com.microsoft"  # the operators of weights in 8 bits
_IR = 8


def network_of(model: onnx.ModelProto) -> onnx.ModelProto:
    """The network of an exported file, before its calibration.

    Args:
        model: that ``training.export`` or :func:`join` wrote.

    Returns:
        A model from ``log_mel`` and ``baseline`` to logits ``emotion`` ``[batch, labels]`` and
        ``activation`` ``[batch]``, and ``voice`` ``[batch, size]``.

    Raises:
        LiveSerError: it is of another kind.
    """
    graph = model.graph
    made = {output: node for node in graph.node for output in node.output}
    if _NETWORK + "voice" in made:
        names = {_NETWORK + name: name for name in (*_OUTPUTS, "baseline")} | {_NEWEST: "log_mel"}
    else:
        names = {
            _logits_behind(graph, made, "probabilities"): "emotion",
            _logits_behind(graph, made, "activation"): "activation",
        }
    nodes = _renamed(_needed(graph, made, [*_outputs(names)]), names)
    needed = {name for node in nodes for name in node.input}
    constants = [one for one in graph.initializer if one.name in needed]
    floats = onnx.TensorProto.FLOAT
    return _model(
        helper.make_graph(
            nodes,
            "network",
            [helper.make_tensor_value_info(name, floats, None) for name in ("log_mel", "baseline")],
            [helper.make_tensor_value_info(name, floats, None) for name in _OUTPUTS],
            constants,
        )
    )


def _outputs(names: Mapping[str, str]) -> Iterable[str]:
    """The names that the outputs have in the file."""
    back = {ours: theirs for theirs, ours in names.items()}
    return (back.get(output, output) for output in _OUTPUTS)


def _logits_behind(graph: onnx.GraphProto, made: Mapping[str, onnx.NodeProto], output: str) -> str:
    """The tensor that a calibrated output is made of."""
    constants = {one.name: numpy_helper.to_array(one) for one in graph.initializer}
    tensor = output
    for kind in ("MatMul", "Softmax") if output == "probabilities" else ("Sigmoid",):
        node = made.get(tensor)
        if node is None or node.op_type != kind:
            raise LiveSerError(
                f"the graph has no {kind} in front of {tensor}: it was exported in another way",
                "take a file that python -m training.export or training.join wrote",
            )
        if kind == "MatMul" and not np.array_equal(*_square(constants[node.input[1]])):
            raise LiveSerError("the network's classes are not its labels", "export it with them")
        tensor = node.input[0]
    while (node := made[tensor]).op_type in ("Mul", "Div", "Add") and _scalar(node, constants):
        tensor = next(name for name in node.input if name not in constants)
    return tensor


def _square(matrix: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    return matrix, np.eye(len(matrix), dtype=np.float32)


def _scalar(node: onnx.NodeProto, constants: Mapping[str, NDArray[np.float32]]) -> bool:
    """Whether a node does no more than scale or shift all alike."""
    given = [constants[name] for name in node.input if name in constants]
    return len(given) == 1 and given[0].size == 1


def _needed(
    graph: onnx.GraphProto, made: Mapping[str, onnx.NodeProto], outputs: Iterable[str]
) -> list[onnx.NodeProto]:
    """The nodes that outputs rest on, in their order, behind the inputs of the network."""
    wanted, todo = set(), list(outputs)
    while todo:
        name = todo.pop()
        if name in wanted or name in _INPUTS or name not in made:
            continue
        wanted.update(made[name].output)
        todo += made[name].input
    return [node for node in graph.node if wanted.intersection(node.output)]


def _renamed(nodes: Iterable[onnx.NodeProto], names: Mapping[str, str]) -> list[onnx.NodeProto]:
    """Copies of nodes with other names for some tensors."""
    copies = []
    for node in nodes:
        copy = onnx.NodeProto()
        copy.CopyFrom(node)
        for ends in (copy.input, copy.output):
            ends[:] = [names.get(name, name) for name in ends]
        copies.append(copy)
    return copies


def join(
    network: onnx.ModelProto | None,
    encoder: onnx.ModelProto,
    head: Head,
    projection: NDArray[np.float32],
    *,
    share: float,
    surer: float,
    temperature: float,
    activation: tuple[float, float],
    valence: tuple[float, float],
    size: int,
    mels: int,
    heard: int,
) -> onnx.ModelProto:
    """One graph of all of it.

    Args:
        network: as :func:`network_of` gave it; None for the encoder and its head alone.
        encoder: from ``log_mel`` to ``statistics``.
        head: on these.
        projection: from these to an embedding.
        share: what the network's logits count for beside the head's.
        surer: what a well-known voice adds to the emotions' logits, as a share of them.
        temperature: that the emotions' logits are divided by.
        activation: slope and offset of the activation's logit.
        valence: slope and offset of the log odds of pleasant against unpleasant.
        size: numbers that tell a voice to the network; the head's follow them.
        mels: bands of ``log_mel``.
        heard: newest frames of ``log_mel`` that encoder and network hear.

    Returns:
        A model with the inputs and outputs of an exported file, and ``embedding``.
    """
    nodes, constants = _newest(heard)
    inside = {"log_mel": _NEWEST, "statistics": _ENCODER + "statistics"}
    nodes += _renamed(encoder.graph.node, inside)
    if network is not None:
        inside = {"log_mel": _NEWEST}
        inside |= {name: _NETWORK + name for name in (*_OUTPUTS, "baseline")}
        nodes += [_slice("baseline", _NETWORK + "baseline", 0, size)]
        nodes += _renamed(network.graph.node, inside)
        constants += network.graph.initializer
    behind = (
        _head(head, projection, size, alone=network is None),
        _known(surer),
        _calibrated(share if network is not None else 0.0, temperature, activation),
        _valence(valence),
    )
    for added, more in behind:
        nodes += added
        constants += more
    inputs, outputs = _edges(mels, size + OUTPUTS, projection.shape[1])
    initializers = [*encoder.graph.initializer, *constants, *_bounds(size)]
    return _model(helper.make_graph(nodes, "live_ser", inputs, outputs, initializers))


def _edges(
    mels: int, voice: int, embedding: int
) -> tuple[list[onnx.ValueInfoProto], list[onnx.ValueInfoProto]]:
    """Inputs and outputs of a joined file, with their shapes."""
    inputs = [_value("log_mel", "frames", mels), _value("baseline", voice)]
    outputs = [
        _value("probabilities", ACTIVATION),
        _value("activation"),
        _value("valence"),
        _value("voice", voice),
        _value("embedding", embedding),
    ]
    return inputs, outputs


def _value(name: str, *shape: str | int) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["batch", *shape])


Part = tuple[list[onnx.NodeProto], list[onnx.TensorProto]]
"""Nodes, and the constants that they need."""


def _newest(heard: int) -> Part:
    """The newest frames of ``log_mel``."""
    places = {"first_heard": -heard, "last_heard": np.iinfo(np.int64).max, "frames_axis": 1}
    constants = [numpy_helper.from_array(np.array([v], np.int64), k) for k, v in places.items()]
    return [helper.make_node("Slice", ["log_mel", *places], [_NEWEST])], constants


def _head(head: Head, projection: NDArray[np.float32], size: int, *, alone: bool) -> Part:
    """From statistics and the baseline to the head's logits, the whole voice and the embedding."""
    constants = _constants(
        {
            "weights": head.weights,
            "typical": head.typical,
            "bias": head.bias,
            "projection": projection,
        }
    )
    weights, typical, bias, axes = (one.name for one in constants)
    made = (f"head/{name}" for name in ("unlike", "voice", "baseline", "apart", "logits"))
    unlike, voice, baseline, apart, logits = made
    linear = "head/linear" if head.kernel else voice
    beside, more = _kernel(head.kernel, unlike, linear, voice) if head.kernel else ([], [])
    voices = [voice] if alone else [_NETWORK + "voice", voice]
    return [
        helper.make_node("Sub", [_ENCODER + "statistics", typical], [unlike]),
        helper.make_node("MatMul", [unlike, weights], [linear]),
        *beside,
        helper.make_node("MatMul", [unlike, axes], ["embedding"]),
        helper.make_node("Concat", voices, ["voice"], axis=1),
        _slice("baseline", baseline, size, size + OUTPUTS),
        helper.make_node("Sub", [voice, baseline], [apart]),
        helper.make_node("Add", [apart, bias], [logits]),
    ], constants + more


def _kernel(kernel: Kernel, unlike: str, linear: str, voice: str) -> Part:
    """From what is not typical of statistics, and the linear part, to the head's voice."""
    constants = _constants(
        {
            "axes": kernel.axes,
            "twice_centres": 2 * kernel.centres.T,
            "off_centre": -np.square(kernel.centres).sum(axis=1),
            "near_weights": kernel.weights,
            "usual": kernel.typical,
        }
    )
    axes, centres, squares, weights, usual = (one.name for one in constants)
    node = helper.make_node
    return [
        node("MatMul", [unlike, axes], ["head/place"]),
        node("MatMul", ["head/place", centres], ["head/towards"]),
        node("Add", ["head/towards", squares], ["head/less_centres"]),
        node("ReduceSumSquare", ["head/place"], ["head/far"], axes=[1], keepdims=1),
        node("Sub", ["head/less_centres", "head/far"], ["head/nearness"]),
        node("Exp", ["head/nearness"], ["head/near"]),
        node("MatMul", ["head/near", weights], ["head/by_kernel"]),
        node("Sub", ["head/by_kernel", usual], ["head/beside"]),
        node("Add", [linear, "head/beside"], [voice]),
    ], constants


def _known(surer: float) -> Part:
    """From the baseline to what the logits are multiplied by: more, the better a voice is known."""
    constants = _constants(
        {"half_known": np.float32(KNOWN), "surer": np.float32(surer), "one": np.float32(1)}
    )
    half, more, one = (each.name for each in constants)
    node = helper.make_node
    return [
        _slice("head/baseline", "usual_emotions", 0, ACTIVATION),
        node("ReduceSumSquare", ["usual_emotions"], ["unusual"], axes=[1], keepdims=1),
        node("Add", ["unusual", half], ["unusual_at_least"]),
        node("Div", ["unusual", "unusual_at_least"], ["known"]),
        node("Mul", ["known", more], ["known_more"]),
        node("Add", ["known_more", one], ["known_gain"]),
    ], constants


def _calibrated(share: float, temperature: float, activation: tuple[float, float]) -> Part:
    """From the logits of both, or of the head alone, to probabilities and activation."""
    slope, offset = activation
    node = helper.make_node
    logits = "head/logits"
    constants = _constants(
        {
            "share": np.float32(1 / temperature),
            "slope": np.float32(slope),
            "offset": np.float32(offset),
        }
    )
    own_share, own_slope, shift = (one.name for one in constants)
    nodes = [
        _slice(logits, "emotion_logits", 0, ACTIVATION),
        node("Mul", ["emotion_logits", own_share], ["encoder_emotion"]),
        _slice(logits, "activation_column", ACTIVATION, OUTPUTS),
        node("Squeeze", ["activation_column", "columns"], ["activation_logit"]),
        node("Mul", ["activation_logit", own_slope], ["encoder_activation"]),
    ]
    emotion, aroused = "encoder_emotion", "encoder_activation"
    if share:
        more = _constants(
            {
                "network_share": np.float32(share / temperature),
                "network_slope": np.float32(share * slope),
            }
        )
        network_share, network_slope = (one.name for one in more)
        constants += more
        nodes += [
            node("Mul", [_NETWORK + "emotion", network_share], ["network_emotion"]),
            node("Add", ["network_emotion", emotion], ["emotion"]),
            node("Mul", [_NETWORK + "activation", network_slope], ["network_activation"]),
            node("Add", ["network_activation", aroused], ["aroused"]),
        ]
        emotion, aroused = "emotion", "aroused"
    nodes += [
        node("Mul", [emotion, "known_gain"], ["known_emotion"]),
        node("Softmax", ["known_emotion"], ["probabilities"], axis=-1),
        node("Add", [aroused, shift], ["calibrated"]),
        node("Sigmoid", ["calibrated"], ["activation"]),
    ]
    return nodes, constants


def _valence(valence: tuple[float, float]) -> Part:
    """From the probabilities to valence."""
    slope, offset = valence
    constants = _constants(
        {
            "sides": SIDES,
            "never": np.float32(NEVER),
            # 2 P - 1 of a probability P is the hyperbolic tangent of half its log odds.
            "odds": np.array([[slope / 2], [-slope / 2]], np.float32),
            "neutral_point": np.float32(offset / 2),
        }
    )
    sides, never, odds, shift = (one.name for one in constants)
    node = helper.make_node
    return [
        node("MatMul", ["probabilities", sides], ["sides"]),
        node("Add", ["sides", never], ["sides_at_least"]),
        node("Log", ["sides_at_least"], ["log_sides"]),
        node("MatMul", ["log_sides", odds], ["half_odds"]),
        node("Add", ["half_odds", shift], ["shifted_odds"]),
        node("Tanh", ["shifted_odds"], ["valence_column"]),
        node("Squeeze", ["valence_column", "columns"], ["valence"]),
    ], constants


def _slice(tensor: str, name: str, start: int, stop: int) -> onnx.NodeProto:
    """Some columns of a tensor."""
    return helper.make_node("Slice", [tensor, f"at{start}", f"at{stop}", "columns"], [name])


def _bounds(size: int) -> list[onnx.TensorProto]:
    """Where slices begin and end, and the axis of columns."""
    places = sorted({0, size, size + OUTPUTS, ACTIVATION, OUTPUTS})
    numbers = {f"at{place}": [place] for place in places} | {"columns": [1]}
    return [numpy_helper.from_array(np.array(v, np.int64), k) for k, v in numbers.items()]


def _constants(values: Mapping[str, NDArray[np.float32] | np.float32]) -> list[onnx.TensorProto]:
    return [
        numpy_helper.from_array(np.asarray(value, np.float32), f"head/{name}")
        for name, value in values.items()
    ]


def _model(graph: onnx.GraphProto) -> onnx.ModelProto:
    domains = {node.domain for node in graph.node}
    opsets = [helper.make_opsetid("", OPSET)]
    if _MICROSOFT in domains:
        opsets.append(helper.make_opsetid(_MICROSOFT, 1))
    return helper.make_model(graph, opset_imports=opsets, ir_version=_IR, producer_name="live-ser")
