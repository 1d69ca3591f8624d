"""The file of a profile: a small JSON file, read, checked and replaced.

Deleting it deletes all that is known about the speaker.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from live_ser.errors import InvalidArgument, LiveSerError, unwritable
from live_ser.model.onnx_model import KnownVoice
from live_ser.model.take import Take
from live_ser.system.durability import OWNER_ONLY, locked, sync, sync_entry
from live_ser.system.local_time import now
from live_ser.system.small_file import read_small, size_of

_SCHEMA = 4
_SCHEMAS = (2, 3, _SCHEMA)
"""Schemas that can be read: 2 has no takes, and 2 and 3 have no probe of the model."""

MAX_BYTES = 4 * 2**20
"""Maximum size of a profile."""

MAX_TAKES = 500
"""Maximum number of takes in a profile."""

_MAX_NUMBERS = 4096
_MOST = 1e6  # limit of all values
TEXT_ERRORS = (ValueError, KeyError, TypeError, OverflowError, RecursionError)
"""Exceptions of reading a file that is not a profile."""

# Names of devices on Windows, with any extension; profiles are copied between systems.
_RESERVED = re.compile(r"(?:con|prn|aux|nul|(?:com|lpt)[0-9\xb9\xb2\xb3])(?:\.|$)", re.IGNORECASE)
_NEW = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
_VECTORS = ("logits", "voice", "embedding")


def read_content(path: Path) -> dict[str, Any]:
    """The content of a file, checked to be a profile, of any model.

    Raises:
        LiveSerError: it is not a profile.
        OSError: it cannot be read.
    """
    try:
        content = read_json(path)
        whole_profile(content, "")
    except TEXT_ERRORS as error:
        raise LiveSerError(
            f"{path} is no profile: {error!s:.100}", "take a file that live-ser wrote"
        ) from error
    return dict(content)


def read_json(path: Path) -> Any:
    """The content of a JSON file.

    Raises:
        OSError: it cannot be read, or is not a regular file.
        ValueError: it is too large, or not JSON.
    """
    return json.loads(read_small(path, MAX_BYTES).decode("utf-8"))


def whole_profile(content: Any, name: str) -> tuple[KnownVoice, tuple[Take, ...]]:
    """The baseline and takes of a profile; one of :data:`TEXT_ERRORS` if it is invalid.

    Raises:
        LiveSerError: a newer version wrote it.
    """
    schema = content.get("schema") if isinstance(content, dict) else None
    if isinstance(schema, int) and schema > _SCHEMA:
        raise LiveSerError(
            f"a newer live-ser wrote this profile: its schema is {schema}, not {_SCHEMA}",
            "update live-ser, or take another name",
        )
    if schema not in _SCHEMAS:
        raise ValueError(f"it is not of schema {_SCHEMA}")
    if not isinstance(content["model"], str):
        raise ValueError("it does not say of which model it is")
    mean = numbers_in(content["mean"])
    seconds, weight = (_positive(content[one]) for one in ("seconds", "weight"))
    rows = content.get("takes", [])
    if not isinstance(rows, list) or len(rows) > MAX_TAKES:
        raise ValueError(f"it does not hold a list of {MAX_TAKES} takes at most")
    takes = tuple(_take(row, len(mean)) for row in rows)
    for vector in ("logits", "embedding"):
        if len({len(getattr(take, vector)) for take in takes}) > 1:
            raise ValueError("its takes differ in their numbers")
    return KnownVoice(mean, seconds, weight, name), takes


def _take(row: Any, size: int) -> Take:
    if not isinstance(row["emotion"], str):
        raise ValueError("a take has no emotion")
    seconds, voice = _positive(row["seconds"]), numbers_in(row["voice"])
    if len(voice) != size:
        raise ValueError(f"its numbers are not {size}")
    logits, embedding = numbers_in(row["logits"]), numbers_in(row["embedding"])
    return Take(row["emotion"], seconds, logits, voice, embedding)


def content_of(
    known: KnownVoice, takes: Sequence[Take], *, model: str, probe: Sequence[float]
) -> dict[str, Any]:
    """The content of a profile's file.

    Args:
        known: the speaker's baseline.
        takes: their takes.
        model: name of the model.
        probe: the probe of the model, see :attr:`EmotionModel.probe`.
    """
    return {
        "schema": _SCHEMA,
        "what": "how this voice differs from a typical one, as the model hears it; no sound",
        "updated": now().isoformat(timespec="seconds"),
        "model": model,
        "probe": list(probe),
        "seconds": round(known.seconds, 2),
        "weight": round(known.weight, 2),
        "mean": np.round(known.mean, 3).tolist(),
        "takes": [_row(take) for take in takes],
    }


def _row(take: Take) -> dict[str, Any]:
    return {
        "emotion": take.emotion,
        "seconds": round(take.seconds, 2),
        **{name: np.round(getattr(take, name), 4).tolist() for name in _VECTORS},
    }


def numbers_in(given: Any) -> NDArray[np.float64]:
    """A vector of finite numbers.

    Raises:
        ValueError: it is something else.
    """
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


def write_whole(path: Path, text: str, *, mode: int) -> None:
    """Replace a profile's file atomically; something other than a file is not replaced.

    Args:
        path: the file.
        text: its new content.
        mode: its mode.

    Raises:
        LiveSerError: it cannot be written.
    """
    part = path.with_suffix(f".{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            size_of(path)  # raises if it is not a file
        with os.fdopen(os.open(part, _NEW, OWNER_ONLY), "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            sync(file.fileno())
        part.chmod(mode)
        os.replace(part, path)
        sync_entry(path)
    except OSError as error:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise _cannot_write(path, error) from error


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Lock a profile against other processes; its folder is created.

    Raises:
        LiveSerError: the folder cannot be used.
    """
    with ExitStack() as stack:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            stack.enter_context(locked(path.parent))
        except OSError as error:
            raise _cannot_write(path, error) from error
        yield


def _cannot_write(path: Path, error: OSError) -> LiveSerError:
    plain = unwritable(path, error)
    return LiveSerError(f"cannot write the profile {path}: {error.strerror}", plain.hint)


def profile_path(name: str) -> Path:
    """The file of a profile, which need not exist.

    Raises:
        InvalidArgument: the name is not valid as a file name.
        LiveSerError: the user has no home folder.
    """
    problem = f"{name!r} is no name for a profile"
    if not isinstance(name, str) or not re.fullmatch(r"\w[\w.-]{0,63}", name):
        raise InvalidArgument(problem, "use letters, digits, - and _, such as `profile=anna`")
    path = folder() / f"{name}.json"
    if _RESERVED.match(name) and not path.is_file():  # one that is there can still be renamed
        raise InvalidArgument(problem, "Windows takes it for a device: use another name")
    return path


def folder() -> Path:
    """The folder of profiles, by the conventions of the system.

    Raises:
        LiveSerError: the user has no home folder.
    """
    from platformdirs import user_config_path

    try:
        path = user_config_path("live-ser", appauthor=False) / "profiles"
    except RuntimeError:
        path = Path()
    if not path.is_absolute():
        raise LiveSerError("there is no home folder to keep profiles in", "set HOME to a folder")
    return path
