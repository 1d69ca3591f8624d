"""ONNX files, looked at before ONNX Runtime reads them: a few bytes can ask for gigabytes.

The numbers are those of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.
"""

from __future__ import annotations

from live_ser.frontend.protobuf import each_field

_MAX_PARTS = 100_000  # nodes, tensors, names; a network of a hundred layers has some thousands

# Fields of the messages of which a graph is made.
_GRAPH, _FUNCTIONS = 7, 25  # of a model
_NODE, _SPARSE_INITIALIZER = 1, 15  # of a graph
_ATTRIBUTE = 5  # of a node
_SUBGRAPH, _SUBGRAPHS, _SPARSE_TENSOR, _SPARSE_TENSORS = 6, 11, 22, 23  # of an attribute


def check_onnx(data: bytes) -> None:
    """See that reading a model takes no more than its size lets one expect.

    Tensors that are written sparse and functions that call each other are written out when they are
    read, which can make gigabytes of a few bytes; no network of ours has any. Nor has one so many
    parts that it takes ONNX Runtime minutes to put them in order.

    Args:
        data: of the file.

    Raises:
        IndexError: it ends too soon.
        ValueError: it is no model, or one that may take more; the message says why.
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


# What is inside of what, by the number of the field.
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
