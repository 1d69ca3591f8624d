"""Records as rows of a table, for CSV and Parquet.

The first columns are those of audformat's tables: ``file``, ``start`` and ``end`` in seconds. A
clip starts at 0, and a mark has no length.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from live_ser.inference.prosody import MEASURES
from live_ser.records.record import Record
from live_ser.records.schema import FIELDS, OPTIONAL
from live_ser.text import escaped, unescaped

Row = dict[str, Any]

_KINDS = ("window", "segment", "clip", "mark", "label", "gap")  # sessions and ends have no row
TEXTS = (
    "file",
    "label",
    "guess",
    "type",
    "state",
    "reason",
    "key",
    "judged_with",
    "missing",
    "speaker",
)
_FIRST = ("file", "start", "end", "label", "guess", "state", "confidence")
_LAST = (
    *("activation", "type", "speech", "evidence"),
    *("since_speech", "level_db", "latency_ms", "baseline", "windows", "reason"),
    *("channel", "track", "key", "judged_with", "missing", "valence"),
    *("speaker", "part", "parts", *MEASURES),
)
_SHARE = "p_"


def columns(labels: Iterable[str]) -> tuple[str, ...]:
    """The columns, including ``p_LABEL`` for each label."""
    return (*_FIRST, *(_SHARE + label for label in labels), *_LAST)


class Rows:
    """The rows of consecutive records: a session record names the source of those after it."""

    def __init__(self) -> None:
        self._source: str | None = None

    def of(self, record: Record) -> Row | None:
        """The row of the next record; None if its type has none."""
        if record["type"] == "session":
            self._source = record["source"]
        return _row_of(record, self._source) if record["type"] in _KINDS else None


def _row_of(record: Record, source: str | None) -> Row:
    """The row of a record; ``source`` is the default for its file."""
    row: Row = {"file": record.get("source", source)}
    if record["type"] == "clip":
        row |= {"start": 0.0, "end": record["duration"]}
    elif record["type"] == "mark":
        row |= {"start": record["time"], "end": record["time"]}
    row |= {name: value for name, value in record.items() if name in {*_FIRST, *_LAST}}
    if "missing" in record:
        row["missing"] = "; ".join(
            f"{start}-{'' if end is None else end}" for start, end in record["missing"]
        )
    if record.get("state") == "uncertain":  # so that counting labels does not count guesses
        row |= {"label": None, "guess": record["label"]}
    row |= {name: record["prosody"].get(name) for name in MEASURES if record.get("prosody")}
    row |= {name: escaped(row[name]) for name in TEXTS if isinstance(row.get(name), str)}
    shares = record.get("probabilities") or {}
    return row | {_SHARE + label: share for label, share in shares.items()}


def record_of(row: Mapping[str, Any]) -> Record:
    """The record of a row, unchecked."""
    texts = {name: unescaped(text) for name in TEXTS if isinstance(text := row.get(name), str)}
    row = {**row, **texts}
    kind = str(row.get("type"))
    known = {
        **row,
        "source": texts.get("file"),
        "label": row.get("label") or (None if kind == "label" else row.get("guess")),
        "duration": row.get("end"),
        "time": row.get("start"),
        "missing": _spans(row.get("missing")),
        "probabilities": {
            name.removeprefix(_SHARE): share
            for name, share in row.items()
            if name.startswith(_SHARE) and share is not None
        }
        or None,
    }
    measures = {name: row.get(name) for name in MEASURES}
    if any(value is not None for value in measures.values()):
        known["prosody"] = measures
    optional = (name for name in OPTIONAL.get(kind, {}) if known.get(name) is not None)
    return {name: known.get(name) for name in ("type", *FIELDS.get(kind, {}), *optional)}


def _spans(text: object) -> object:
    """Starts and ends in seconds from a cell; the cell itself if it is invalid."""
    if not isinstance(text, str):
        return text
    try:
        spans = [span.partition("-")[::2] for span in text.split("; ")]
        return [[float(start), float(end) if end else None] for start, end in spans]
    except ValueError:
        return text
