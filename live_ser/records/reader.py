"""Reads and checks files of records in all formats."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from pathlib import Path

from live_ser.errors import LiveSerError, unreadable
from live_ser.records.csv import read_csv
from live_ser.records.jsonl import read_json_lines
from live_ser.records.parquet import read_parquet
from live_ser.records.record import Record
from live_ser.records.schema import check_record

_HINT = "take a file that live-ser wrote"


def read_records(path: str | Path) -> Iterator[Record]:
    """Yield the records of a JSON Lines, CSV, TSV or Parquet file, checked.

    An incomplete last line, as of a killed session, is skipped.

    Raises:
        LiveSerError: the file cannot be read, or a line is not a record.
    """
    path = Path(path)
    try:
        for number, record in _numbered(path):
            try:
                check_record(record)
            except ValueError as error:
                raise LiveSerError(f"{path}, line {number}: {error}", _HINT) from error
            yield record  # type: ignore[misc]
    except OSError as error:
        raise unreadable(path, error, LiveSerError) from error
    except UnicodeDecodeError as error:
        raise LiveSerError(f"{path} is not text", _HINT) from error


def _numbered(path: Path) -> Iterator[tuple[int, object]]:
    with path.open("rb") as raw:  # only once, as it may be a pipe
        start = raw.peek(8)
        if start.startswith(b"PAR1"):
            yield from read_parquet(path, raw)
            return
        is_table = start.removeprefix(codecs.BOM_UTF8).startswith((b"file,", b"file\t"))
        with io.TextIOWrapper(raw, "utf-8-sig", newline="") as text:
            yield from (read_csv if is_table else read_json_lines)(text)
