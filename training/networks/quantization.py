"""LSTM weights in 8 bits: the model is smaller and runs faster.

Weights are rounded column by column, and the columns that follow make up for the error as far as
their inputs are correlated with those of the rounded column (GPTQ, Frantar et al. 2022, arXiv
2210.17323). The products of weights and inputs are then more exact than the weights themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from training.networks.graph_builder import MICROSOFT
from training.networks.session import session

LARGEST = 63
"""Largest quantised weight, so that 7 of the 8 bits are used: processors without VNNI add two
products of 8-bit numbers in 16 bits, which would overflow otherwise and give other results."""

_DAMPING = 0.01  # added to the diagonal of second moments, relative to its mean
_OPERANDS = 8  # of an LSTM, before the scales of its weights

Inputs = Mapping[str, NDArray[np.float32]]
"""Inputs of a model by name; those that a model does not have are ignored."""


def in_8_bits(model: onnx.ModelProto, samples: Iterable[Inputs]) -> onnx.ModelProto:
    """Quantise the weights of a model's LSTMs to 8 bits.

    Args:
        model: model in float32, which is not changed.
        samples: typical inputs of the model.

    Returns:
        A copy of the model with the operator ``DynamicQuantizeLSTM`` of ONNX Runtime.
    """
    moments = _second_moments(model, samples)
    quantised = onnx.ModelProto()
    quantised.CopyFrom(model)
    graph = quantised.graph
    weights = {one.name: one for one in graph.initializer}
    for node in graph.node:
        if node.op_type != "LSTM":
            continue
        matrices = [(name, weights[name]) for name in node.input[1:3]]
        node.op_type, node.domain = "DynamicQuantizeLSTM", MICROSOFT
        node.input.extend([""] * (_OPERANDS - len(node.input)))
        for name, matrix in matrices:
            node.input.extend([f"{name}_scale", f"{name}_zero"])
            graph.initializer.remove(matrix)
            graph.initializer.extend(_in_8_bits(name, matrix, moments[name]))
    if all(one.domain != MICROSOFT for one in quantised.opset_import):
        quantised.opset_import.append(helper.make_opsetid(MICROSOFT, 1))
    return quantised


def _in_8_bits(
    name: str, matrix: onnx.TensorProto, moments: NDArray[np.float64]
) -> list[onnx.TensorProto]:
    """The weights of an LSTM ``[directions, outputs, inputs]``, their scales and zero points."""
    rounded = [round_weights(one, moments) for one in numpy_helper.to_array(matrix)]
    values = np.stack([values.T for values, _ in rounded])
    scales = np.stack([scales for _, scales in rounded])
    return [
        numpy_helper.from_array(np.ascontiguousarray(values), name),
        numpy_helper.from_array(scales, f"{name}_scale"),
        numpy_helper.from_array(np.zeros(scales.shape, np.int8), f"{name}_zero"),
    ]


def round_weights(
    weights: NDArray[np.float32], moments: NDArray[np.float64]
) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Round a matrix so that its products with typical inputs change little.

    Args:
        weights: float32 ``[outputs, inputs]``.
        moments: second moments of the inputs, ``[inputs, inputs]``.

    Returns:
        The rounded weights, int8 ``[outputs, inputs]``, and the scale of each row, float32
        ``[outputs]``.
    """
    order = np.argsort(-np.diag(moments))  # the inputs that matter most first
    damped = moments[np.ix_(order, order)]
    damped = damped + _DAMPING * np.trace(damped) / len(damped) * np.eye(len(damped))
    factor = np.linalg.cholesky(np.linalg.inv(damped)).T
    largest = np.abs(weights).max(axis=1)
    scales = np.asarray(np.where(largest, largest, 1) / LARGEST, np.float32)
    rest = weights[:, order].astype(np.float64)
    rounded = np.empty(weights.shape, np.int8)
    for column, place in enumerate(order):
        nearest = np.round(rest[:, column] / scales)
        rounded[:, place] = np.clip(nearest, -LARGEST, LARGEST)
        error = (rest[:, column] - rounded[:, place] * scales) / factor[column, column]
        rest[:, column + 1 :] -= np.outer(error, factor[column, column + 1 :])
    return rounded, scales


def _second_moments(
    model: onnx.ModelProto, samples: Iterable[Inputs]
) -> dict[str, NDArray[np.float64]]:
    """Second moments of the inputs of each matrix of LSTM weights, ``[inputs, inputs]``."""
    inputs: dict[str, str] = {}
    for node in model.graph.node:
        if node.op_type == "LSTM":
            of_input, recurrent = node.input[1:3]
            inputs |= {of_input: node.input[0], recurrent: node.output[0]}
    if not inputs:
        return {}
    tensors = sorted(set(inputs.values()))
    traced = onnx.ModelProto()
    traced.CopyFrom(model)
    floats = onnx.TensorProto.FLOAT
    traced.graph.output.extend(helper.make_tensor_value_info(one, floats, None) for one in tensors)
    run = session(traced).run
    names = [one.name for one in model.graph.input]
    sums: dict[str, NDArray[np.float64]] = {}
    for sample in samples:
        for tensor, values in zip(
            tensors, run(tensors, {k: sample[k] for k in names}), strict=True
        ):
            rows = values.reshape(-1, values.shape[-1]).astype(np.float64)
            sums[tensor] = sums.get(tensor, 0) + rows.T @ rows
    return {matrix: sums[tensor] for matrix, tensor in inputs.items()}
