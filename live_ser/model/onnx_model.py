"""A loaded model: log-mel frames in; calibrated probabilities, activation and valence out."""

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

from live_ser.errors import InvalidArgument, ModelError
from live_ser.frontend.features import Frames, log_mel
from live_ser.model.onnx_file import check_onnx
from live_ser.spec import METADATA_KEY, ModelInfo

DEFAULT_MODEL = "live_ser"
_MAX_BYTES = 256 * 2**20  # of a file
_MAX_MEMORY = 512 * 2**20  # bytes for running all models of a process
_PATIENCE = 20.0  # seconds for loading a model, and for its first run
# Constants are not folded while a model loads, when neither time nor memory is bounded, but when it
# runs, when they are. For our networks the difference cannot be measured.
_NOT_OPTIMISED = ["ConstantFolding", "ConstantFoldingDQ"]


@dataclass(frozen=True, eq=False)
class KnownVoice:
    """The baseline of a speaker from earlier sessions.

    Attributes:
        mean: float64 ``[size]``, the mean of their ``voice``.
        seconds: seconds of speech in it.
        weight: weight of this speech, in seconds.
        profile: name of the profile that stores it; empty if none does.
    """

    mean: NDArray[np.float64]
    seconds: float
    weight: float
    profile: str = ""


@dataclass(frozen=True)
class ModelOutput:
    """The output of the model for one stretch of speech.

    Attributes:
        probabilities: float32 ``[classes]``, calibrated, summing to 1, in the order of the labels.
        activation: how aroused the voice sounds, 0 (calm) to 1.
        voice: float32 ``[size]``, the speaker embedding, whose mean is a baseline; None for a model
            without a baseline.
        valence: how pleasant the voice sounds, -1 (unpleasant) over 0 (neither) to 1; None for a
            model that does not estimate it.
        embedding: float32 ``[embedding]``, the input of a taught correction; None for a model that
            cannot be taught.
    """

    probabilities: NDArray[np.float32]
    activation: float
    voice: NDArray[np.float32] | None = None
    valence: float | None = None
    embedding: NDArray[np.float32] | None = None

    @property
    def numbers(self) -> NDArray[np.float64]:
        """Probabilities, activation and valence as one vector, float64 ``[classes + 2]``.

        Valence is NaN if there is none.
        """
        valence = np.nan if self.valence is None else self.valence
        return np.array([*self.probabilities, self.activation, valence], np.float64)

    @classmethod
    def from_numbers(cls, numbers: NDArray[np.float64]) -> ModelOutput:
        """The output with given :attr:`numbers`, without voice and embedding."""
        *probabilities, activation, valence = numbers.tolist()
        shares = np.array(probabilities, np.float32)
        return cls(shares, activation, valence=None if np.isnan(valence) else valence)


class EmotionModel:
    """An ONNX file with live-ser's metadata, ready to run.

    Args:
        path: the ``.onnx`` file.

    Attributes:
        known: the baseline of the speaker, with which new baselines start; None if unknown.
        embedding_size: size of the embedding; 0 for a model that cannot be taught.

    Raises:
        ModelError: the file cannot be read, or is not a live-ser model.
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
            log_mel: float32 ``[frames, n_mels]``, see :mod:`live_ser.frontend.features`.
            baseline: float32 ``[size]``, the speaker's baseline, see
                :mod:`live_ser.model.speaker`; None for a typical voice. Models without a baseline
                ignore it.
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
        """A picklable function that opens this model from a copy of its file."""
        return EmotionModel

    @cached_property
    def probe(self) -> NDArray[np.float64]:
        """Voice and embedding of a fixed sound, concatenated.

        Models with the same probe share these spaces: their profiles are interchangeable.
        """
        time = np.arange(self.info.features.sample_rate) / self.info.features.sample_rate
        harmonics = [np.sin(2 * np.pi * n * (120 * time + 30 * time**2)) / n for n in range(1, 30)]
        sound = 0.1 * np.sum(harmonics, axis=0) * np.sin(2 * np.pi * 3 * time)
        output = self.predict(log_mel(sound.astype(np.float32), self.info.features))
        parts = [part for part in (output.voice, output.embedding) if part is not None]
        return np.concatenate([*parts, []]).astype(np.float64)

    def __reduce__(self) -> tuple[type[EmotionModel], tuple[str]]:
        """Pickle by path, as a session of ONNX Runtime cannot be pickled."""
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
        model: path of an ``.onnx`` file, or the name of a model that comes with live-ser; None for
            the default one.

    Raises:
        ModelError: there is no such model, or it is not compatible.
    """
    return EmotionModel(find(model))


