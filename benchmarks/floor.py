"""A lower bound of the network's time: its multiply-adds at the speed of matrix products."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_LSTMS = {"LSTM", "DynamicQuantizeLSTM"}
SIDE = 384  # the product takes about as long as the network, so that both are disturbed alike


def multiply_adds(path: Path, frames: int) -> int:
    """Multiply-adds of the convolutions, LSTMs and matrix products of an ONNX file.

    Args:
        path: path of the model.
        frames: number of frames in its input.
    """
    import onnx
    import onnxruntime as ort

    graph = onnx.load(str(path))
    weights = {tensor.name: tuple(tensor.dims) for tensor in graph.graph.initializer}
    # Shapes are those of a run, because the graph does not state all of them.
    wanted = [n for n in graph.graph.node if n.op_type in {"Conv", *_LSTMS, "MatMul", "Gemm"}]
    names = {n.output[0] for n in wanted} | {i for n in wanted for i in n.input if i}
    known = {value.name for value in (*graph.graph.output, *graph.graph.input)} | set(weights)
    graph.graph.output.extend(onnx.ValueInfoProto(name=name) for name in sorted(names - known))
    session = ort.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])
    probe = silence(session, frames)
    outputs = [output.name for output in session.get_outputs()]
    values = session.run(outputs, probe)
    shapes = {**weights, **{name: value.shape for name, value in probe.items()}}
    shapes |= {name: np.shape(value) for name, value in zip(outputs, values, strict=True)}
    total = 0
    for node in wanted:
        if node.op_type == "Conv":
            total += _size(shapes[node.output[0]]) * _size(shapes[node.input[1]][1:])
        elif node.op_type in _LSTMS:
            steps = _size(shapes[node.input[0]][:2])  # of all sequences side by side
            total += steps * sum(_size(shapes[name]) for name in node.input[1:3])
        else:
            total += _size(shapes[node.output[0]]) * shapes[node.input[0]][-1]
    return total


def silence(session: Any, frames: int) -> dict[str, NDArray[np.float32]]:
    """Inputs of zeros: a number of frames, and the baseline of an unknown speaker."""
    shapes = {node.name: node.shape for node in session.get_inputs()}
    free = {"log_mel": frames}
    return {
        name: np.zeros([1, *(n if isinstance(n, int) else free[name] for n in shape[1:])], "f4")
        for name, shape in shapes.items()
    }


class MatrixProduct:
    """A product of two square matrices, of ``SIDE ** 3`` multiply-adds in single precision."""

    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        self._a = rng.normal(size=(SIDE, SIDE)).astype(np.float32)
        self._b = rng.normal(size=(SIDE, SIDE)).astype(np.float32)
        self._out = np.empty_like(self._a)

    def __call__(self) -> None:
        np.matmul(self._a, self._b, out=self._out)


def _size(shape: tuple[int, ...]) -> int:
    return int(np.prod(shape, dtype=np.int64))
