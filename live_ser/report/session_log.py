"""The records of a session or recording, read compactly."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from live_ser.audio.blocks import Voice
from live_ser.errors import LiveSerError
from live_ser.records.reader import read_records
from live_ser.records.record import Record, is_first, standing_labels, voice_of
from live_ser.report.window_columns import WindowReader, Windows

_LABELS = 64  # at most
_LONGEST = 10  # intervals to list
_NAMED = 5  # recordings to list in a message
_HINT = "take what `live-ser listen` writes, or `live-ser file` with `timeline` or `segments`"


class NoPredictions(LiveSerError):
    """The records contain no predictions."""


@dataclass(frozen=True)
class SessionLog:
    """The log of a session or recording.

    Attributes:
        source: name of the source.
        labels: labels of the model.
        facts: the session record; empty for a recording.
        windows: the windows or segments in order of time.
        gaps: start, end and reason of gaps in the sound.
        marks: times of the user's marks in seconds.
        labels_given: records of the user's labels, in order of time.
        seconds: length in seconds.
        end: the end record; empty if the session was interrupted.
        unit: ``windows`` or ``segments``.
        voice: name of the voice; empty for a single voice.
    """

    source: str
    labels: tuple[str, ...]
    facts: Record
    windows: Windows
    gaps: tuple[Record, ...] = ()
    marks: tuple[float, ...] = ()
    labels_given: tuple[Record, ...] = ()
    seconds: float = 0.0
    end: Record = field(default_factory=dict)
    unit: str = "windows"
    voice: str = ""


@dataclass
class _Records:
    """The records of a source; windows and segments in columns, by voice and type."""

    classified: dict[tuple[Voice, str], WindowReader] = field(
        default_factory=lambda: defaultdict(WindowReader)
    )
    others: dict[str, list[Record]] = field(default_factory=lambda: defaultdict(list))

    def append(self, record: Record) -> None:
        kind = str(record["type"])
        if kind in ("window", "segment"):
            self.classified[voice_of(record), kind].append(record)
        else:
            self.others[kind].append(record)

    def extend(self, later: _Records) -> None:
        for key, windows in later.classified.items():
            self.classified[key].extend(windows)
        for kind, records in later.others.items():
            self.others[kind].extend(records)


def read_session(path: str | Path, recording: str | None = None) -> SessionLog:
    """Read the records of a session, or the windows or segments of a recording.

    Args:
        path: path of the file.
        recording: name of the recording, or the end of it, if the file contains several.

    Raises:
        NoPredictions: there are no predictions.
        LiveSerError: they cannot be read, or are not of exactly one session or recording with one
            voice.
    """
    logs = read_voices(path, recording)
    if len(logs) > 1:
        names = ", ".join(log.voice for log in logs[:_NAMED])
        raise LiveSerError(
            f"{path} holds {len(logs)} voices: {names}",
            "give it alone: `live-ser report` shows each of them then",
        )
    return logs[0]


def read_voices(path: str | Path, recording: str | None = None) -> list[SessionLog]:
    """Read the records of a session or recording, perhaps with several voices.

    Args:
        path: path of the file.
        recording: name of the recording, or the end of it, if the file contains several.

    Returns:
        A log for each voice, in the order of their channels.

    Raises:
        NoPredictions: there are no predictions.
        LiveSerError: they cannot be read, or are not of exactly one session or recording.
    """
    source, records = _records_of_one(path, recording)
    kinds = {kind for _, kind in records.classified}
    unit = next((kind for kind in ("window", "segment") if kind in kinds), None)
    if unit is None:
        kind_of_error = NoPredictions if records.others["session"] else LiveSerError
        raise kind_of_error(f"{path} holds no classified window or segment", _HINT)
    voices = [voice for voice, kind in records.classified if kind == unit]
    voices.sort(key=lambda voice: voice.channel or 0)
    return [_log_of(path, source, records, unit, voice) for voice in voices]


def _log_of(
    path: str | Path, source: str, records: _Records, unit: str, voice: Voice
) -> SessionLog:
    """The log of a voice."""
    classified, clips = records.classified[voice, unit], records.others["clip"]
    facts: Record = next(iter(records.others["session"]), {})
    end: Record = next(reversed(records.others["end"]), {})
    gaps = sorted(records.others["gap"], key=lambda gap: gap["start"])
    # Without a session record, the labels are those of probabilities.
    probable = classified.probable_labels() or _labels(clips)
    labels = tuple(facts.get("labels") or probable)
    if len(labels) > _LABELS:
        raise LiveSerError(f"{path} knows {len(labels)} emotions; a page shows {_LABELS}", _HINT)
    unknown = classified.labels.keys() - set(labels)
    if unknown:
        raise LiveSerError(f"{path} names {min(unknown)!r:.40}, which is no label of it", _HINT)
    windows = classified.windows(labels, gaps)
    lengths = [end.get("seconds", 0), *(clip["duration"] for clip in clips)]
    times = [windows.end[-1], *(gap["end"] for gap in gaps), *lengths]
    return SessionLog(
        source=source,
        labels=labels,
        facts=facts,
        windows=windows,
        gaps=tuple(gaps),
        marks=tuple(sorted(float(mark["time"]) for mark in records.others["mark"])),
        labels_given=tuple(_labels_given(records)),
        seconds=float(max(times)),
        end=end,
        unit=f"{unit}s",
        voice=voice.name,
    )


def _labels_given(records: _Records) -> list[Record]:
    """The user's labels in effect, in order of time."""
    return sorted(standing_labels(records.others["label"]), key=lambda one: one["start"])


