"""A model file, loaded: log-mel frames in, calibrated probabilities, activation and valence out."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from live_ser.errors import ModelError
from live_ser.frontend.features import Frames, log_mel
from live_ser.model.onnx_file import check_onnx
from live_ser.spec import METADATA_KEY, ModelInfo

DEFAULT_MODEL = "live_ser"
_MAX_BYTES = 256 * 2**20  # of a file
_MAX_MEMORY = 512 * 2**20  # bytes that all models of a process may take to classify
_PATIENCE = 20.0  # seconds in which a model has to load, and to classify its first window
# Constants are not folded while a model loads, when neither time nor memory is bounded, but when it
# runs, when they are. For our networks the difference cannot be measured.
_NOT_OPTIMISED = ["ConstantFolding", "ConstantFoldingDQ"]


@dataclass(frozen=True, eq=False)
class KnownVoice:
    """How a speaker usually sounds, as it was learnt before.

    Attributes:
        mean: float64 ``[size]``, of their ``voice``.
        seconds: of speech that it rests on.
        weight: seconds that this speech counts for.
        profile: name of where it is kept; empty if nowhere.
    """

    mean: NDArray[np.float64]
    seconds: float
    weight: float
    profile: str = ""


@dataclass(frozen=True)
class ModelOutput:
    """What the network makes of one stretch of speech.

    Attributes:
        probabilities: float32 ``[classes]``, calibrated, summing to 1, in the order of the labels.
        activation: how aroused the voice sounds, 0 (calm) to 1.
        voice: float32 ``[size]``, what a baseline is made of; None for a model that takes none.
        valence: how pleasant the voice sounds, -1 (unpleasant) over 0 (neither) to 1; None for a
            model that does not estimate it.
        embedding: float32 ``[embedding]``, what a taught correction is made of; None for a model
            that cannot be taught.
    """

    probabilities: NDArray[np.float32]
    activation: float
    voice: NDArray[np.float32] | None = None
    valence: float | None = None
    embedding: NDArray[np.float32] | None = None

    @property
    def numbers(self) -> NDArray[np.float64]:
        """What can be averaged, float64 ``[classes + 2]``: probabilities, activation, valence.

        Valence is NaN where there is none.
        """
        valence = np.nan if self.valence is None else self.valence
        return np.array([*self.probabilities, self.activation, valence], np.float64)

    @classmethod
    def mean(cls, numbers: NDArray[np.float64]) -> ModelOutput:
        """The output that an average of :attr:`numbers` stands for; it has no voice."""
        *probabilities, activation, valence = numbers.tolist()
        shares = np.array(probabilities, np.float32)
        return cls(shares, activation, valence=None if np.isnan(valence) else valence)


class EmotionModel:
    """An ONNX file with live-ser's metadata, ready to run.

    Args:
        path: of the ``.onnx`` file.

    Attributes:
        known: how the speaker usually sounds, where that is known; new baselines begin with it.
        embedding_size: numbers of the embedding; 0 for a model that cannot be taught.

    Raises:
        ModelError: it cannot be read, or is not a model of ours.
    """

    known: KnownVoice | None = None

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._session = _open(self.path)
        self.info = _read_info(self._session, self.path)
        self._outputs = _outputs(self._session, self.info)
        self.embedding_size = _check_graph(self._session, self.info, self.path, self._outputs)

    def predict(self, log_mel: Frames, baseline: NDArray[np.float32] | None = None) -> ModelOutput:
        """Classify one stretch of speech.

        Args:
            log_mel: float32 ``[frames, n_mels]``, as :mod:`live_ser.frontend.features` makes them.
            baseline: float32 ``[size]``, how the speaker usually sounds, as
                :mod:`live_ser.model.speaker` makes it; None for a typical voice. A model that takes
                none does without.
        """
        given = {"log_mel": log_mel[np.newaxis]}
        if self.info.baseline:
            if baseline is None:
                baseline = np.zeros(self.info.baseline.size, np.float32)
            given["baseline"] = baseline[np.newaxis]
        values = self._session.run(self._outputs, given)
        of = {name: value[0] for name, value in zip(self._outputs, values, strict=True)}
        valence = of.get("valence")
        return ModelOutput(
            of["probabilities"],
            float(of["activation"]),
            of.get("voice"),
            None if valence is None else float(valence),
            of.get("embedding"),
        )

    def opener(self) -> Callable[[Path], EmotionModel]:
        """What makes this model of a copy of its file; it can be pickled without the file."""
        return EmotionModel

    @cached_property
    def probe(self) -> NDArray[np.float64]:
        """What the network makes of a fixed sound: its voice, and its embedding.

        Networks that make the same of it mean the same by these numbers.
        """
        time = np.arange(self.info.features.sample_rate) / self.info.features.sample_rate
        harmonics = [np.sin(2 * np.pi * n * (120 * time + 30 * time**2)) / n for n in range(1, 30)]
        sound = 0.1 * np.sum(harmonics, axis=0) * np.sin(2 * np.pi * 3 * time)
        output = self.predict(log_mel(sound.astype(np.float32), self.info.features))
        parts = [part for part in (output.voice, output.embedding) if part is not None]
        return np.concatenate([*parts, []]).astype(np.float64)

    def __reduce__(self) -> tuple[type[EmotionModel], tuple[str]]:
        """Pickle by path: a session cannot travel to another process, the file is there too."""
        return type(self), (str(self.path.absolute()),)

    def __repr__(self) -> str:
        spec = self.info.features
        return (
            f"EmotionModel({self.info.name!r}, {len(self.info.labels)} labels: "
            f"{', '.join(self.info.labels)}; {spec.n_mels} mels at {spec.sample_rate} Hz, "
            f"{self.info.window:g} s window)"
        )


def load(model: str | os.PathLike[str] | None = None) -> EmotionModel:
    """Load a model.

    Args:
        model: path of an ``.onnx`` file, or the name of one that came with live-ser; the default
            one where there is none.

    Raises:
        ModelError: there is no such model, or it does not fit.
    """
    return EmotionModel(find(model))


def find(model: str | os.PathLike[str] | None = None) -> Path:
    """The file of a model, by path or by the name of one that came with live-ser.

    The folder of a training run stands for the model that it was exported to.
    """
    wanted = os.fspath(model or DEFAULT_MODEL)
    shipped = shipped_models()
    if wanted in shipped:
        return shipped[wanted]
    path = Path(wanted)
    if path.is_file():
        return path
    if path.is_dir():
        return _model_in(path)
    raise ModelError(
        f"no model {wanted!r}: neither a file nor the name of a model that came with live-ser",
        f"models that came with it: {', '.join(shipped) or 'none'}",
    )


def _model_in(folder: Path) -> Path:
    """The one model file in a folder."""
    files = sorted(folder.glob("*.onnx"))
    if len(files) == 1:
        return files[0]
    if files:
        names = ", ".join(path.name for path in files)
        raise ModelError(f"{folder} holds several models: {names}", f"name one: {files[0]}")
    is_run = (folder / "config.json").is_file()
    raise ModelError(
        f"{folder} holds no model file",
        f"python -m training.fit --resume {folder} finishes the run"
        if is_run
        else "name an .onnx file, or the folder of a finished training run",
    )


def shipped_models() -> dict[str, Path]:
    """The models that came with live-ser: name to file."""
    inside = Path(str(files("live_ser"))) / "models"
    beside = Path(str(files("live_ser"))).parent / "models"  # a checkout
    folder = inside if inside.is_dir() else beside
    return {path.stem: path for path in sorted(folder.glob("*.onnx"))}


def _open(path: Path) -> Any:
    import onnxruntime as ort  # takes 0.1 s

    try:
        size = path.stat().st_size
        if not 0 < size <= _MAX_BYTES:
            raise ModelError(f"{path} is not a model: it holds {size} bytes")
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(f"cannot read the model {path}: {error.strerror}") from error
    options = ort.SessionOptions()
    # One window takes a millisecond: a pool of threads would cost more than it gives, and
    # spinning would keep a core busy between windows.
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 4
    _bound_memory()
    options.add_session_config_entry("session.use_env_allocators", "1")
    try:
        check_onnx(data)
        with _patience(lambda: options.set_load_cancellation_flag(True)):
            # From bytes, not from the path: a graph then cannot name other files to be read.
            return ort.InferenceSession(
                data,
                options,
                providers=["CPUExecutionProvider"],
                disabled_optimizers=_NOT_OPTIMISED,
                enable_fallback=False,  # it would print, and try the same again
            )
    except Exception as error:  # ONNX Runtime raises a dozen kinds, none of them documented
        why = f" in {_PATIENCE:g} s" if type(error).__name__ == "ModelLoadCanceled" else ""
        why = f": {error}" if type(error) is ValueError else why
        raise ModelError(
            f"{path} is not a model that ONNX Runtime can load{why}",
            "take an .onnx file that python -m training.export wrote",
        ) from error


@cache
def _bound_memory() -> None:
    """Have the memory of ONNX Runtime's sessions end somewhere: a few bytes can ask for gigabytes.

    It holds for the sessions of this process that say that they share it.
    """
    import onnxruntime as ort

    arena = ort.OrtAllocatorType.ORT_ARENA_ALLOCATOR
    place = ort.OrtMemoryInfo("Cpu", arena, 0, ort.OrtMemType.DEFAULT)
    ort.create_and_register_allocator(place, ort.OrtArenaCfg({"max_mem": _MAX_MEMORY}))


def _read_info(session: Any, path: Path) -> ModelInfo:
    try:
        text = session.get_modelmeta().custom_metadata_map.get(METADATA_KEY)
    except UnicodeDecodeError:
        text = None
    if text is None:
        raise ModelError(
            f"{path} carries no live-ser metadata",
            "take an .onnx file that python -m training.export wrote",
        )
    return ModelInfo.from_json(text)


def _check_graph(session: Any, info: ModelInfo, path: Path, names: list[str]) -> int:
    """Check that metadata and graph agree, also when they are run.

    Returns:
        The numbers of the embedding; 0 where there is none.
    """
    hint = "export the model again with python -m training.export"
    inputs = {node.name for node in session.get_inputs()}
    outputs = {node.name for node in session.get_outputs()}
    wanted = {"log_mel", "baseline"} if info.baseline else {"log_mel"}
    if inputs != wanted or not set(names) <= outputs:
        raise ModelError(
            f"{path} has inputs {sorted(inputs)} and outputs {sorted(outputs)}, not "
            f"{', '.join(sorted(wanted))} and {', '.join(names)}",
            hint,
        )
    spec = info.features
    frames = spec.frames_in(round(info.window * spec.sample_rate))
    probe = {"log_mel": np.full((1, frames, spec.n_mels), -60, np.float32)}
    if info.baseline:
        probe["baseline"] = np.zeros((1, info.baseline.size), np.float32)
    try:
        of = dict(zip(names, _run_in_time(session, names, probe), strict=True))
    except Exception as error:  # as above
        raise ModelError(
            f"{path} cannot classify {frames} frames of {spec.n_mels} mels, as its metadata says, "
            f"in {_PATIENCE:g} s and {_MAX_MEMORY >> 20} MiB",
            hint,
        ) from error
    _check_outputs(of, info, path)
    return int(np.shape(of.get("embedding", np.zeros((1, 0))))[1])


def _check_outputs(of: Mapping[str, Any], info: ModelInfo, path: Path) -> None:
    """Check what the network gives for one window."""
    hint = "export the model again with python -m training.export"
    probabilities, activation = of["probabilities"], of["activation"]
    if np.shape(probabilities) != (1, len(info.labels)) or np.shape(activation) != (1,):
        raise ModelError(
            f"{path} gives {np.shape(probabilities)} probabilities for {len(info.labels)} labels",
            hint,
        )
    if info.baseline and np.shape(of["voice"]) != (1, info.baseline.size):
        raise ModelError(
            f"{path} tells a voice by {np.shape(of['voice'])} numbers, not {info.baseline.size}",
            hint,
        )
    total = float(np.sum(probabilities))
    if not abs(total - 1) < 1e-3 or np.min(probabilities) < 0 or not 0 <= activation[0] <= 1:
        raise ModelError(f"{path} gives what are not probabilities (sum {total:.3g})", hint)
    valence = of.get("valence", np.zeros(1))
    if np.shape(valence) != (1,) or not -1 <= valence[0] <= 1:
        raise ModelError(
            f"{path} gives a valence that is not one number from -1 to 1 for each window", hint
        )
    embedding = np.asarray(of.get("embedding", np.zeros((1, 0))))
    if embedding.ndim != 2 or len(embedding) != 1 or not np.isfinite(embedding).all():
        raise ModelError(f"{path} gives an embedding that is not a row of numbers", hint)


def _outputs(session: Any, info: ModelInfo) -> list[str]:
    """The outputs that are used: those of every model, and what else this one has."""
    there = {node.name for node in session.get_outputs()}
    optional = {"voice": info.baseline is not None}
    optional |= {name: name in there for name in ("valence", "embedding")}
    return ["probabilities", "activation", *(name for name, used in optional.items() if used)]


def _run_in_time(session: Any, names: list[str], given: dict[str, NDArray[np.float32]]) -> Any:
    """What the network says, or an error once patience is at its end: a graph may loop."""
    import onnxruntime as ort

    options = ort.RunOptions()
    with _patience(lambda: setattr(options, "terminate", True)):
        return session.run(names, given, options)


@contextmanager
def _patience(end: Callable[[], None]) -> Iterator[None]:
    """Have something ended once patience is at its end."""
    watchdog = threading.Timer(_PATIENCE, end)
    watchdog.daemon = True
    watchdog.start()
    try:
        yield
    finally:
        watchdog.cancel()
