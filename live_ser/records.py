"""The records of a session or of clips, as JSON Lines or CSV: made, written, read back, checked.

Times are seconds from the start of the source; decibels are re full scale.
"""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol, TextIO, get_args

from live_ser.archive import Verdict
from live_ser.blocks import Gap
from live_ser.errors import LiveSerError
from live_ser.monitor import Prediction, State
from live_ser.spec import SCHEMA, ModelInfo

Record = dict[str, Any]

FORMATS = ("table", "jsonl", "csv")


def session_record(info: ModelInfo, source: str, hop: float, started: datetime) -> Record:
    """How a session begins."""
    return {
        "type": "session",
        "schema": SCHEMA,
        "source": source,
        "model": info.name,
        "labels": list(info.labels),
        "sample_rate": info.features.sample_rate,
        "window": info.window,
        "hop": hop,
        "started": started.isoformat(timespec="seconds"),
    }


def window_record(prediction: Prediction) -> Record:
    """One window, judged."""
    return {
        "type": "window",
        "start": round(prediction.start, 4),
        "end": round(prediction.end, 4),
        **_judged(prediction),
        "since_speech": _rounded(prediction.since_speech, 3),
        "level_db": round(prediction.level_db, 1),
        "latency_ms": round(prediction.latency_ms, 2),
    }


def clip_record(source: str, verdict: Verdict) -> Record:
    """One clip, judged as a whole."""
    return {
        "type": "clip",
        "source": source,
        "duration": round(verdict.duration, 4),
        **_judged(verdict),
        "windows": verdict.windows,
    }


def mark_record(time: float) -> Record:
    """A moment that the user marked."""
    return {"type": "mark", "time": round(time, 3)}


def gap_record(start: float, gap: Gap) -> Record:
    """A stretch of time that was not heard."""
    return {
        "type": "gap",
        "start": round(start, 3),
        "end": round(start + gap.seconds, 3),
        "reason": gap.reason,
    }


def end_record(windows: int, skipped: int, overflows: int, seconds: float) -> Record:
    """How a session ended."""
    return {
        "type": "end",
        "windows": windows,
        "skipped": skipped,
        "overflows": overflows,
        "seconds": round(seconds, 3),
    }


class Writer(Protocol):
    """Writes records, each of them at once."""

    def write(self, record: Record) -> None:
        """Write one record.

        Raises:
            OSError: it cannot be written.
        """


