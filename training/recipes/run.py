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
from training.recipes.config import RunConfig
from training.recipes.presets import read_config

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Splits:
    """Clips that a run trains and tests on, as ``splits.json`` holds them.

    Attributes:
        teachers: folders of runs, or exported files, that the network is distilled from.
        name: name of the split.
        song: whether sung clips are among the clips.
        train: names of the clips that train.
        test: names of those that are held out.
        speakers: how many there are in training.
        own: corpora that are not published.
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
        """The splits that :meth:`to_dict` gave."""
        given = {"teachers": (), "speakers": 0, **data}
        lists = {name: tuple(given[name]) for name in ("teachers", "train", "test")}
        own = tuple(OwnCorpus(**{**one, "path": Path(one["path"])}) for one in given.get("own", ()))
        return cls(**{**given, **lists, "own": own})

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        own = [{**asdict(one), "path": str(one.path.resolve())} for one in self.own]
        fields = {**asdict(self), "own": own}
        return fields if own else {k: v for k, v in fields.items() if k != "own"}


@dataclass(frozen=True)
class HeldOut:
    """Metrics on the clips that did not train.

    Attributes:
        clips: that have a label.
        uar: unweighted average recall.
        accuracy: share of the clips whose label is right.
        recalls: by label; None for a label that no clip has.
        ece_uncalibrated: expected calibration error before the calibration.
        confusion: counts ``[label][prediction]``.
        weights: which are kept: of the last epoch, or of the best one on these very clips.
        best_epoch_on_test: its row of the history. It is chosen on the clips that it is measured
            on: no result, but what others report.
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
    """Metrics of a finished run, as ``metrics.json`` holds them.

    Attributes:
        epochs: that it was trained for.
        parameters: number of parameters of the network.
        held_out: metrics on the clips that did not train; None where all of them trained.
    """

    epochs: int
    parameters: int
    held_out: HeldOut | None = None


