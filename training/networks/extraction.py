"""The network inside an exported or joined model file, without the calibration behind it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from live_ser.errors import LiveSerError
from training.networks.graph_builder import GraphBuilder, renamed
from training.networks.joined_graph import NETWORK, NETWORK_OUTPUTS, NEWEST

_JOINED_INPUTS = (NEWEST, NETWORK + "baseline")


def extract_network(model: onnx.ModelProto) -> onnx.ModelProto:
    """The network of a model file, up to its logits.

    Args:
        model: model file that ``training.export`` or ``training.join`` wrote.

    Returns:
        A model from ``log_mel`` and ``baseline`` to logits ``emotion`` ``[batch, labels]`` and
        ``activation`` ``[batch]``, and ``voice`` ``[batch, size]``.

    Raises:
        LiveSerError: the graph is of another kind.
    """
    graph = model.graph
    producers = {output: node for node in graph.node for output in node.output}
    if NETWORK + "voice" in producers:
        names = {NETWORK + name: name for name in (*NETWORK_OUTPUTS, "baseline")}
        names[NEWEST] = "log_mel"
    else:
        names = {
            _logits_before(graph, producers, "probabilities"): "emotion",
            _logits_before(graph, producers, "activation"): "activation",
        }
    nodes = renamed(_ancestors(graph, producers, _names_in_file(names)), names)
    used = {name for node in nodes for name in node.input}
    constants = [one for one in graph.initializer if one.name in used]
    inputs, outputs = (
        [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None) for name in edges]
        for edges in (("log_mel", "baseline"), NETWORK_OUTPUTS)
    )
    return GraphBuilder(nodes=nodes, constants=constants).model("network", inputs, outputs)


def _names_in_file(names: Mapping[str, str]) -> list[str]:
    """Names in the file of the network's outputs; ``names`` maps names in the file to ours."""
    back = {ours: theirs for theirs, ours in names.items()}
    return [back.get(output, output) for output in NETWORK_OUTPUTS]


def _logits_before(
    graph: onnx.GraphProto, producers: Mapping[str, onnx.NodeProto], output: str
) -> str:
    """The tensor of uncalibrated logits from which a calibrated output is computed."""
    constants = {one.name: numpy_helper.to_array(one) for one in graph.initializer}
    tensor = output
    for kind in ("MatMul", "Softmax") if output == "probabilities" else ("Sigmoid",):
        node = producers.get(tensor)
        if node is None or node.op_type != kind:
            raise LiveSerError(
                f"the graph has no {kind} in front of {tensor}: it was exported in another way",
                "take a file that python -m training.export or training.join wrote",
            )
        if kind == "MatMul" and not _is_identity(constants[node.input[1]]):
            raise LiveSerError("the network's classes are not its labels", "export it with them")
        tensor = node.input[0]
    while (node := producers[tensor]).op_type in ("Mul", "Div", "Add") and _is_affine(
        node, constants
    ):
        tensor = next(name for name in node.input if name not in constants)
    return tensor


def _is_identity(matrix: NDArray[np.float32]) -> bool:
    return np.array_equal(matrix, np.eye(len(matrix), dtype=np.float32))


def _is_affine(node: onnx.NodeProto, constants: Mapping[str, NDArray[np.float32]]) -> bool:
    """Whether a node only scales or shifts its input by one number."""
    given = [constants[name] for name in node.input if name in constants]
    return len(given) == 1 and given[0].size == 1


def _ancestors(
    graph: onnx.GraphProto, producers: Mapping[str, onnx.NodeProto], outputs: Iterable[str]
) -> list[onnx.NodeProto]:
    """The nodes from which outputs are computed, as far back as the inputs of the network."""
    needed: set[str] = set()
    pending = list(outputs)
    while pending:
        name = pending.pop()
        if name in needed or name in _JOINED_INPUTS or name not in producers:
            continue
        needed.update(producers[name].output)
        pending += producers[name].input
    return [node for node in graph.node if needed.intersection(node.output)]