def find(model: str | os.PathLike[str] | None = None) -> Path:
    """The file of a model, by its path or by the name of a model that comes with live-ser.

    The folder of a training run stands for the model that was exported there.
    """
    try:
        wanted = os.fsdecode(DEFAULT_MODEL if model in (None, "") else model)
    except TypeError as error:
        raise InvalidArgument(
            f"model: {type(model).__name__} is neither a name nor a path",
            "leave it out for the default model",
        ) from error
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
    """The models that come with live-ser: name to file."""
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
    # A window takes a millisecond: threads would cost more than they give, and spinning would
    # keep a core busy between windows.
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 4
    _bound_memory()
    options.add_session_config_entry("session.use_env_allocators", "1")
    try:
        check_onnx(data)
        with _patience(lambda: options.set_load_cancellation_flag(True)):
            # From bytes, so that a graph cannot refer to other files.
            return ort.InferenceSession(
                data,
                options,
                providers=["CPUExecutionProvider"],
                disabled_optimizers=_NOT_OPTIMISED,
                enable_fallback=False,  # which would print, and try the same again
            )
    except Exception as error:  # ONNX Runtime raises a dozen undocumented types
        why = f" in {_PATIENCE:g} s" if type(error).__name__ == "ModelLoadCanceled" else ""
        why = f": {error}" if type(error) is ValueError else why
        raise ModelError(
            f"{path} is not a model that ONNX Runtime can load{why}",
            "take an .onnx file that python -m training.export wrote",
        ) from error


@cache
def _bound_memory() -> None:
    """Limit the memory of ONNX Runtime: a few bytes of a model can demand gigabytes.

    The limit applies to the sessions of this process that use the shared allocator.
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
    """Check that metadata and graph agree, by running the graph as well.

    Returns:
        The size of the embedding; 0 if there is none.
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
    """Check the outputs for one window."""
    hint = "export the model again with python -m training.export"
    probabilities, activation = of["probabilities"], of["activation"]
    if np.shape(probabilities) != (1, len(info.labels)) or np.shape(activation) != (1,):
        raise ModelError(
            f"{path} gives {np.shape(probabilities)} probabilities for {len(info.labels)} labels",
            hint,
        )
    if info.baseline and np.shape(of["voice"]) != (1, info.baseline.size):
        raise ModelError(
            f"{path} gives a voice of {np.shape(of['voice'])} numbers, not {info.baseline.size}",
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
    """The outputs that are used: the required ones, and the optional ones of this model."""
    there = {node.name for node in session.get_outputs()}
    optional = {"voice": info.baseline is not None}
    optional |= {name: name in there for name in ("valence", "embedding")}
    return ["probabilities", "activation", *(name for name, used in optional.items() if used)]


def _run_in_time(session: Any, names: list[str], given: dict[str, NDArray[np.float32]]) -> Any:
    """Run the model, with a time limit: a graph may loop."""
    import onnxruntime as ort

    options = ort.RunOptions()
    with _patience(lambda: setattr(options, "terminate", True)):
        return session.run(names, given, options)


@contextmanager
def _patience(end: Callable[[], None]) -> Iterator[None]:
    """Call ``end`` when the time limit is over."""
    watchdog = threading.Timer(_PATIENCE, end)
    watchdog.daemon = True
    watchdog.start()
    try:
        yield
    finally:
        watchdog.cancel()
