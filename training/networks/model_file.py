"""Model files: written with their metadata, and checked by reading them with live_ser."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import ArrayLike, NDArray

from live_ser.errors import LiveSerError
from live_ser.frontend.features import Frames
from live_ser.model.onnx_model import EmotionModel
from live_ser.spec import METADATA_KEY, ModelInfo

TOLERANCE = 1e-5

Check = Callable[[EmotionModel], None]
"""Raises ``LiveSerError`` where a model does not say what it should."""

Expected = Callable[[Frames, "NDArray[np.float32] | None"], Mapping[str, ArrayLike]]
"""From a window and a baseline to what the model should say, by the field of ``ModelOutput``."""


def write(path: Path, graph: onnx.ModelProto, info: ModelInfo, check: Check) -> None:
    """Write a model file.

    Args:
        path: path of the file; it is written last, when everything was found right.
        graph: with the inputs and outputs of a model file.
        info: for its metadata.
        check: check of the file as live_ser reads it.

    Raises:
        LiveSerError: the file would not do; nothing is written.
    """
    with _checked(path, graph, info, check) as part:
        os.replace(part, path)


def verify(path: Path, graph: onnx.ModelProto, info: ModelInfo, check: Check) -> None:
    """Check a graph as :func:`write` does, and write nothing.

    Raises:
        LiveSerError: the file would not do.
    """
    with _checked(path, graph, info, check):
        pass


@contextmanager
def _checked(path: Path, graph: onnx.ModelProto, info: ModelInfo, check: Check) -> Iterator[Path]:
    """The file that was found right, beside its place."""
    model = onnx.ModelProto()
    model.CopyFrom(graph)
    entry = model.metadata_props.add()
    entry.key, entry.value = METADATA_KEY, info.to_json()
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        part = Path(folder, path.name)
        part.write_bytes(model.SerializeToString())
        check(EmotionModel(part))
        yield part


def agree(
    model: EmotionModel, windows: Sequence[Frames], expected: Expected, tolerance: float
) -> None:
    """Compare a model with what it was made from, on real windows.

    A model that takes a baseline is given none, and the voice of the window before.

    Args:
        model: as live_ser reads it.
        windows: float32 ``[frames, mels]`` in dB each.
        expected: what it should say of them.
        tolerance: greatest difference.

    Raises:
        LiveSerError: it says something else, or there is nothing to compare them on.
    """
    if not len(windows):
        raise LiveSerError("no real windows to compare the file with its network on")
    spec = model.info.baseline
    voice: NDArray[np.float32] | None = None
    for window in windows:
        baselines = [np.zeros(spec.size, np.float32) if spec else None]
        if voice is not None:
            baselines.append(voice)
        for baseline in baselines:
            got = model.predict(window, baseline)
            gap = max(
                float(np.max(np.abs(np.asarray(wanted) - getattr(got, name))))
                for name, wanted in expected(window, baseline).items()
            )
            if not gap <= tolerance:
                raise LiveSerError(
                    f"the file and what it was made from differ by {gap:.1e} on a real window; "
                    f"{tolerance:.0e} is allowed"
                )
        voice = got.voice


def origin() -> dict[str, Any]:
    """When, from what and with what a file is made, for its metadata."""
    packages = ("keras", "tensorflow-cpu", "tensorflow", "tf2onnx", "librosa", "numpy", "live-ser")
    return {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "revision": _revision(),
        "versions": {name: version for name in packages if (version := _version(name))},
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