def _labels(clips: list[Record]) -> tuple[str, ...]:
    return next((tuple(clip["probabilities"]) for clip in clips if clip["probabilities"]), ())


def _records_of_one(path: str | Path, recording: str | None) -> tuple[str, _Records]:
    """Name and records of the requested session or recording."""
    found: dict[str, _Records] = {}
    source = ""
    for record in read_records(path):
        # Windows of a session do not state their source; the session record before them does.
        source = str(record.get("source", source))
        records = found.setdefault(source, _Records())
        # Of other recordings, only the name is needed.
        first = len(found.keys() - {""}) < 2 if recording is None else _is_called(source, recording)
        if first or not source:
            records.append(record)
    strays = found.pop("", _Records())  # before the first record with a source
    names = [name for name in found if recording is None or _is_called(name, recording)]
    names = [recording] if recording in names else names
    if not found:
        raise LiveSerError(f"{path} holds no session and no recording", _HINT)
    if len(names) != 1:
        listed = ", ".join([*found][:_NAMED]) + (", …" if len(found) > _NAMED else "")
        what = f"{len(names)} recordings" + (f" called {recording}" if recording else "")
        raise LiveSerError(
            f"{path} holds {what}; a page shows one", f"`recording=NAME`, of these: {listed}"
        )
    strays.extend(found[names[0]])
    for kind in ("session", "clip"):
        if (count := sum(map(is_first, strays.others[kind]))) > 1:
            raise LiveSerError(
                f"{path} holds {count} sessions of {names[0]}; a page shows one", _HINT
            )
    return names[0], strays


def _is_called(source: str, name: str) -> bool:
    """Whether the path of a recording is or ends with a name."""
    parts, wanted = Path(source).parts, Path(name).parts
    return source == name or (bool(wanted) and parts[-len(wanted) :] == wanted)


def shares(log: SessionLog) -> dict[str, float]:
    """Seconds of each emotion and state, longest first, without gaps."""
    names, codes = log.windows.best_labels()
    lengths = np.bincount(codes, log.windows.end - log.windows.since, len(names))
    seconds: dict[str, float] = {}
    for code in dict.fromkeys(codes.tolist()):  # in order of appearance
        seconds[names[code]] = seconds.get(names[code], 0.0) + float(lengths[code])
    return dict(sorted(seconds.items(), key=lambda item: -item[1]))


def longest_intervals(log: SessionLog) -> list[tuple[float, float, str]]:
    """The longest intervals of one emotion: start, end, emotion."""
    return sorted(log.windows.stretches(), key=lambda part: part[0] - part[1])[:_LONGEST]
