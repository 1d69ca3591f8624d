"""Runs ONNX graphs that are not model files."""

from __future__ import annotations

from typing import Any

import onnx


def session(model: onnx.ModelProto) -> Any:
    """An ONNX Runtime session that runs a model on one thread."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    data = model.SerializeToString()
    return ort.InferenceSession(data, options, providers=["CPUExecutionProvider"])
