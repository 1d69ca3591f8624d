"""From a run to a model file: network, calibration and metadata."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import compress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from live_ser.errors import LiveSerError
from live_ser.frontend.features import Frames
from live_ser.model.onnx_model import load as load_model
from live_ser.spec import ModelInfo
from training.corpora.emotions import LABELS
from training.corpora.licences import licence_of_weights
from training.networks import model_file
from training.networks.calibration import Calibration
from training.recipes.config import RunConfig
from training.recipes.logits import merging
from training.recipes.presets import recipe
from training.recipes.run import Run

if TYPE_CHECKING:
    import keras

_OPSET = 17


def export(
    network: keras.Model,
    config: RunConfig,
    calibration: Calibration,
    windows: Sequence[Frames],
    path: Path,
    *,
    labels: Sequence[str] = LABELS,
    provenance: Mapping[str, Any] | None = None,
) -> ModelInfo:
    """Write a network as an ONNX file with its metadata.

    Args:
        network: trained network, as its recipe builds it, on TensorFlow.
        config: settings of the run.
        calibration: calibration, which becomes part of the graph.
        windows: log-mel windows of speech, on which file and network must agree to 1e-5.
        path: path of the file, which is written after all checks.
        labels: labels of the model.
        provenance: provenance for the metadata.

    Returns:
        The metadata of the file.

    Raises:
        LiveSerError: the file is not equivalent, or too slow; nothing is written.
    """
    preset = recipe(config)
    model = preset.alone(network)
    about = {**(provenance or {}), **model_file.origin()}
    corpora = {*config.corpora, *about.get("taught_by", ())}
    info = ModelInfo(
        name=path.stem,
        labels=tuple(labels),
        window=config.window,
        hop=config.hop,
        offset=config.offset,
        baseline=preset.baseline(model, calibration.offsets_of(labels), len(labels)),
        features=config.features.spec(),
        gate=config.gate,
        abstain=calibration.abstain,
        licence=licence_of_weights(corpora),
        provenance=about,
    )
    calibrated = _calibrated(model, config, calibration, info)
    graph = _convert(calibrated)
    _check_operators(graph)
    model_file.write(path, graph, info, _agreement(calibrated, windows))
    return info


def _agreement(calibrated: Any, windows: Sequence[Frames]) -> model_file.Check:
    """A check that a file predicts the same as the network in Keras."""

    def expected(window: Frames, baseline: NDArray[np.float32] | None) -> Mapping[str, ArrayLike]:
        inputs = [one[np.newaxis] for one in (window, baseline) if one is not None]
        outputs = calibrated(*inputs)
        return {name: np.asarray(outputs[name])[0] for name in ("probabilities", "activation")}

    return lambda file: model_file.agree(file, windows, expected, model_file.TOLERANCE)


def _calibrated(
    model: keras.Model, config: RunConfig, calibration: Calibration, info: ModelInfo
) -> Any:
    """The calibrated network, as a TensorFlow function of named tensors with dynamic shapes."""
    import tensorflow as tf

    merged = merging(config.classes, info.labels)
    slope, offset = calibration.activation

    def predict(*inputs: Any) -> dict[str, Any]:
        named = {one.name: given for one, given in zip(signature, inputs, strict=True)}
        logits = model(named if info.baseline else inputs[0], training=False)
        classes = tf.nn.softmax(logits["emotion"] / calibration.temperature)
        activation = tf.sigmoid(logits["activation"][:, 0] * slope + offset)
        probabilities = tf.matmul(classes, tf.constant(merged))
        voice = {"voice": logits["voice"]} if info.baseline else {}
        return {"probabilities": probabilities, "activation": activation, **voice}

    signature = [tf.TensorSpec((None, None, config.features.n_mels), name="log_mel")]
    if info.baseline:
        signature.append(tf.TensorSpec((None, info.baseline.size), name="baseline"))
    return tf.function(predict, input_signature=signature)


def _convert(calibrated: Any) -> Any:
    import tf2onnx

    proto, _ = tf2onnx.convert.from_function(
        calibrated, input_signature=calibrated.input_signature, opset=_OPSET
    )
    return proto


def _check_operators(proto: Any) -> None:
    operators = {node.op_type for node in proto.graph.node}
    if "LSTM" not in operators or "Loop" in operators:
        raise LiveSerError(
            "the converted graph has no LSTM operator, or a Loop in its place: it would be slow",
            "keep batch and frames dynamic, without masking or recurrent dropout",
        )


def export_run(
    run: Run, path: Path, calibration_runs: Sequence[Run] = (), changes: Sequence[str] = ()
) -> ModelInfo:
    """Export a run as an ONNX file.

    Args:
        run: finished run.
        path: path of the file.
        calibration_runs: runs with the same settings that held out speakers or corpora; calibration
            and figures are the means of theirs. Empty for those of the run itself.
        changes: settings to replace that the weights don't depend on: ``gate.threshold=0.4``.

    Returns:
        The metadata of the file.

    Raises:
        LiveSerError: the run is not finished, or the file is not equivalent.
    """
    _check_backend(run)
    config = _changed(run, changes)
    for one in calibration_runs:
        _check_left_out(one, config)
    network = recipe(config).network()
    run.load_weights(network)
    measured = calibration_runs or (run,)
    names = ", ".join(one.splits.name for one in measured)
    corpora = list(config.corpora)
    taught = [name for name in corpora_of(run.folder) if name not in corpora]
    provenance = {
        "corpora": corpora,
        **({"taught_by": taught} if taught else {}),
        "clips": len(run.splits.train),
        "speakers": run.splits.speakers,
        "protocol": names + (", each by a network trained without it" if calibration_runs else ""),
        "figures": _figures(run, measured),
        "config": config.to_dict(),
    }
    calibration = Calibration.mean([calibration_of(one) for one in measured])
    return export(
        network,
        config,
        calibration,
        run.windows(),
        path,
        labels=list(compress(LABELS, merging(config.classes, LABELS).sum(axis=0))),
        provenance=provenance,
    )


def calibration_of(run: Run) -> Calibration:
    """The calibration of a run, on its test clips."""
    return Calibration.from_dict(run.read_json("calibration.json"))


def _check_backend(run: Run) -> None:
    import keras

    if keras.backend.backend() != "tensorflow":
        raise LiveSerError(
            f"the export runs on TensorFlow, and Keras is on {keras.backend.backend()}",
            f"KERAS_BACKEND=tensorflow python -m training.export {run.folder}",
        )


def _changed(run: Run, changes: Sequence[str]) -> RunConfig:
    """The settings of a finished run with changes, which its weights must not depend on."""
    if not run.weights.is_file():
        raise LiveSerError(
            f"{run.folder} has no trained weights yet",
            f"finish it with python -m training.fit --resume {run.folder}",
        )
    config = run.config
    for setting in changes:
        config = config.with_setting(setting)
    if config.architecture != run.config.architecture:
        raise LiveSerError(
            "the weights are of another network than these settings make",
            "change what they do not hold, such as gate.threshold",
        )
    return config


def _check_left_out(run: Run, config: RunConfig) -> None:
    """Refuse a run for calibration that held nothing out, or has other settings."""
    if not run.splits.test or not run.read_json("calibration.json"):
        raise LiveSerError(
            f"{run.folder} held nothing out, so it cannot calibrate the model for new speakers",
            "take runs of --split held-out, or of a corpus left out",
        )
    if run.config.kind != config.kind:
        raise LiveSerError(
            f"{run.folder} has other features or classes than this network",
            "take runs with the same settings",
        )


def corpora_of(path: Path) -> list[str]:
    """All corpora that a run or an exported file was trained on, itself or through its teachers.

    Args:
        path: path of the run's folder, or of the file.
    """
    if path.is_file():
        origin = load_model(path).info.provenance
        return sorted({*origin.get("corpora", ()), *origin.get("taught_by", ())})
    run = Run.open(path)
    taught = [name for teacher in run.teachers for name in corpora_of(teacher)]
    return sorted({*run.config.corpora, *taught})


def _figures(run: Run, measured: Sequence[Run]) -> dict[str, float]:
    """The figures of a run, and those of the runs that calibrate it on their test clips."""
    own = run.metrics
    figures: dict[str, float] = {"epochs": own.epochs, "parameters": own.parameters}
    held_out = [one.metrics.held_out for one in measured]
    known = [one for one in held_out if one is not None]
    if len(known) == len(held_out):
        figures["clips"] = sum(one.clips for one in known)
        for name in ("uar", "accuracy", "ece_uncalibrated"):
            figures[name] = round(float(np.mean([getattr(one, name) for one in known])), 4)
    return figures
