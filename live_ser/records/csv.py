"""CSV and TSV: a row for each window, segment, clip, mark and gap."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import IO

from live_ser.records.record import Record
from live_ser.records.rows import TEXTS, Rows, columns, record_of

# Texts that spreadsheets take for formulas, with fullwidth signs, and after apostrophes.
_FORMULA = re.compile("'*[=+@\t\r\n\uff1d\uff0b\uff0d\uff20-]")


class Csv:
    """Writes records as rows, flushed row by row.

    Args:
        stream: the output.
        labels: labels of the model; each has a column.
        header: whether to write the header; False to append.
        delimiter: the delimiter.
    """

    def __init__(
        self,
        stream: IO[str],
        labels: Iterable[str],
        *,
        header: bool = True,
        delimiter: str = ",",
    ) -> None:
        self._stream = stream
        self._rows = Rows()
        self._writer = csv.DictWriter(
            stream, columns(labels), delimiter=delimiter, lineterminator="\n"
        )
        if header:
            self._writer.writeheader()
        stream.flush()

    def write(self, record: Record) -> None:
        """Write a record, if its type has rows."""
        row = self._rows.of(record)
        if row is None:
            return
        for name in TEXTS:
            if row.get(name) is not None:
                row[name] = _guarded(row[name])
        self._writer.writerow(row)
        self._stream.flush()

    def close(self) -> None:
        """Does nothing: every row is flushed."""


def _guarded(text: str) -> str:
    """The text, with an apostrophe in front if a spreadsheet would take it for a formula."""
    return f"'{text}" if _FORMULA.match(text) else text


def _unguarded(text: str) -> str:
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text


def read_csv(stream: IO[str]) -> Iterator[tuple[int, object]]:
    """Yield the last line number and the record of each row; None for an invalid row.

    An incomplete last row, as of a killed process, is skipped.
    """
    lines = _Lines(stream)
    first = next(iter(lines), "").removeprefix("\ufeff")
    delimiter = "\t" if first.startswith("file\t") else ","
    rows = csv.DictReader(chain([first], lines), delimiter=delimiter)
    try:
        for row in rows:
            if not lines.newest.endswith("\n"):
                return
            if None in row or None in row.values():  # more or fewer values than columns
                yield lines.number, None
            else:
                yield lines.number, record_of({name: _value(name, row[name]) for name in row})
    except csv.Error:
        yield lines.number, None


class _Lines:
    """The lines of a stream, with the newest one and its number."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self.newest, self.number = "", 0

    def __iter__(self) -> Iterator[str]:
        for line in self._stream:
            self.newest = line
            self.number += 1
            yield line


def _value(name: str, text: str) -> float | str | None:
    if not text or name in TEXTS:
        return _unguarded(text) or None
    try:
        return float(text)
    except ValueError:
        return text