@dataclass(frozen=True)
class Run:
    """A folder that holds one training run.

    ``config.json`` and ``splits.json`` say what was asked for; ``history.csv`` and
    ``checkpoint-N.weights.h5`` how far it has come; ``weights.weights.h5``, ``metrics.json``,
    ``calibration.json``, ``windows.npz`` and the pictures what came of it.
    """

    folder: Path

    @classmethod
    def new(cls, folder: Path, config: RunConfig, splits: Splits) -> Run:
        """Make the folder; it must not be there yet, so that two runs never share one."""
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
        """The run of a packed folder, within ``output``; one that was begun there goes on."""
        folder = output / packed.name
        if not folder.exists():
            run = cls.open(packed)
            return cls.new(folder, run.config, run.splits)
        return cls.open(folder)

    @classmethod
    def open(cls, folder: Path) -> Run:
        """A run that was begun."""
        if not (folder / "config.json").is_file():
            raise LiveSerError(f"{folder} is not the folder of a run: it has no config.json")
        return cls(folder)

    @property
    def config(self) -> RunConfig:
        """Settings of the run."""
        return read_config(self.read_json("config.json"))

    @property
    def weights(self) -> Path:
        """The trained weights, once there are any."""
        return self.folder / "weights.weights.h5"

    @property
    def best(self) -> Path:
        """The weights that did best on the test split so far, where they are asked for."""
        return self.folder / "best.weights.h5"

    @property
    def finished(self) -> bool:
        """Whether it was trained to its end."""
        return self.weights.is_file() and (self.folder / "metrics.json").is_file()

    def read_json(self, name: str) -> Any:
        """One of the folder's JSON files."""
        path = self.folder / name
        try:
            return json.loads(path.read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise LiveSerError(f"cannot read {path}: {error}") from error

    def write_json(self, name: str, content: Any) -> None:
        """Write a JSON file whole or not at all; what is not a number is null in it."""
        content = _without_nan(json.loads(json.dumps(content, default=float)))
        text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
        self._replace(name, lambda part: part.write_text(text + "\n", "utf-8"))

    @property
    def splits(self) -> Splits:
        """Clips that it trains and tests on."""
        try:
            return Splits.from_dict(self.read_json("splits.json"))
        except (KeyError, TypeError) as error:
            raise LiveSerError(
                f"{self.folder / 'splits.json'} lacks what it should hold"
            ) from error

    @property
    def teachers(self) -> list[Path]:
        """Runs and exported files that its network is distilled from."""
        return [Path(path) for path in self.splits.teachers]

    @property
    def metrics(self) -> Metrics:
        """Metrics, once it is finished."""
        content = self.read_json("metrics.json")
        own = {name: content.pop(name) for name in ("epochs", "parameters")}
        return Metrics(**own, held_out=HeldOut(**content) if "uar" in content else None)

    def write_metrics(self, metrics: Metrics) -> None:
        """Keep what came of it."""
        content = asdict(metrics)
        held_out = content.pop("held_out") or {}
        self.write_json("metrics.json", {**content, **held_out})

    def save_weights(self, model: keras.Model) -> None:
        """Keep the trained weights; the optimizer's state, thrice as large, is left out."""
        import keras

        alone = keras.Model(model.input, model.output)
        self._replace(self.weights.name, alone.save_weights)

    def load_weights(self, model: keras.Model) -> None:
        """Give a network the trained weights."""
        try:
            model.load_weights(self.weights)
        except (OSError, ValueError, KeyError) as error:
            raise LiveSerError(
                f"{self.weights} does not hold the weights of this network",
                "train it again",
            ) from error

    def save_best(self, model: keras.Model) -> None:
        """Keep the weights as they stand: none did better on the test split."""
        self._replace(self.best.name, model.save_weights)

    def save_windows(self, windows: Sequence[Frames]) -> None:
        """Keep some real windows, for the export to be checked on."""
        write_frames(self.folder / "windows.npz", windows)

    def windows(self) -> list[Frames]:
        """The windows that were kept."""
        return read_frames(self.folder / "windows.npz") or []

    def checkpoint(self, model: keras.Model, epoch: int) -> None:
        """Keep all that it takes to go on after so many epochs."""
        self._hold()
        old = self._checkpoints()
        # The number is in the name: weights and epoch change together or not at all.
        self._replace(f"checkpoint-{epoch:04}.weights.h5", model.save_weights)
        for path in old:
            path.unlink(missing_ok=True)

    @property
    def epoch(self) -> int:
        """How many epochs the newest checkpoint has seen."""
        found = self._checkpoints()
        return int(found[-1].name.removeprefix("checkpoint-").split(".")[0]) if found else 0

    def restore(self, model: keras.Model) -> int:
        """Go on from the newest checkpoint; how many epochs it had seen.

        Raises:
            LiveSerError: another process trains this run now.
        """
        self._hold()
        checkpoints = self._checkpoints()
        if not checkpoints:
            return 0
        model.optimizer.build(model.trainable_variables)
        model.load_weights(checkpoints[-1])
        return self.epoch

    def clear_checkpoints(self) -> None:
        """Forget them: the run is done."""
        for path in (*self._checkpoints(), self.best):
            path.unlink(missing_ok=True)

    def history(self) -> list[dict[str, float]]:
        """Losses and metrics of each epoch."""
        path = self.folder / "history.csv"
        if not path.is_file():
            return []
        with path.open(newline="", encoding="utf-8") as file:
            return [{k: float(v) for k, v in row.items() if v} for row in csv.DictReader(file)]

    def write_history(self, rows: Sequence[Mapping[str, float]]) -> None:
        """Replace what was logged."""

        def write(part: Path) -> None:
            with part.open("w", newline="", encoding="utf-8") as file:
                columns = {name: None for row in rows for name in row}
                writer = csv.DictWriter(file, fieldnames=list(columns))
                writer.writeheader()
                writer.writerows(rows)

        self._replace("history.csv", write)

    def _hold(self) -> None:
        """Keep other processes from training this run, for as long as this one lives."""
        if self.folder in _HELD:
            return
        lock = (self.folder / "lock").open("w")
        try:
            _lock(lock)
        except OSError as error:
            lock.close()
            raise LiveSerError(
                f"another process trains {self.folder} now", "wait for its end, or end it"
            ) from error
        _HELD[self.folder] = lock

    def _checkpoints(self) -> list[Path]:
        return sorted(self.folder.glob("checkpoint-????.weights.h5"))

    def _replace(self, name: str, write: Any) -> None:
        """Write beside, then rename: a full disk or a kill leaves what was there."""
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


_HELD: dict[Path, TextIO] = {}  # the locks of this process; the system lets go of them at its end


def _lock(file: TextIO) -> None:
    """Lock a file, or raise ``OSError`` at once where another process has it."""
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _without_nan(content: Any) -> Any:
    """The same with None for each float that JSON has no word for."""
    if isinstance(content, dict):
        return {key: _without_nan(value) for key, value in content.items()}
    if isinstance(content, list):
        return [_without_nan(value) for value in content]
    if isinstance(content, float) and not math.isfinite(content):
        return None
    return content
