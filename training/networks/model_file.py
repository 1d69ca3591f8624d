"""Writes model files with their metadata, and checks them by loading them with live_ser."""

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
"""Raises ``LiveSerError`` if the predictions of a model are not as expected."""

Expected = Callable[[Frames, "NDArray[np.float32] | None"], Mapping[str, ArrayLike]]
"""From a window and a baseline to the expected fields of ``ModelOutput``."""


def write(path: Path, graph: onnx.ModelProto, info: ModelInfo, check: Check) -> None:
    """Write a model file.

    Args:
        path: path of the file, which is written after all checks.
        graph: graph with the inputs and outputs of a model file.
        info: metadata of the file.
        check: check of the loaded file.

    Raises:
        LiveSerError: the check failed; nothing is written.
    """
    with _checked(path, graph, info, check) as part:
        os.replace(part, path)


def verify(path: Path, graph: onnx.ModelProto, info: ModelInfo, check: Check) -> None:
    """Check a graph as :func:`write` does, without writing the file.

    Raises:
        LiveSerError: the check failed.
    """
    with _checked(path, graph, info, check):
        pass


@contextmanager
def _checked(path: Path, graph: onnx.ModelProto, info: ModelInfo, check: Check) -> Iterator[Path]:
    """A temporary file next to ``path`` that passed the check."""
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
    """Check that a model predicts the same as its parts, on real windows.

    A model with a baseline is checked with the baseline of a typical voice, and with the voice of
    the previous window.

    Args:
        model: the loaded file.
        windows: log-mel windows, float32 ``[frames, mels]`` each, in dB.
        expected: function that gives the expected outputs.
        tolerance: maximum difference.

    Raises:
        LiveSerError: an output differs by more, or there are no windows.
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
                    f"the file and its parts differ by {gap:.1e} on a real window; "
                    f"{tolerance:.0e} is allowed"
                )
        voice = got.voice


def origin() -> dict[str, Any]:
    """Date, revision of the code and versions of packages, for the metadata of a file."""
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
