"""``python -m training.export``: a run as one ONNX file that holds all it takes to use it."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from live_ser.errors import LiveSerError
from live_ser.frontend.features import Frames
from live_ser.spec import METADATA_KEY, BaselineSpec, ModelInfo, pack_matrix
from training import command
from training.corpora.readers import LABELS, SAME
from training.recipes.config import Config, RunConfig
from training.recipes.distill import corpora_of
from training.recipes.run import Run

TOLERANCE = 1e-5
_LICENCE = "CC-BY-NC-SA-4.0"  # of RAVDESS and nEMO, and so of what is trained on them
_OPSET = 17


@dataclass(frozen=True)
class Calibration:
    """What turns logits into probabilities that a stranger can trust.

    Attributes:
        temperature: that the emotions' logits are divided by.
        activation: slope and offset of the activation's logit.
        abstain: confidence under which the model can't tell.
        offsets: what each label adds to a voice, ``[labels][size]``; nothing known if empty.
    """

    temperature: float = 1.0
    activation: tuple[float, float] = (1.0, 0.0)
    abstain: float = 0.0
    offsets: Sequence[Sequence[float]] = ()

    @classmethod
    def of_run(cls, run: Run) -> Calibration:
        """That of a run, on what it left out."""
        found = run.read_json("calibration.json")
        return cls(**{**found, **({"activation": tuple(found["activation"])} if found else {})})

    @classmethod
    def mean(cls, several: Sequence[Calibration]) -> Calibration:
        """What several agree on; none where there are none."""
        if not several:
            return cls()
        slopes, offsets = zip(*(one.activation for one in several), strict=True)
        return cls(
            temperature=float(np.exp(np.mean(np.log([one.temperature for one in several])))),
            activation=(float(np.mean(slopes)), float(np.mean(offsets))),
            abstain=round(float(np.mean([one.abstain for one in several])), 2),
            offsets=_mean_rows([one.offsets for one in several]),
        )


def _mean_rows(several: Sequence[Sequence[Sequence[float]]]) -> list[list[float]]:
    """Mean of matrices, row by row; a row of zeros says nothing, and doesn't count."""
    rows = np.array([one for one in several if len(one)], np.float64)
    if not len(rows):
        return []
    known = np.maximum(rows.any(axis=2).sum(axis=0), 1)
    mean: list[list[float]] = (rows.sum(axis=0) / known[:, np.newaxis]).tolist()
    return mean


def export(
    network: Any,
    config: RunConfig,
    calibration: Calibration,
    windows: Sequence[Frames],
    path: Path,
    *,
    labels: Sequence[str] = LABELS,
    provenance: dict[str, Any] | None = None,
) -> ModelInfo:
    """Write a network as an ONNX file with its metadata.

    Args:
        network: that was trained, as its recipe builds it; on TensorFlow.
        config: that it was trained by.
        calibration: put behind it.
        windows: real log-mel windows, on which both must agree to 1e-5.
        path: of the file; it is written last, when everything was found right.
        labels: what the file says.
        provenance: for the metadata.

    Raises:
        LiveSerError: the file would not do; nothing is written.
    """
    from training.recipes.presets import recipe

    model = recipe(config).alone(network)
    info = ModelInfo(
        name=path.stem,
        labels=tuple(labels),
        window=config.window,
        hop=config.hop,
        offset=config.offset,
        baseline=_baseline(model, config, calibration, labels),
        features=config.features.spec(),
        gate=config.gate,
        abstain=calibration.abstain,
        licence=_LICENCE,
        provenance={**(provenance or {}), **origin()},
    )
    said = _graph(model, config, calibration, info)
    proto = _convert(said)
    _check_operators(proto)
    entry = proto.metadata_props.add()
    entry.key, entry.value = METADATA_KEY, info.to_json()
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        part = Path(folder, path.name)
        part.write_bytes(proto.SerializeToString())
        _check_parity(said, part, windows)
        os.replace(part, path)
    return info


