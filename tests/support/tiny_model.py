"""A tiny model file that needs no training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from live_ser.spec import METADATA_KEY, BaselineSpec, FeatureSpec, GateSpec, ModelInfo, pack_matrix

LABELS = ("neutral", "happy", "sad", "angry")


def tiny_info(**changes: object) -> ModelInfo:
    """The metadata of a tiny model, with changes."""
    librosa_filters = pytest.importorskip("librosa.filters")
    mel = librosa_filters.mel(sr=16000, n_fft=400, n_mels=16, fmin=50, fmax=8000)
    values: dict[str, object] = {
        "name": "tiny",
        "labels": LABELS,
        "window": 3.5,
        "hop": 0.5,
        "features": FeatureSpec(
            sample_rate=16000,
            n_fft=400,
            win_length=400,
            hop_length=160,
            n_mels=16,
            fmin=50,
            fmax=8000,
            amin=1e-10,
            mel_basis=pack_matrix(mel),
        ),
        "gate": GateSpec(threshold=0.5, floor_db=-70, trim=True, min_speech=0.25),
        "abstain": 0.0,
        "licence": "MIT",
        "provenance": {},
    }
    return ModelInfo(**{**values, **changes})  # type: ignore[arg-type]


def tiny_baseline(
    typical: float = 4.0, memory: float = 60.0, offsets: object = None
) -> BaselineSpec:
    """The baseline of a tiny model, whose voice is the mean of each of its 16 bands."""
    rows = np.zeros((len(LABELS), 16)) if offsets is None else np.asarray(offsets)
    return BaselineSpec(16, typical, memory, pack_matrix(rows.astype(np.float32)))


def write_model(
    path: Path, info: ModelInfo, *, valence: bool = False, embedding: float = 0.0
) -> Path:
    """Write a model: log_mel -> mean of each mel band -> matrix -> softmax.

    Args:
        path: path of the file.
        info: metadata; with a baseline, the means are the voice, and the baseline is subtracted.
        valence: whether it has this output: the hyperbolic tangent of the activation's logit.
        embedding: factor of the means that are the embedding; 0 for a model without one.

    Returns:
        The path of the file.
    """
    onnx = pytest.importorskip("onnx")
    helper, floats = onnx.helper, onnx.TensorProto.FLOAT
    mels, classes = info.features.n_mels, len(info.labels)
    rng = np.random.default_rng(0)
    tensors = [
        onnx.numpy_helper.from_array(array, name)
        for name, array in {
            "weights": rng.normal(0, 0.008, (mels, classes)).astype(np.float32),
            "arousal": rng.normal(0, 0.005, (mels, 1)).astype(np.float32),
            "frames_axis": np.array([1], np.int64),
            "times": np.array([embedding], np.float32),
            "last_axis": np.array([1], np.int64),
        }.items()
    ]
    inputs = [helper.make_tensor_value_info("log_mel", floats, ["batch", "frames", mels])]
    outputs = [
        helper.make_tensor_value_info("probabilities", floats, ["batch", classes]),
        helper.make_tensor_value_info("activation", floats, ["batch"]),
    ]
    own = "voice" if info.baseline else "mean"
    nodes = [helper.make_node("ReduceMean", ["log_mel"], [own], axes=[1], keepdims=0)]
    if info.baseline:
        inputs.append(helper.make_tensor_value_info("baseline", floats, ["batch", mels]))
        outputs.append(helper.make_tensor_value_info("voice", floats, ["batch", mels]))
        nodes.append(helper.make_node("Sub", ["voice", "baseline"], ["mean"]))
    if embedding:
        outputs.append(helper.make_tensor_value_info("embedding", floats, ["batch", mels]))
        nodes.append(helper.make_node("Mul", [own, "times"], ["embedding"]))
    nodes += [
        helper.make_node("MatMul", ["mean", "weights"], ["scores"]),
        helper.make_node("Softmax", ["scores"], ["probabilities"], axis=-1),
        helper.make_node("MatMul", ["mean", "arousal"], ["arousal_column"]),
        helper.make_node("Squeeze", ["arousal_column", "last_axis"], ["arousal_score"]),
        helper.make_node("Sigmoid", ["arousal_score"], ["activation"]),
    ]
    if valence:
        outputs.append(helper.make_tensor_value_info("valence", floats, ["batch"]))
        nodes.append(helper.make_node("Tanh", ["arousal_score"], ["valence"]))
    graph = helper.make_graph(
        nodes,
        "tiny",
        inputs,
        outputs,
        tensors,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, {METADATA_KEY: info.to_json()})
    onnx.save(model, str(path))
    return path
