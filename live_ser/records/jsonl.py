"""JSON Lines: a record a line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import IO

from live_ser.records.schema import Record
from live_ser.text import disarmed


class JsonLines:
    """One JSON object a line, flushed line by line."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def write(self, record: Record) -> None:
        """Write one record."""
        text = json.dumps(record, ensure_ascii=False, allow_nan=False)
        self._stream.write(disarmed(text) + "\n")
        self._stream.flush()

    def close(self) -> None:
        """Do nothing: every line is written."""


def read_json_lines(stream: IO[str]) -> Iterator[tuple[int, object]]:
    """The number of each line, and what it holds: None where that is no JSON.

    A last line without its end, as a killed process leaves it, is left out if it is no JSON.
    """
    for number, line in enumerate(stream, 1):
        if not line.strip():
            continue
        try:
            yield number, json.loads(line)
        except (ValueError, RecursionError):
            if line.endswith("\n"):
                yield number, None