def _baseline(
    model: Any, config: RunConfig, calibration: Calibration, labels: Sequence[str]
) -> BaselineSpec | None:
    if not isinstance(config, Config):
        return None
    size = model.input["baseline"].shape[1]
    offsets = np.zeros((len(labels), size), np.float32)
    if len(calibration.offsets):
        rows = [LABELS.index(SAME.get(label, label)) for label in labels]
        offsets[:] = np.asarray(calibration.offsets)[rows]
    how = config.baseline
    return BaselineSpec(size, how.typical, how.memory, pack_matrix(offsets.round(3)))


def _graph(model: Any, config: RunConfig, calibration: Calibration, info: ModelInfo) -> Any:
    """The network with its calibration: a TensorFlow function of named, dynamic tensors."""
    import tensorflow as tf

    from training.recipes.learn import merging

    merged = merging(config.classes, info.labels)
    slope, offset = calibration.activation

    def said(*inputs: Any) -> dict[str, Any]:
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
    return tf.function(said, input_signature=signature)


def _convert(said: Any) -> Any:
    import tf2onnx

    proto, _ = tf2onnx.convert.from_function(
        said, input_signature=said.input_signature, opset=_OPSET
    )
    return proto


def _check_operators(proto: Any) -> None:
    operators = {node.op_type for node in proto.graph.node}
    if "LSTM" not in operators or "Loop" in operators:
        raise LiveSerError(
            "the converted graph has no LSTM operator, or a Loop in its place: it would be slow",
            "keep batch and frames dynamic, without masking or recurrent dropout",
        )


def _check_parity(said: Any, file: Path, windows: Sequence[Frames]) -> None:
    """The file, through live_ser, must say what Keras says."""
    from live_ser.model.onnx_model import EmotionModel

    if not windows:
        raise LiveSerError("no real windows to compare Keras and ONNX Runtime on")
    model = EmotionModel(file)
    spec = model.info.baseline
    baselines: list[NDArray[np.float32] | None] = [None]
    if spec:
        baselines = [np.zeros(spec.size, np.float32), model.judge(windows[0]).voice]
    for window, baseline in product(windows, baselines):
        given = [one[np.newaxis] for one in (window, baseline) if one is not None]
        wanted = {name: np.asarray(value)[0] for name, value in said(*given).items()}
        got = model.judge(window, baseline)
        gap = max(
            float(np.max(np.abs(wanted["probabilities"] - got.probabilities))),
            abs(float(wanted["activation"]) - got.activation),
        )
        if not gap <= TOLERANCE:
            raise LiveSerError(
                f"Keras and ONNX Runtime differ by {gap:.1e} on a real window; {TOLERANCE:.0e} is "
                "allowed"
            )


