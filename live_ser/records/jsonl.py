"""JSON Lines: one record per line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import IO

from live_ser.records.record import Record
from live_ser.text import disarmed


def json_text(record: Record) -> str:
    """A record as JSON, without characters that affect a terminal."""
    return disarmed(json.dumps(record, ensure_ascii=False, allow_nan=False))


class JsonLines:
    """Writes one JSON object per line, flushed line by line."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def write(self, record: Record) -> None:
        """Write a record."""
        self._stream.write(json_text(record) + "\n")
        self._stream.flush()

    def close(self) -> None:
        """Does nothing: every line is flushed."""


def read_json_lines(stream: IO[str]) -> Iterator[tuple[int, object]]:
    """Yield the number and the value of each line; None for invalid JSON.

    An incomplete last line, as of a killed process, is skipped.
    """
    for number, line in enumerate(stream, 1):
        if not line.strip():
            continue
        try:
            yield number, json.loads(line)
        except (ValueError, RecursionError):
            if line.endswith("\n"):
                yield number, None
