"""Parquet: the same rows as CSV."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from live_ser.errors import LiveSerError
from live_ser.extras import needed
from live_ser.records.record import Record
from live_ser.records.rows import TEXTS, Row, Rows, columns, record_of

_GROUP_ROWS = 8192  # in memory at a time


class Parquet:
    """Writes rows in groups; the file is valid once it is closed.

    Args:
        stream: the output.
        labels: labels of the model; each has a column.

    Raises:
        LiveSerError: pyarrow is not installed.
    """

    def __init__(self, stream: IO[bytes], labels: Iterable[str]) -> None:
        self._arrow = needed("pyarrow", "tables")
        self._schema = self._arrow.schema(
            [
                (name, self._arrow.string() if name in TEXTS else self._arrow.float64())
                for name in columns(labels)
            ]
        )
        self._file = needed("pyarrow.parquet", "tables").ParquetWriter(stream, self._schema)
        self._rows = Rows()
        self._group: list[Row] = []

    def write(self, record: Record) -> None:
        """Add a record, if its type has rows."""
        row = self._rows.of(record)
        if row is None:
            return
        self._group.append(row)
        if len(self._group) == _GROUP_ROWS:
            self._write_group()

    def close(self) -> None:
        """Write the last group and the footer."""
        if self._group:
            self._write_group()
        self._file.close()

    def _write_group(self) -> None:
        self._file.write_table(self._arrow.Table.from_pylist(self._group, self._schema))
        self._group = []


def read_parquet(path: Path, stream: IO[bytes]) -> Iterator[tuple[int, object]]:
    """Yield the number and the record of each row.

    Args:
        path: path of the file, for messages.
        stream: the open file.

    Raises:
        LiveSerError: pyarrow is not installed, or the file is invalid.
    """
    arrow, parquet = needed("pyarrow", "tables"), needed("pyarrow.parquet", "tables")
    try:
        with parquet.ParquetFile(stream) as file:
            number = 0
            for batch in file.iter_batches(_GROUP_ROWS):
                for row in batch.to_pylist():
                    number += 1
                    yield number, record_of(row)
    except arrow.ArrowException as error:
        raise LiveSerError(
            f"{path} is no whole Parquet file", "take a file that live-ser wrote"
        ) from error