def origin() -> dict[str, Any]:
    """When, from what and with what a file is made, for its metadata."""
    packages = ("keras", "tensorflow-cpu", "tensorflow", "tf2onnx", "librosa", "numpy", "live-ser")
    return {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "revision": _revision(),
        "versions": {name: found for name in packages if (found := _version(name))},
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except ModuleNotFoundError:
        return None


def _revision() -> str:
    git = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty"]
    try:
        return subprocess.run(git, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def export_run(
    run: Run, path: Path, heard_by: Sequence[Run] = (), changes: Sequence[str] = ()
) -> ModelInfo:
    """Write what came of a run as an ONNX file.

    Args:
        run: that is finished.
        path: of the file.
        heard_by: runs with the same settings that left speakers or corpora out: the means of their
            calibrations and figures are taken. The run itself if there is none.
        changes: settings that the weights don't hold, as ``gate.threshold=0.4``.

    Raises:
        LiveSerError: the run is not finished, or the file would not do.
    """
    import keras

    from training.recipes.presets import recipe

    if keras.backend.backend() != "tensorflow":
        raise LiveSerError(
            f"the export runs on TensorFlow, and Keras is on {keras.backend.backend()}",
            f"KERAS_BACKEND=tensorflow python -m training.export {run.folder}",
        )
    config = run.config
    if not run.weights.is_file():
        raise LiveSerError(
            f"{run.folder} has no trained weights yet",
            f"finish it with python -m training.fit --resume {run.folder}",
        )
    for setting in changes:
        config = config.with_setting(setting)
    if _shape(config) != _shape(run.config):
        raise LiveSerError(
            "the weights are of another network than these settings make",
            "change what they do not hold, such as gate.threshold",
        )
    for one in heard_by:
        _check_left_out(one, config)
    network = recipe(config).network(config)
    run.load_weights(network)
    splits = run.read_json("splits.json")
    measured = heard_by or (run,)
    corpora = list(config.corpora)
    taught = [name for name in corpora_of(run.folder) if name not in corpora]
    provenance = {
        "corpora": corpora,
        **({"taught_by": taught} if taught else {}),
        "clips": len(splits["train"]),
        "speakers": splits["speakers"],
        "protocol": ", ".join(one.read_json("splits.json")["name"] for one in measured)
        + (", each by a network trained without it" if heard_by else ""),
        "figures": _figures(run, measured),
        "config": config.to_dict(),
    }
    calibration = Calibration.mean([Calibration.of_run(one) for one in measured])
    return export(network, config, calibration, run.windows(), path, provenance=provenance)


def _shape(config: RunConfig) -> tuple[Any, ...]:
    """What the weights are of."""
    return *config.kind, config.network if isinstance(config, Config) else None


def _check_left_out(run: Run, config: RunConfig) -> None:
    """A run that calibrates has left something out, and is of a network of the same kind."""
    if not run.read_json("splits.json")["test"] or not run.read_json("calibration.json"):
        raise LiveSerError(
            f"{run.folder} left nothing out: it cannot tell how sure to be of strangers",
            "take runs of --split held-out, or of a corpus left out",
        )
    if run.config.kind != config.kind:
        raise LiveSerError(
            f"{run.folder} hears other features or knows other classes than this network",
            "take runs with the same settings",
        )


def _figures(run: Run, measured: Sequence[Run]) -> dict[str, float]:
    """What a run is, and what the runs that were measured said of the clips that they left out."""
    own = run.read_json("metrics.json")
    figures = {name: own[name] for name in ("epochs", "parameters")}
    found = [one.read_json("metrics.json") for one in measured]
    if all("uar" in one for one in found):
        figures["clips"] = sum(one["clips"] for one in found)
        for name in ("uar", "accuracy", "ece_uncalibrated"):
            figures[name] = round(float(np.mean([one[name] for one in found])), 4)
    return figures


def main() -> None:
    """Export a run."""
    parser = argparse.ArgumentParser(prog="python -m training.export", description=__doc__)
    parser.add_argument("run", type=Path, help="folder of the run")
    parser.add_argument(
        "-o", "--output", type=Path, default=Path("models/live_ser.onnx"), metavar="FILE"
    )
    parser.add_argument(
        "--heard-by",
        action="append",
        type=Path,
        default=[],
        metavar="FOLDER",
        help="a run that left speakers or corpora out: its calibration and figures are taken; of "
        "several, the means",
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="replace a setting that the weights don't hold, such as gate.threshold=0.4",
    )
    given = parser.parse_args()
    heard_by = [Run.open(folder) for folder in given.heard_by]
    run = Run.open(given.run)
    # Its own export may be replaced, and nothing else of a run.
    files = [path for one in (run, *heard_by) for path in one.folder.iterdir()]
    command.keep_apart(
        given.output, *(path for path in files if path.suffix != ".onnx"), *run.teachers()
    )
    info = export_run(run, given.output, heard_by, given.set)
    print(f"{given.output}: {info.name}, {len(info.labels)} labels", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(command.run(main))
