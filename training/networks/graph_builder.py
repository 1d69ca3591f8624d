"""ONNX graphs, built node by node."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

OPSET = 17

MICROSOFT = "com.microsoft"
"""Domain of ONNX Runtime's own operators, such as those for 8-bit weights."""

_IR = 8


@dataclass
class GraphBuilder:
    """Nodes and constants of an ONNX graph, in the order in which they are added.

    Attributes:
        prefix: prefix of the name of each constant and tensor that is added.
        nodes: nodes so far.
        constants: initializers so far.
    """

    prefix: str = ""
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: list[onnx.TensorProto] = field(default_factory=list)

    def constant(self, name: str, value: Any) -> str:
        """Add a constant.

        Args:
            name: name without the prefix.
            value: array or scalar; its type becomes that of the tensor.

        Returns:
            The name of the tensor.
        """
        self.constants.append(numpy_helper.from_array(np.asarray(value), self.prefix + name))
        return self.prefix + name

    def scalar(self, name: str, value: float) -> str:
        """Add a constant float32, and return the name of its tensor."""
        return self.constant(name, np.float32(value))

    def add(self, op: str, inputs: Sequence[str], output: str, **attributes: Any) -> str:
        """Add a node with one output.

        Args:
            op: type of the operator, such as ``MatMul``.
            inputs: full names of its inputs.
            output: name of its output without the prefix.
            **attributes: attributes of the operator.

        Returns:
            The full name of the output.
        """
        name = self.prefix + output
        self.nodes.append(helper.make_node(op, inputs, [name], name=name, **attributes))
        return name

    def slice(self, tensor: str, output: str, start: int, stop: int | None) -> str:
        """Add a slice along axis 1, ``tensor[:, start:stop]``, and return its name."""
        end = np.iinfo(np.int64).max if stop is None else stop
        bounds = {"start": start, "stop": end, "axis": 1}
        names = [
            self.constant(f"{output}/{bound}", np.array([place], np.int64))
            for bound, place in bounds.items()
        ]
        return self.add("Slice", [tensor, *names], output)

    def include(self, graph: onnx.GraphProto, names: Mapping[str, str]) -> None:
        """Add the nodes and constants of another graph.

        Args:
            graph: the other graph; names of its nodes and constants must not clash with others.
            names: new names of some of its tensors, by their name there.
        """
        self.nodes += renamed(graph.node, names)
        self.constants += graph.initializer

    def model(
        self,
        name: str,
        inputs: Sequence[onnx.ValueInfoProto],
        outputs: Sequence[onnx.ValueInfoProto],
    ) -> onnx.ModelProto:
        """The model with the nodes and constants so far.

        Args:
            name: name of the graph.
            inputs: inputs of the graph, from :func:`value`.
            outputs: outputs of the graph.
        """
        graph = helper.make_graph(self.nodes, name, inputs, outputs, self.constants)
        opsets = [helper.make_opsetid("", OPSET)]
        if any(node.domain == MICROSOFT for node in graph.node):
            opsets.append(helper.make_opsetid(MICROSOFT, 1))
        return helper.make_model(
            graph, opset_imports=opsets, ir_version=_IR, producer_name="live-ser"
        )


def value(name: str, *shape: str | int) -> onnx.ValueInfoProto:
    """An input or output of a graph, float32 ``[batch, *shape]``."""
    return helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["batch", *shape])


def renamed(nodes: Iterable[onnx.NodeProto], names: Mapping[str, str]) -> list[onnx.NodeProto]:
    """Copies of nodes in which some tensors have other names.

    Args:
        nodes: nodes to copy.
        names: new names of tensors by their old names.
    """
    copies = []
    for node in nodes:
        copy = onnx.NodeProto()
        copy.CopyFrom(node)
        for tensors in (copy.input, copy.output):
            tensors[:] = [names.get(name, name) for name in tensors]
        copies.append(copy)
    return copies
