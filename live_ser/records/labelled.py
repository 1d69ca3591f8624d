"""Labelled recordings, to teach with: from folders, a CSV, a TextGrid, ELAN, or a session."""

from __future__ import annotations

import glob
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from live_ser.errors import LiveSerError, unreadable
from live_ser.records.reader import read_records
from live_ser.records.record import standing_labels
from live_ser.records.tiers import LATEST, MAX_BYTES, read_table, read_tiers, text_of
from live_ser.system.small_file import size_of

# Synonyms of labels.
_SAME = {"calm": "neutral", "anger": "angry", "fear": "fearful", "sadness": "sad"}
_SAME |= {"happiness": "happy", "joy": "happy", "surprise": "surprised"}
_SOUND = (".wav", ".flac", ".ogg", ".mp3", ".m4a", ".opus", ".aac", ".aiff", ".aif", ".webm")


@dataclass(frozen=True)
class LabelledSound:
    """A recording, or a part of it, and its label.

    Attributes:
        path: the sound file.
        emotion: the label.
        start: start of the part in seconds.
        end: end of the part in seconds; infinite for the end of the recording.
    """

    path: Path
    emotion: str
    start: float = 0.0
    end: float = math.inf


def read_labelled(
    path: Path, labels: Sequence[str], left_out: Callable[[str], None] = lambda line: None
) -> list[LabelledSound]:
    """Read labelled recordings.

    Args:
        path: a folder with a folder for each emotion; a CSV with the columns ``file,emotion`` and,
            for parts, ``start,end``; a TextGrid or ELAN file, or the record of a session with the
            labels that a person gave, each with the sound beside it.
        labels: the labels of the model.
        left_out: function that is called with a line for each folder of another emotion.

    Raises:
        LiveSerError: it cannot be read, or has an unknown emotion.
    """
    try:
        if path.is_dir():
            found = list(_in_folders(path, labels, left_out))
        elif size_of(path) > MAX_BYTES:
            raise LiveSerError(f"{path} is too large for a file of labels", "split it")
        elif path.suffix.lower() == ".csv":
            found = list(_in_table(path, labels))
        elif path.suffix.lower() in (".textgrid", ".eaf"):
            found = list(_in_tiers(path, labels))
        else:
            found = list(_in_session(path, labels))
    except OSError as error:
        raise unreadable(path, error, LiveSerError) from error
    except UnicodeDecodeError as error:
        raise LiveSerError(f"{path} is not text", "save it as UTF-8") from error
    if not found:
        raise LiveSerError(
            f"{path} holds no labelled recording",
            f"take folders, or labels, by these names: {', '.join(labels)}",
        )
    return found


def _known(name: str, labels: Sequence[str]) -> str | None:
    plain = name.strip().lower()
    plain = plain if plain in labels else _SAME.get(plain, plain)
    return plain if plain in labels else None


def _in_folders(
    folder: Path, labels: Sequence[str], left_out: Callable[[str], None]
) -> Iterator[LabelledSound]:
    for inside in sorted(one for one in folder.iterdir() if one.is_dir()):
        emotion = _known(inside.name, labels)
        files = (file for file in sorted(inside.rglob("*")) if file.is_file())
        sounds = [file for file in files if file.suffix.lower() in _SOUND]
        if emotion is not None:
            yield from (LabelledSound(file, emotion) for file in sounds)
        elif sounds:
            left_out(f"{inside} is left out: the model has no emotion of that name")


def _in_table(path: Path, labels: Sequence[str]) -> Iterator[LabelledSound]:
    table = read_table(path, text_of(path))
    names = set(table.names)
    if not {"file", "emotion"} <= names or ("start" in names) != ("end" in names):
        raise LiveSerError(
            f"{path} does not begin with the columns file,emotion or file,start,end,emotion",
            "write them in its first line",
        )
    for where, values in table.rows:
        emotion = _known(values["emotion"], labels)
        if emotion is None or not values["file"]:
            raise LiveSerError(
                f"{where}: no emotion of the model, or no file",
                f"emotions: {', '.join(labels)}",
            )
        sound = path.parent / values["file"]
        part = _part(values.get("start", "0"), values.get("end", "inf"), where)
        yield LabelledSound(sound, emotion, *part)


def _part(start: str, end: str, where: str) -> tuple[float, float]:
    try:
        part = float(start or 0), float(end or "inf")
    except ValueError:
        part = (math.nan, math.nan)
    if not 0 <= part[0] < part[1] or LATEST < part[1] < math.inf or part[0] > LATEST:
        raise LiveSerError(f"{where}: from {start} to {end} is no part", "give times in seconds")
    return part


def _in_tiers(path: Path, labels: Sequence[str]) -> Iterator[LabelledSound]:
    sound = _beside(path)
    marked = read_tiers(path)
    # If there is a tier of the user's labels, the others are predictions.
    labels_alone = [one for one in marked if one.tier == "labels"]
    for one in labels_alone or marked:
        emotion = _known(one.text, labels)
        if emotion:
            yield LabelledSound(sound, emotion, one.start, one.end)


def _in_session(path: Path, labels: Sequence[str]) -> Iterator[LabelledSound]:
    sound = _beside(path)
    given = [record for record in read_records(path) if record["type"] == "label"]
    for record in standing_labels(given):
        emotion = _known(record["label"], labels)
        if emotion:
            part = _part(str(record["start"]), str(record["end"]), str(path))
            yield LabelledSound(sound, emotion, *part)


def _beside(path: Path) -> Path:
    """The sound file of the same name."""
    for file in sorted(path.parent.glob(f"{glob.escape(path.stem)}.*")):
        if file.suffix.lower() in _SOUND:
            return file
    raise LiveSerError(f"there is no sound beside {path}", f"put {path.stem}.flac or .wav there")
