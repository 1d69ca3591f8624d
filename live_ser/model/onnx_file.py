"""Checks of an ONNX file before ONNX Runtime reads it: a few bytes can demand gigabytes.

Field numbers are those of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.
"""

from __future__ import annotations

from live_ser.frontend.protobuf import each_field

_MAX_PARTS = 100_000  # nodes, tensors, names; a network of a hundred layers has some thousand

# Fields of the messages of which a graph is made.
_GRAPH, _FUNCTIONS = 7, 25  # of a model
_NODE, _SPARSE_INITIALIZER = 1, 15  # of a graph
_ATTRIBUTE = 5  # of a node
_SUBGRAPH, _SUBGRAPHS, _SPARSE_TENSOR, _SPARSE_TENSORS = 6, 11, 22, 23  # of an attribute


def check_onnx(data: bytes) -> None:
    """Check that loading a model takes no more memory and time than its size suggests.

    Sparse tensors, and functions that call each other, are expanded when they are loaded: a few
    bytes can become gigabytes. Our networks have neither. Nor have they so many parts that ONNX
    Runtime takes minutes to sort them.

    Args:
        data: content of the file.

    Raises:
        IndexError: it is truncated.
        ValueError: it is not a model, or not a safe one; the message says why.
    """
    parts = 0
    todo = [("model", memoryview(data))]
    while todo:
        kind, message = todo.pop()
        for number, value in each_field(message):
            parts += 1
            if parts > _MAX_PARTS:
                raise ValueError(f"it has more than {_MAX_PARTS} parts")
            inside = _INSIDE[kind].get(number)
            if inside == "refused":
                raise ValueError("it holds sparse tensors or functions")
            if inside:
                todo.append((inside, value))


# The message type of each field, by the message that contains it.
_INSIDE = {
    "model": {_GRAPH: "graph", _FUNCTIONS: "refused"},
    "graph": {_NODE: "node", _SPARSE_INITIALIZER: "refused"},
    "node": {_ATTRIBUTE: "attribute"},
    "attribute": {
        _SUBGRAPH: "graph",
        _SUBGRAPHS: "graph",
        _SPARSE_TENSOR: "refused",
        _SPARSE_TENSORS: "refused",
    },
}
