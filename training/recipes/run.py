"""The folder of a run: settings, splits, progress, metrics and weights."""

from __future__ import annotations

import csv
import json
import math
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from live_ser.errors import LiveSerError
from live_ser.frontend.features import Frames
from training.corpora.own import OwnCorpus
from training.data.frame_cache import read_frames, write_frames
from training.data.utterances import Utterances
from training.recipes.config import RunConfig
from training.recipes.presets import read_config

if TYPE_CHECKING:
    import keras

_WINDOWS = 24  # utterances of which a window is stored


@dataclass(frozen=True)
class Splits:
    """The content of ``splits.json``: training and test clips of a run.

    Attributes:
        teachers: folders of runs, or exported files, that the network is distilled from.
        name: name of the split.
        song: whether sung clips are among the clips.
        train: ids of the training clips.
        test: ids of the test clips.
        speakers: number of speakers of the training clips.
        own: the user's own corpora.
    """

    teachers: tuple[str, ...]
    name: str
    song: bool
    train: tuple[str, ...]
    test: tuple[str, ...]
    speakers: int
    own: tuple[OwnCorpus, ...] = ()

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Splits:
        """The splits of a dictionary from :meth:`to_dict`."""
        given = {"teachers": (), "speakers": 0, **data}
        lists = {name: tuple(given[name]) for name in ("teachers", "train", "test")}
        own = tuple(OwnCorpus(**{**one, "path": Path(one["path"])}) for one in given.get("own", ()))
        return cls(**{**given, **lists, "own": own})

    def to_dict(self) -> dict[str, Any]:
        """A dictionary for JSON."""
        own = [{**asdict(one), "path": str(one.path.resolve())} for one in self.own]
        fields = {**asdict(self), "own": own}
        return fields if own else {k: v for k, v in fields.items() if k != "own"}


@dataclass(frozen=True)
class HeldOut:
    """Metrics on the test clips.

    Attributes:
        clips: number of clips with a label.
        uar: unweighted average recall.
        accuracy: share of the clips with the right label.
        recalls: recall of each label; None for a label without clips.
        ece_uncalibrated: expected calibration error before the calibration.
        confusion: counts ``[target][prediction]``.
        weights: which weights these are: of the last epoch, or of the best one on the test clips.
        best_epoch_on_test: row of the history with the best accuracy. It is selected on the test
            clips, and so no result, but is what others report.
    """

    clips: int
    uar: float
    accuracy: float
    recalls: Mapping[str, float | None]
    ece_uncalibrated: float
    confusion: Sequence[Sequence[int]]
    weights: str
    best_epoch_on_test: Mapping[str, float]


@dataclass(frozen=True)
class Metrics:
    """The content of ``metrics.json``: metrics of a finished run.

    Attributes:
        epochs: number of epochs.
        parameters: number of parameters of the network.
        held_out: metrics on the test clips; None without any.
    """

    epochs: int
    parameters: int
    held_out: HeldOut | None = None


