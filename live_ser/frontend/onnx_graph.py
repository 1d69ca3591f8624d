"""Networks as ONNX models, written without the package ``onnx``.

Field numbers are those of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from live_ser.frontend.protobuf import Value, message

_FLOAT, _INT32, _INT64 = 1, 6, 7  # TensorProto.DataType
_TYPES = {"float32": _FLOAT, "int32": _INT32, "int64": _INT64}
_INT, _INTS = 2, 7  # AttributeProto.AttributeType
_VERSION, _OPERATORS = 9, 18  # of the format and of its operators


class Graph:
    """A graph of operators, built from its inputs to its outputs."""

    def __init__(self) -> None:
        self._nodes: list[tuple[int, Value]] = []
        self._constants: list[tuple[int, Value]] = []

    def constant(self, values: ArrayLike) -> str:
        """Add a constant, and return its name."""
        array = np.asarray(values)
        name = f"constant {len(self._constants)}"
        dims = [(1, size) for size in array.shape]
        kind = _TYPES[array.dtype.name]
        data = array.astype(array.dtype.newbyteorder("<")).tobytes()
        self._constants.append((5, message(*dims, (2, kind), (8, name), (9, data))))
        return name

    def node(self, operator: str, *inputs: str, outputs: Sequence[str] = (), **numbers: Any) -> str:
        """Add a node.

        Args:
            operator: name of the operator.
            inputs: names of its inputs.
            outputs: names of its outputs; by default it has one, with a new name.
            numbers: its attributes, an integer or a list of integers each.

        Returns:
            The name of its first output.
        """
        names = [*outputs] or [f"{operator} {len(self._nodes)}"]
        parts = [*((1, name) for name in inputs), *((2, name) for name in names)]
        attributes = [(5, _attribute(name, value)) for name, value in numbers.items()]
        self._nodes.append((1, message(*parts, (4, operator), *attributes)))
        return names[0]

    def model(
        self, inputs: Mapping[str, tuple[str, Sequence[int | str]]], outputs: Sequence[str]
    ) -> bytes:
        """The graph as a file.

        Args:
            inputs: type and shape of each input; a size that may vary has a name.
            outputs: names of the outputs, float32.
        """
        given = [(11, _value(name, *described)) for name, described in inputs.items()]
        results = [(12, _value(name, "float32")) for name in outputs]
        graph = message(*self._nodes, (2, "graph"), *self._constants, *given, *results)
        return message((1, _VERSION), (7, graph), (8, message((2, _OPERATORS))))


def _attribute(name: str, value: int | list[int]) -> bytes:
    if isinstance(value, int):
        return message((1, name), (3, value), (20, _INT))
    return message((1, name), *((8, number) for number in value), (20, _INTS))


def _value(name: str, kind: str, shape: Sequence[int | str] | None = None) -> bytes:
    """The description of an input or output."""
    tensor: list[tuple[int, Value]] = [(1, _TYPES[kind])]
    if shape is not None:
        sizes = [(1, message((1 if isinstance(size, int) else 2, size))) for size in shape]
        tensor.append((2, message(*sizes)))
    return message((1, name), (2, message((1, message(*tensor)))))
