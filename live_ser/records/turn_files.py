"""The intervals of recordings, from files or arguments."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from live_ser.errors import InvalidArgument, LiveSerError
from live_ser.inference.turns import Turn
from live_ser.records.tiers import ENDINGS, Marked, checked_times, read_tiers


@dataclass(frozen=True)
class TurnFiles:
    """The files with the intervals of recordings.

    Attributes:
        path: path of a file of intervals; or of a folder with a file for each recording, with the
            recording's name.
        tiers: names of the tiers, or speakers, to classify; empty for all.
        read: the intervals of a single recording, if they are already read.
    """

    path: Path
    tiers: tuple[str, ...] = ()
    read: tuple[Turn, ...] | None = None

    def turns_of(self, recording: str | os.PathLike[str]) -> list[Turn]:
        """The intervals of a recording, in the order of the file.

        Args:
            recording: path of the recording.

        Raises:
            LiveSerError: they cannot be read, or there are none.
        """
        if self.read is not None:
            return list(self.read)
        path = self._file_of(Path(recording)) if self.path.is_dir() else self.path
        marked = _of_recording(path, _read(path), Path(recording))
        if unknown := set(self.tiers) - {one.tier for one in marked}:
            there = ", ".join(dict.fromkeys(one.tier for one in marked if one.tier)) or "none"
            raise LiveSerError(f"{path} has no tier {min(unknown)}", f"`tiers`, of these: {there}")
        turns = [
            Turn(one.start, one.end, one.tier or None)
            for one in marked
            if not self.tiers or one.tier in self.tiers
        ]
        if not turns:
            raise LiveSerError(f"{path} marks no interval", "mark some, or leave it out")
        return turns

    def read_for(self, recording: str | os.PathLike[str]) -> TurnFiles:
        """The intervals of one recording, already read, for a machine without the file.

        Args:
            recording: path of the recording.

        Raises:
            LiveSerError: as :meth:`turns_of`.
        """
        return replace(self, read=tuple(self.turns_of(recording)))

    def files(self, recordings: Iterable[str | os.PathLike[str]]) -> list[str]:
        """The files of intervals that are looked for, whether they exist or not.

        Args:
            recordings: paths of the recordings.
        """
        if not self.path.is_dir():
            return [str(self.path)]
        return [str(path) for one in recordings for path in self._looked_for(Path(one))]

    def words(self) -> str:
        """The settings in words."""
        return " ".join([f"at {self.path}", *self.tiers])

    def _file_of(self, recording: Path) -> Path:
        """The file in the folder with the name of a recording."""
        *_, path = self._looked_for(recording)
        if path.is_file():
            return path
        names = ", ".join(recording.stem + ending for ending in ENDINGS)
        raise LiveSerError(f"{self.path} has no intervals of {recording}", f"one of {names}")

    def _looked_for(self, recording: Path) -> Iterator[Path]:
        """The possible files of a recording in the folder, up to the first that exists."""
        for ending in ENDINGS:
            for name in dict.fromkeys((recording.stem + ending, recording.stem + ending.lower())):
                yield (path := self.path / name)
                if path.is_file():
                    return


_INTERVAL = "give (start, end) or (start, end, speaker)"

Intervals = str | os.PathLike[str] | Sequence[Turn | tuple[Any, ...]]
"""Accepted types of intervals."""


def turns_of(intervals: Intervals, recording: object, tiers: Sequence[str] = ()) -> list[Turn]:
    """Intervals of any accepted type, as a list.

    Args:
        intervals: path of a file; or a sequence of :class:`Turn`, ``(start, end)`` or ``(start,
            end, speaker)``, in seconds.
        recording: path of the recording, to find its intervals in a file of several recordings.
        tiers: names of the tiers to classify; empty for all.

    Raises:
        LiveSerError: the file cannot be read.
        InvalidArgument: they are not intervals.
    """
    if isinstance(intervals, str | os.PathLike):
        name = recording if isinstance(recording, str | os.PathLike) else ""
        return TurnFiles(Path(intervals), tuple(tiers)).turns_of(name)
    try:
        return [_turn(one, number) for number, one in enumerate(intervals)]
    except TypeError as error:
        raise InvalidArgument(
            f"intervals: {type(intervals).__name__} is no sequence", _INTERVAL
        ) from error


def _turn(given: Turn | tuple[Any, ...], number: int) -> Turn:
    try:
        turn = given if isinstance(given, Turn) else Turn(*given)
        start, end = float(turn.start), float(turn.end)
    except (TypeError, ValueError) as error:
        raise InvalidArgument(f"intervals: {given!r:.60} is none", _INTERVAL) from error
    try:
        return Turn(*checked_times(start, end, f"intervals: number {number}"), turn.speaker)
    except LiveSerError as error:
        raise InvalidArgument(error.message, error.hint) from error


def _read(path: Path) -> Sequence[Marked]:
    """The intervals of a file, which is read once for all of its recordings."""
    try:
        found = path.stat()
    except OSError:
        return read_tiers(path)  # which raises the error
    return _read_once(path, (found.st_ino, found.st_mtime_ns, found.st_size))


@lru_cache(maxsize=1)
def _read_once(path: Path, version: tuple[int, ...]) -> tuple[Marked, ...]:
    return tuple(read_tiers(path))


def _of_recording(path: Path, marked: Sequence[Marked], recording: Path) -> Sequence[Marked]:
    """The intervals of a recording, in a file of one or several recordings.

    A diariser may name the recording in its own way: a single name is not compared.
    """
    names = {one.file for one in marked if one.file}
    own = {name for name in names if Path(name).stem == recording.stem or name == recording.stem}
    if len(names) < 2 and path.suffix.lower() == ".rttm":
        return marked
    if names and not own:
        listed = ", ".join(sorted(names)[:3])
        raise LiveSerError(
            f"{path} has no intervals of {recording.name or 'this sound'}",
            f"it has some of {listed}",
        )
    return [one for one in marked if not one.file or one.file in own]
