"""What is known of a speaker, kept between sessions as a small readable file. Never sound.

The file holds the numbers by which the model tells this voice from a typical one, and those of each
take that it was taught. Deleting it forgets the speaker.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from live_ser.durability import OWNER_ONLY, locked, sync, sync_entry
from live_ser.errors import InvalidArgument, LiveSerError
from live_ser.local_time import now
from live_ser.model.onnx_model import EmotionModel, KnownVoice
from live_ser.model.speaker import RunningBaseline
from live_ser.model.taught import Take, TaughtModel, Teaching
from live_ser.spec import ModelInfo

_SCHEMA = 3
_UNTAUGHT = 2  # the schema before takes: the same without them
MAX_BYTES = 4 * 2**20
"""Of a profile's file, at most."""

_MAX_TAKES = 500
_MAX_NUMBERS = 4096
_MOST = 1e6  # what no number of a voice, nor its seconds of speech, comes near
_TEXT_ERRORS = (ValueError, KeyError, TypeError, OverflowError, RecursionError)
_NEW = os.O_WRONLY | os.O_CREAT | os.O_TRUNC


@dataclass(frozen=True)
class Profile:
    """Where a speaker's baseline is kept.

    Attributes:
        name: of the speaker, as the user gave it.
        path: of the file.
        model: tells the model that the numbers are of; another one's mean something else.
        size: how many numbers there are.
        labels: of the model.
    """

    name: str
    path: Path
    model: str
    size: int
    labels: tuple[str, ...]

    @classmethod
    def named(cls, name: str, info: ModelInfo) -> Profile:
        """The profile of a name, for a model; it may not be there yet.

        Raises:
            InvalidArgument: the name is none that a file can have.
        """
        check_name(name)
        assert info.baseline is not None
        model = hashlib.sha256(info.to_json().encode()).hexdigest()[:16]
        path = folder() / f"{name}.json"
        return cls(name, path, model, info.baseline.size, info.labels)

    def read(self) -> tuple[KnownVoice, tuple[Take, ...]] | None:
        """What is known of the speaker and what they taught; None where there is no file.

        Raises:
            LiveSerError: the file cannot be read or used.
        """
        again = f"delete {self.path} to begin anew, or take another name"
        try:
            return self._checked(_json(self.path))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise LiveSerError(f"cannot read {self.path}: {error.strerror}", again) from error
        except _TEXT_ERRORS as error:
            raise LiveSerError(f"{self.path} is no profile: {error!s:.100}", again) from error

    def begin(self, baseline: RunningBaseline) -> None:
        """Start a baseline from the profile, where there is one.

        Raises:
            LiveSerError: the file cannot be read or used.
        """
        if kept := self.read():
            known, _ = kept
            baseline.begin(
                known.mean, seconds=known.seconds, weight=known.weight, profile=self.name
            )

    def applied(self, network: EmotionModel) -> EmotionModel:
        """The network with what the profile knows and was taught; itself where there is none.

        Raises:
            LiveSerError: the file cannot be read or used.
        """
        kept = self._read_for(network)
        if kept is None:
            return network
        known, takes = kept
        return TaughtModel(network, Teaching(network, takes) if takes else None, known)

    def teach(self, network: EmotionModel, takes: Sequence[Take]) -> Teaching:
        """Add takes, and write them down; those that are there already are not added again.

        Returns:
            What all takes together teach.

        Raises:
            LiveSerError: the file cannot be read or written, or there are too many takes.
        """
        with self._alone():
            return self._teach(network, takes)

    def _teach(self, network: EmotionModel, takes: Sequence[Take]) -> Teaching:
        known, before = self._read_for(network) or (None, ())
        new = [take for take in takes if not any(_same(take, one) for one in before)]
        if len(before) + len(new) > _MAX_TAKES:
            raise LiveSerError(
                f"a profile holds {_MAX_TAKES} takes at most", "teach another profile, or fewer"
            )
        teaching = Teaching(network, (*before, *new))
        added = Teaching(network, new).known
        baseline = RunningBaseline(network.info)
        voices = [voice for voice in (known, added) if voice]
        if voices:
            weights = [voice.weight for voice in voices]
            mean = np.average([voice.mean for voice in voices], axis=0, weights=weights)
            seconds = sum(voice.seconds for voice in voices)
            baseline.begin(mean, seconds=seconds, weight=sum(weights), profile=self.name)
        self._keep(baseline, teaching.takes)
        return teaching

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Nobody else changes the profile meanwhile."""
        with ExitStack() as stack:
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                stack.enter_context(locked(self.path.with_suffix(".lock")))
            except OSError as error:
                raise _unkept(self.path, error) from error
            yield

    def _checked(self, kept: Any) -> tuple[KnownVoice, tuple[Take, ...]]:
        known, takes = _whole(kept, self.name)
        if kept["model"] != self.model:
            raise ValueError("it was made with another model")
        if len(known.mean) != self.size:
            raise ValueError(f"its numbers are not {self.size}")
        for take in takes:
            if take.emotion not in self.labels:
                raise ValueError(f"the model has no emotion {take.emotion!r:.40}")
            if len(take.logits) != len(self.labels):
                raise ValueError(f"its numbers are not {len(self.labels)}")
        return known, takes

    def _read_for(self, network: EmotionModel) -> tuple[KnownVoice, tuple[Take, ...]] | None:
        """The same as :meth:`read`, and it is seen that the network gives such takes."""
        kept = self.read()
        size = network.embedding_size
        if kept and any(len(take.embedding) != size for take in kept[1]):
            raise LiveSerError(
                f"{self.path} is no profile: its takes do not have the model's {size} numbers",
                f"delete {self.path} to begin anew, or take another name",
            )
        return kept

    def keep(self, baseline: RunningBaseline, takes: Sequence[Take] | None = None) -> bool:
        """Write down a baseline; whether there was speech to make one of.

        The file is replaced whole or not at all.

        Args:
            baseline: the speaker's.
            takes: that were taught; those that the file holds if None.

        Raises:
            LiveSerError: it cannot be written.
        """
        baseline.finish()
        if baseline.mean is None:
            return False
        with self._alone():
            return self._keep(baseline, takes)

    def _keep(self, baseline: RunningBaseline, takes: Sequence[Take] | None) -> bool:
        baseline.finish()
        mean = baseline.mean
        if mean is None:
            return False
        if takes is None:
            kept = self.read()
            takes = kept[1] if kept else ()
        content = {
            "schema": _SCHEMA,
            "what": "how this voice differs from a typical one, as the model hears it; no sound",
            "updated": now().isoformat(timespec="seconds"),
            "model": self.model,
            "seconds": round(baseline.seconds, 2),
            "weight": round(baseline.weight, 2),
            "mean": np.round(mean, 3).tolist(),
            "takes": [_row(take) for take in takes],
        }
        mode = stat.S_IMODE(self.path.stat().st_mode) if self.path.exists() else OWNER_ONLY
        write_whole(self.path, json.dumps(content, indent=1) + "\n", mode=mode)
        return True


def read_content(path: Path) -> dict[str, Any]:
    """What a file holds, which is seen to be a whole profile, of whatever model.

    Raises:
        LiveSerError: it is none.
        OSError: it cannot be read.
    """
    try:
        kept = _json(path)
        _whole(kept, "")
    except _TEXT_ERRORS as error:
        raise LiveSerError(
            f"{path} is no profile: {error!s:.100}", "take a file that live-ser wrote"
        ) from error
    return dict(kept)


def _json(path: Path) -> Any:
    if path.stat().st_size > MAX_BYTES:
        raise ValueError("it is too large")
    return json.loads(path.read_text("utf-8"))


def _whole(kept: Any, name: str) -> tuple[KnownVoice, tuple[Take, ...]]:
    """What a profile holds; an error of :data:`_TEXT_ERRORS` where it is not whole."""
    if not isinstance(kept, dict) or kept.get("schema") not in (_UNTAUGHT, _SCHEMA):
        raise ValueError(f"it is not of schema {_SCHEMA}")
    if not isinstance(kept["model"], str):
        raise ValueError("it does not say of which model it is")
    mean = _numbers(kept["mean"])
    seconds, weight = (_positive(kept[one]) for one in ("seconds", "weight"))
    rows = kept.get("takes", [])
    if not isinstance(rows, list) or len(rows) > _MAX_TAKES:
        raise ValueError(f"it does not hold a list of {_MAX_TAKES} takes at most")
    takes = tuple(_take(row, len(mean)) for row in rows)
    for vector in ("logits", "embedding"):
        if len({len(getattr(take, vector)) for take in takes}) > 1:
            raise ValueError("its takes differ in their numbers")
    return KnownVoice(mean, seconds, weight, name), takes


def _take(row: Any, size: int) -> Take:
    if not isinstance(row["emotion"], str):
        raise ValueError("a take has no emotion")
    seconds, voice = _positive(row["seconds"]), _numbers(row["voice"])
    if len(voice) != size:
        raise ValueError(f"its numbers are not {size}")
    return Take(row["emotion"], seconds, _numbers(row["logits"]), voice, _numbers(row["embedding"]))


def write_whole(path: Path, text: str, *, mode: int) -> None:
    """Replace a profile's file whole or not at all.

    Args:
        path: of the file.
        text: that it holds afterwards.
        mode: of the file.

    Raises:
        LiveSerError: it cannot be written.
    """
    part = path.with_suffix(f".{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(part, _NEW, OWNER_ONLY), "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            sync(file.fileno())
        part.chmod(mode)
        os.replace(part, path)
        sync_entry(path)
    except OSError as error:
        raise _unkept(path, error) from error


def _unkept(path: Path, error: OSError) -> LiveSerError:
    return LiveSerError(f"cannot keep the profile {path}: {error.strerror}", "make room for it")


def check_name(name: str) -> None:
    """See that a profile can have a name.

    Raises:
        InvalidArgument: it is none that a file can have.
    """
    if not re.fullmatch(r"\w[\w.-]{0,63}", name):
        raise InvalidArgument(
            f"{name!r} is no name for a profile",
            "use letters, digits, - and _, such as `profile=anna`",
        )


def _row(take: Take) -> dict[str, Any]:
    return {
        "emotion": take.emotion,
        "seconds": round(take.seconds, 2),
        **{name: np.round(getattr(take, name), 4).tolist() for name in _VECTORS},
    }


_VECTORS = ("logits", "voice", "embedding")


def _same(one: Take, other: Take) -> bool:
    """Whether two takes are the same recording with the same label."""
    return (
        one.emotion == other.emotion
        and len(one.embedding) == len(other.embedding)
        and bool(np.abs(one.embedding - other.embedding).max() < 1e-3)
    )


def _numbers(given: Any) -> NDArray[np.float64]:
    numbers = np.array(given, np.float64)
    if numbers.ndim != 1 or not 0 < len(numbers) <= _MAX_NUMBERS or not np.isfinite(numbers).all():
        raise ValueError("its numbers are no row of numbers")
    if np.abs(numbers).max() > _MOST:
        raise ValueError("its numbers cannot be")
    return numbers


def _positive(given: Any) -> float:
    value = float(given)
    if not 0 < value <= _MOST:
        raise ValueError("its numbers cannot be")
    return value


def folder() -> Path:
    """Where profiles are kept, by the customs of the system.

    Raises:
        LiveSerError: the user has no home.
    """
    from platformdirs import user_config_path

    try:
        kept = user_config_path("live-ser", appauthor=False) / "profiles"
    except RuntimeError:
        kept = Path()
    if not kept.is_absolute():
        raise LiveSerError("there is no home folder to keep profiles in", "set HOME to a folder")
    return kept
