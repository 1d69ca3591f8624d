"""The audio tracks of a container, and the choice of one."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from live_ser.audio.ffmpeg import ffmpeg_program, input_words
from live_ser.errors import AudioError

_STREAM = re.compile(r"^\s*Stream #0:\d+(?:\[\w+\])?(?:\((\w+)\))?: Audio: (.*)$")
_TITLE = re.compile(r"^\s+title\s*: (.*)$")
_PATIENCE = 60  # seconds
_HEAD_BYTES = 12


@dataclass(frozen=True)
class Track:
    """An audio track.

    Attributes:
        number: number among the audio tracks, from 1.
        name: language, title and codec, as far as they are known.
        is_default: whether it is marked as default.
    """

    number: int
    name: str
    is_default: bool

    def __str__(self) -> str:
        return f"{self.number} ({self.name})"


@dataclass(frozen=True)
class ChosenTrack:
    """The chosen track, from 1, and a warning about it."""

    number: int = 1
    several: bool = False
    note: str = ""


def chosen_track(path: Path, file: BinaryIO, wanted: int | None) -> ChosenTrack:
    """Choose a track.

    Args:
        path: path of the file.
        file: the open file.
        wanted: number of the track, from 1; None for the default track, or the first.

    Raises:
        AudioError: there is no such track, or ffmpeg is not installed.
    """
    tracks = _tracks(path) if _is_container(file) else []
    if wanted is not None and wanted > max(1, len(tracks)):
        there = ", ".join(map(str, tracks)) or "1"
        raise AudioError(f"{path} has no track {wanted}", f"of these: {there}")
    if len(tracks) < 2:
        return ChosenTrack()
    default = next((track for track in tracks if track.is_default), tracks[0])
    chosen = default if wanted is None else tracks[wanted - 1]
    if wanted is not None:
        return ChosenTrack(chosen.number, several=True)
    others = ", ".join(str(track) for track in tracks if track is not chosen)
    note = f"{path}: track {chosen} is used; there are others: {others}"
    return ChosenTrack(chosen.number, several=True, note=note)


def _is_container(file: BinaryIO) -> bool:
    """Whether the format of a file can contain several audio tracks."""
    file.seek(0)
    head = file.read(_HEAD_BYTES)
    starts = (b"\x1aE\xdf\xa3", b"0&\xb2u", b"\0\0\x01\xba", b"G", b"\0\0\0\0G")
    return (
        head.startswith(starts)
        or head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free")
        or (head.startswith(b"RIFF") and head[8:] == b"AVI ")
    )


def _tracks(path: Path) -> list[Track]:
    """The audio tracks according to ffmpeg; empty if it cannot read the file."""
    words = [ffmpeg_program(path), "-nostdin", "-hide_banner", *input_words(path)]
    try:
        run = subprocess.run(  # noqa: S603 - no shell, and the name is no option
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=_PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return []
    found: list[tuple[str, str]] = []
    titles: dict[int, str] = {}
    in_sound = False
    for line in run.stderr.decode("utf-8", "replace").splitlines():
        if (stream := _STREAM.match(line)) is not None:
            found.append((stream[1] or "", stream[2]))
            in_sound = True
        elif line.lstrip().startswith("Stream #"):
            in_sound = False
        elif in_sound and (title := _TITLE.match(line)) is not None:
            titles[len(found) - 1] = title[1]
    return [
        Track(number + 1, _name(language, titles.get(number, ""), details), "(default)" in details)
        for number, (language, details) in enumerate(found)
    ]


def _name(language: str, title: str, details: str) -> str:
    """Language, title, codec and layout of a track."""
    codec, *rest = re.split(r", ", details)
    layout = rest[1] if len(rest) > 1 else ""
    known = "" if language == "und" else language
    return ", ".join(part for part in (known, title, codec.split(" ")[0], layout) if part)