@dataclass(frozen=True)
class Run:
    """The folder of a training run.

    ``config.json`` and ``splits.json`` are what was asked for, ``history.csv`` and
    ``checkpoint-N.weights.h5`` the progress, and ``weights.weights.h5``, ``metrics.json``,
    ``calibration.json``, ``windows.npz`` and plots the result.
    """

    folder: Path

    @classmethod
    def new(cls, folder: Path, config: RunConfig, splits: Splits) -> Run:
        """Make a new folder.

        Raises:
            LiveSerError: the folder exists, or cannot be made.
        """
        try:
            folder.mkdir(parents=True)
        except FileExistsError as error:
            raise LiveSerError(
                f"{folder} is there already",
                f"go on with --resume {folder}, or choose another folder with -o",
            ) from error
        except OSError as error:
            raise LiveSerError(
                f"cannot make {folder}: {error.strerror}", "choose another folder with -o"
            ) from error
        run = cls(folder)
        run.write_json("config.json", config.to_dict())
        run.write_json("splits.json", splits.to_dict())
        return run

    @classmethod
    def unpack(cls, packed: Path, output: Path) -> Run:
        """The run of a packed folder, in a folder of ``output``, continued if it exists."""
        folder = output / packed.name
        if not folder.exists():
            run = cls.open(packed)
            return cls.new(folder, run.config, run.splits)
        return cls.open(folder)

    @classmethod
    def open(cls, folder: Path) -> Run:
        """Open the folder of a run.

        Raises:
            LiveSerError: it is not the folder of a run.
        """
        if not (folder / "config.json").is_file():
            raise LiveSerError(f"{folder} is not the folder of a run: it has no config.json")
        return cls(folder)

    @property
    def config(self) -> RunConfig:
        """Settings of the run."""
        return read_config(self.read_json("config.json"))

    @property
    def weights(self) -> Path:
        """The file of the trained weights, which exists at the end of training."""
        return self.folder / "weights.weights.h5"

    @property
    def best(self) -> Path:
        """The file of the weights with the best accuracy on the test split, with select_on_test."""
        return self.folder / "best.weights.h5"

    @property
    def finished(self) -> bool:
        """Whether training has ended."""
        return self.weights.is_file() and (self.folder / "metrics.json").is_file()

    def read_json(self, name: str) -> Any:
        """Read a JSON file of the folder."""
        path = self.folder / name
        try:
            return json.loads(path.read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise LiveSerError(f"cannot read {path}: {error}") from error

    def write_json(self, name: str, content: Any) -> None:
        """Write a JSON file of the folder, whole or not at all; NaN becomes null."""
        content = _without_nan(json.loads(json.dumps(content, default=float)))
        text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
        self._replace(name, lambda part: part.write_text(text + "\n", "utf-8"))

    @property
    def splits(self) -> Splits:
        """Training and test clips."""
        try:
            return Splits.from_dict(self.read_json("splits.json"))
        except (KeyError, TypeError) as error:
            raise LiveSerError(
                f"{self.folder / 'splits.json'} lacks what it should hold"
            ) from error

    @property
    def teachers(self) -> list[Path]:
        """Folders of runs, and exported files, that the network is distilled from."""
        return [Path(path) for path in self.splits.teachers]

    @property
    def metrics(self) -> Metrics:
        """Metrics of a finished run."""
        content = self.read_json("metrics.json")
        own = {name: content.pop(name) for name in ("epochs", "parameters")}
        return Metrics(**own, held_out=HeldOut(**content) if "uar" in content else None)

    def write_metrics(self, metrics: Metrics) -> None:
        """Write the metrics."""
        content = asdict(metrics)
        held_out = content.pop("held_out") or {}
        self.write_json("metrics.json", {**content, **held_out})

    def save_weights(self, model: keras.Model) -> None:
        """Write the trained weights, without the state of the optimizer."""
        import keras

        alone = keras.Model(model.input, model.output)
        self._replace(self.weights.name, alone.save_weights)

    def load_weights(self, model: keras.Model) -> None:
        """Load the trained weights into a network."""
        try:
            model.load_weights(self.weights)
        except (OSError, ValueError, KeyError) as error:
            raise LiveSerError(
                f"{self.weights} does not hold the weights of this network",
                "train it again",
            ) from error

    def save_best(self, model: keras.Model) -> None:
        """Write the current weights as those that did best on the test split."""
        self._replace(self.best.name, model.save_weights)

    def save_windows(self, utterances: Utterances) -> None:
        """Write a window of each of the first utterances, to check an export with."""
        length = self.config.window_frames
        windows = [takes[0][:length] for takes in utterances.takes[:_WINDOWS]]
        write_frames(self.folder / "windows.npz", windows)

    def windows(self) -> list[Frames]:
        """The windows from :meth:`save_windows`, float32 ``[frames, mels]`` each."""
        return read_frames(self.folder / "windows.npz") or []

    def checkpoint(self, model: keras.Model, epoch: int) -> None:
        """Write a checkpoint after a number of epochs, and remove the older ones."""
        self._lock()
        old = self._checkpoints()
        # The number is in the name: weights and epoch change together or not at all.
        self._replace(f"checkpoint-{epoch:04}.weights.h5", model.save_weights)
        for path in old:
            path.unlink(missing_ok=True)

    @property
    def epoch(self) -> int:
        """Number of epochs before the newest checkpoint."""
        found = self._checkpoints()
        return int(found[-1].name.removeprefix("checkpoint-").split(".")[0]) if found else 0

    def restore(self, model: keras.Model) -> int:
        """Load the newest checkpoint, if there is one, and return the number of its epochs.

        Raises:
            LiveSerError: another process is training this run.
        """
        self._lock()
        checkpoints = self._checkpoints()
        if not checkpoints:
            return 0
        model.optimizer.build(model.trainable_variables)
        model.load_weights(checkpoints[-1])
        return self.epoch

    def clear_checkpoints(self) -> None:
        """Remove the checkpoints of a finished run."""
        for path in (*self._checkpoints(), self.best):
            path.unlink(missing_ok=True)

    def history(self) -> list[dict[str, float]]:
        """The losses and metrics of each epoch."""
        path = self.folder / "history.csv"
        if not path.is_file():
            return []
        with path.open(newline="", encoding="utf-8") as file:
            return [{k: float(v) for k, v in row.items() if v} for row in csv.DictReader(file)]

    def write_history(self, rows: Sequence[Mapping[str, float]]) -> None:
        """Write the losses and metrics of each epoch."""

        def write(part: Path) -> None:
            with part.open("w", newline="", encoding="utf-8") as file:
                columns = {name: None for row in rows for name in row}
                writer = csv.DictWriter(file, fieldnames=list(columns))
                writer.writeheader()
                writer.writerows(rows)

        self._replace("history.csv", write)

    def _lock(self) -> None:
        """Lock the run against other processes, until this one ends."""
        if self.folder in _LOCKS:
            return
        lock = (self.folder / "lock").open("w")
        try:
            _lock_file(lock)
        except OSError as error:
            lock.close()
            raise LiveSerError(
                f"another process trains {self.folder} now", "wait for its end, or end it"
            ) from error
        _LOCKS[self.folder] = lock

    def _checkpoints(self) -> list[Path]:
        return sorted(self.folder.glob("checkpoint-????.weights.h5"))

    def _replace(self, name: str, write: Any) -> None:
        """Write a temporary file and rename it, so that an error leaves the old file."""
        part = self.folder / f"part-{name}"
        try:
            write(part)
            os.replace(part, self.folder / name)
        except (OSError, RuntimeError) as error:  # HDF5 raises either
            part.unlink(missing_ok=True)
            raise LiveSerError(
                f"cannot write {self.folder / name}: {getattr(error, 'strerror', None) or error}",
                "make room, then go on with --resume",
            ) from error


_LOCKS: dict[Path, TextIO] = {}  # of this process; the system releases them at its end


def _lock_file(file: TextIO) -> None:
    """Lock a file; raises ``OSError`` if another process has locked it."""
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _without_nan(content: Any) -> Any:
    """The content with None for NaN and infinity, which JSON does not have."""
    if isinstance(content, dict):
        return {key: _without_nan(value) for key, value in content.items()}
    if isinstance(content, list):
        return [_without_nan(value) for value in content]
    if isinstance(content, float) and not math.isfinite(content):
        return None
    return content
