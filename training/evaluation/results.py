"""A folder of results: a JSON file for each of them, written as soon as it is known."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Generic, Self, TypeVar

from live_ser import __version__
from live_ser.errors import LiveSerError
from training.evaluation.figures import FIGURES, Figures
from training.fields import build

F_co = TypeVar("F_co", bound=Figures, covariant=True)
T = TypeVar("T")

PARTS = ("clips", "noise", "band", "evidence", "baseline", "teaching", "recording", "stream")
"""The parts of an evaluation of a model; see :mod:`training.evaluation.measurements`."""


@dataclass(frozen=True)
class ClipVerdict:
    """A prediction of a clip, beside its target.

    Attributes:
        clip: id of the clip.
        target: label of the clip.
        state: state of the verdict.
        label: predicted label; None without a prediction.
        probabilities: probability of each label, 0 to 1; None without a prediction.
        activation: activation, 0 to 1; None without a prediction.
    """

    clip: str
    target: str
    state: str
    label: str | None
    probabilities: dict[str, float] | None
    activation: float | None


@dataclass(frozen=True, kw_only=True)
class Measurement(Generic[F_co]):
    """Figures and the protocol under which they were measured.

    Attributes:
        protocol: one line to print beside every figure.
        figures: figures of the part.
        labels: labels of the confusion matrix; empty without one.
        verdicts: verdicts of the clips; empty if the part does not store them.
        config: settings of the networks that the part trains; None if it doesn't.
    """

    protocol: str
    figures: F_co
    labels: tuple[str, ...] = ()
    verdicts: tuple[ClipVerdict, ...] = ()
    config: dict[str, Any] | None = None


@dataclass(frozen=True, kw_only=True)
class Result(Measurement[Figures]):
    """A measurement in a folder of results.

    Attributes:
        part: part of the evaluation.
        set: name of the recordings.
        model: digest of the model file; None for a protocol, which trains models of its own.
        about: description of the model in a line.
    """

    part: str
    set: str
    model: str | None = None
    about: str | None = None

    @property
    def stem(self) -> str:
        """Start of the names of its plots."""
        return f"{self.part}-{self.set}"

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Read a result.

        Raises:
            ValueError, TypeError, KeyError: it is no result.
        """
        figures = build(FIGURES[content["part"]], content["figures"])
        return build(cls, {**content, "figures": figures})


@dataclass(frozen=True)
class Results:
    """A folder of results.

    Attributes:
        folder: path of the folder.
    """

    folder: Path

    def get(
        self,
        name: str,
        asked: Mapping[str, Any],
        measure: Callable[[], T],
        read: Callable[[Mapping[str, Any]], T],
    ) -> T:
        """Read a result, or measure and write it if it is not there.

        Args:
            name: name of the file, without its suffix.
            asked: everything that determines the result.
            measure: function that measures it, and returns a dataclass.
            read: function that makes such a dataclass from JSON.
        """
        key = hashlib.sha256(
            json.dumps([__version__, asked], sort_keys=True, default=str).encode()
        ).hexdigest()[:16]
        content = self._read(name)
        stored = _parsed(content, read) if content and content.get("key") == key else None
        if stored is not None:
            return stored
        result = {"key": key, **asdict(measure())}  # type: ignore[call-overload]
        text = json.dumps(result, indent=1, ensure_ascii=False, default=float) + "\n"
        self.write(f"{name}.json", text)
        return read(json.loads(text))

    def every(self) -> list[Result]:
        """All results in the folder, by name."""
        contents = [self._read(path.stem) for path in sorted(self.folder.glob("*.json"))]
        results = [_parsed(content, Result.from_json) for content in contents if content]
        return [result for result in results if result is not None]

    def write(self, name: str, text: str) -> None:
        """Write a file whole or not at all."""
        part = self.folder / f"part-{name}"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            part.write_text(text, "utf-8")
            os.replace(part, self.folder / name)
        except OSError as error:
            raise LiveSerError(
                f"cannot write {self.folder / name}: {error.strerror or error}",
                "choose another folder with -o, or make room",
            ) from error

    def _read(self, name: str) -> dict[str, Any] | None:
        try:
            content = json.loads((self.folder / f"{name}.json").read_text("utf-8"))
        except (OSError, ValueError):
            return None
        return content if isinstance(content, dict) else None


def _parsed(content: Mapping[str, Any], read: Callable[[Mapping[str, Any]], T]) -> T | None:
    """A result; None if the file is something else, or has an older format."""
    try:
        return read(content)
    except (KeyError, TypeError, ValueError):
        return None


def digest(path: Path) -> str:
    """Digest of the content of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]