class JsonLines:
    """One JSON object a line, flushed line by line."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, record: Record) -> None:
        """Write one record."""
        text = json.dumps(record, ensure_ascii=False, allow_nan=False)
        # A file name may hold codes that a terminal obeys, or bytes that are no text.
        text = re.sub("[\x7f-\x9f\u2028\u2029\ud800-\udfff]", _escaped, text)
        self._stream.write(text + "\n")
        self._stream.flush()


class Csv:
    """A row for each window, clip, mark and gap; a column ``p_LABEL`` for each emotion."""

    _KINDS = ("window", "clip", "mark", "gap")

    def __init__(self, stream: TextIO, labels: Iterable[str]) -> None:
        self._stream = stream
        columns = [*_CSV_COLUMNS, *(f"p_{label}" for label in labels)]
        self._rows = csv.DictWriter(stream, columns, lineterminator="\n")
        self._rows.writeheader()
        stream.flush()

    def write(self, record: Record) -> None:
        """Write one record; sessions and their ends have no row."""
        if record["type"] not in self._KINDS:
            return
        row = {key: value for key, value in record.items() if key != "probabilities"}
        for label, value in (record.get("probabilities") or {}).items():
            row[f"p_{label}"] = value
        if "source" in row:
            row["source"] = re.sub("[\x00-\x1f\x7f-\x9f\ud800-\udfff]", "\ufffd", row["source"])
        self._rows.writerow(row)
        self._stream.flush()


def read_records(path: str | Path) -> Iterator[Record]:
    """The records of a JSON Lines or CSV file, each of them checked.

    A last line that was not finished, as a killed session leaves it, is left out.

    Raises:
        LiveSerError: the file cannot be read, or a line is no record; it names the line.
    """
    path = Path(path)
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            text = stream.read()
            read = _read_csv if text.startswith("type,") else _read_json_lines
            for number, record in read(text):
                try:
                    check_record(record)
                except ValueError as error:
                    raise LiveSerError(
                        f"{path}, line {number}: {error}", "take a file that live-ser wrote"
                    ) from error
                yield record  # type: ignore[misc]
    except OSError as error:
        raise LiveSerError(f"cannot read {path}: {error.strerror}", "check the name") from error
    except UnicodeDecodeError as error:
        raise LiveSerError(f"{path} is not text", "take a file that live-ser wrote") from error


def check_record(record: object) -> None:
    """See that a record is of a kind that there is, with all that belongs to it.

    Raises:
        ValueError: it is not; the message says why.
    """
    if not isinstance(record, dict):
        raise ValueError("it is not an object")
    kind = record.get("type")
    if not isinstance(kind, str) or kind not in _FIELDS:
        raise ValueError(f"there is no record of type {kind!r:.40}")
    for name, allowed in _FIELDS[kind].items():
        if name not in record:
            raise ValueError(f"a {kind} record without {name}")
        if not allowed(record[name]):
            raise ValueError(f"{name} is {record[name]!r:.40} in a {kind} record")


def _judged(judged: Prediction | Verdict) -> Record:
    probabilities = judged.probabilities
    return {
        "state": judged.state,
        "label": judged.label,
        "confidence": _rounded(judged.confidence, 6),
        "probabilities": probabilities and {k: round(v, 6) for k, v in probabilities.items()},
        "activation": _rounded(judged.activation, 6),
        "speech": round(judged.speech, 4),
        "evidence": round(judged.evidence, 3),
    }


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


def _escaped(character: re.Match[str]) -> str:
    return f"\\u{ord(character[0]):04x}"


def _read_json_lines(text: str) -> Iterator[tuple[int, object]]:
    lines = text.split("\n")
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            yield number, json.loads(line)
        except (ValueError, RecursionError):
            if number < len(lines):
                yield number, None


def _read_csv(text: str) -> Iterator[tuple[int, object]]:
    rows = csv.DictReader(io.StringIO(text, newline=""))
    for row in rows:
        if None in row or None in row.values():  # more or fewer values than columns
            if rows.line_num < text.count("\n") + 1:
                yield rows.line_num, None
            continue
        record: Record = {"probabilities": None}
        for name, value in row.items():
            if name.startswith("p_"):
                if value:
                    record["probabilities"] = record["probabilities"] or {}
                    record["probabilities"][name[2:]] = _number(value)
            else:
                record[name] = _number(value) if name in _CSV_NUMBERS else value or None
        fields = _FIELDS.get(str(record["type"]), {})
        optional = {"evidence", "since_speech"} & {n for n in record if record[n] is not None}
        yield rows.line_num, {name: record.get(name) for name in ("type", *fields, *optional)}


def _number(text: str) -> float | str | None:
    try:
        return float(text) if text else None
    except ValueError:
        return text


_Check = Callable[[object], bool]


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_amount(value: object) -> bool:
    return _is_number(value) and value >= 0  # type: ignore[operator]


def _is_share(value: object) -> bool:
    return _is_number(value) and 0 <= value <= 1  # type: ignore[operator]


def _are_shares(value: object) -> bool:
    return isinstance(value, Mapping) and all(map(_is_share, value.values()))


def _are_labels(value: object) -> bool:
    return isinstance(value, list) and len(value) > 1 and all(map(_is_text, value))


def _or_none(check: _Check) -> _Check:
    return lambda value: value is None or check(value)


_JUDGED: dict[str, _Check] = {
    "state": lambda value: value in get_args(State),
    "label": _or_none(_is_text),
    "confidence": _or_none(_is_share),
    "probabilities": _or_none(_are_shares),
    "activation": _or_none(_is_share),
    "speech": _is_share,
}

_FIELDS: dict[str, dict[str, _Check]] = {
    "session": {
        "schema": lambda value: value == SCHEMA,
        "source": _is_text,
        "model": _is_text,
        "labels": _are_labels,
        "sample_rate": _is_amount,
        "window": _is_amount,
        "hop": _is_amount,
        "started": _is_text,
    },
    "window": {
        "start": _is_amount,
        "end": _is_amount,
        **_JUDGED,
        "level_db": _is_number,
        "latency_ms": _is_amount,
    },
    "clip": {
        "source": _is_text,
        "duration": _is_amount,
        **_JUDGED,
        "windows": _is_amount,
    },
    "mark": {"time": _is_amount},
    "gap": {"start": _is_amount, "end": _is_amount, "reason": _is_text},
    "end": {
        "windows": _is_amount,
        "skipped": _is_amount,
        "overflows": _is_amount,
        "seconds": _is_amount,
    },
}

_CSV_COLUMNS = (
    "type",
    "source",
    "start",
    "end",
    "time",
    "duration",
    "state",
    "label",
    "confidence",
    "activation",
    "speech",
    "evidence",
    "since_speech",
    "level_db",
    "latency_ms",
    "windows",
    "reason",
)
_CSV_NUMBERS = set(_CSV_COLUMNS) - {"type", "source", "state", "label", "reason"}
