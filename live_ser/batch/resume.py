"""Resuming an interrupted output: the files that it contains, and the repair of its end."""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from live_ser.batch.analysis import finished_key
from live_ser.batch.paths import key_of
from live_ser.errors import InvalidArgument, LiveSerError
from live_ser.records.csv import read_csv
from live_ser.records.formats import SHEETS, Style
from live_ser.records.jsonl import read_json_lines
from live_ser.records.record import is_last
from live_ser.records.rows import columns
from live_ser.records.schema import check_record

RESUMABLE: tuple[Style, ...] = ("jsonl", *SHEETS)
"""The formats of outputs that can be resumed."""


def unfinished(
    output: str | Path, style: Style, labels: Sequence[str], paths: Sequence[str], settings: str
) -> list[str]:
    """The files without a verdict in an output; records after its last verdict are truncated.

    Args:
        output: path of the output; it need not exist.
        style: its format.
        labels: labels of the model.
        paths: paths of all files. Only records of these are truncated.
        settings: the settings, from :meth:`Analysis.description`.

    Raises:
        LiveSerError: it is not an output with this format, model and options; it is not changed.
    """
    output = Path(output)
    if style not in RESUMABLE:
        raise InvalidArgument(
            f"a {style} output cannot be gone on with", "take `format=jsonl`, csv or tsv"
        )
    if not output.exists():
        return list(paths)
    keys = [key_of(path) for path in paths]
    try:
        done = _finished(output, style, labels, set(keys), settings)
    except OSError as error:
        raise LiveSerError(
            f"cannot go on with {output}: {error.strerror}", "check its rights"
        ) from error
    return [path for path, key in zip(paths, keys, strict=True) if key not in done]


def _finished(
    path: Path, style: Style, labels: Sequence[str], wanted: Collection[str], settings: str
) -> set[str]:
    """The keys of the files with a verdict in an output."""
    done: set[str] = set()
    foreign = 0  # first line after the last verdict that is a record of something else
    with path.open("r+b") as file:
        whole = _header_size(file, path, style, labels)  # bytes up to the last verdict
        lines = _WholeLines(file)
        read = read_csv if style in SHEETS else read_json_lines
        for number, record in read(lines):  # type: ignore[arg-type]
            try:
                check_record(record)
            except ValueError as error:
                raise _other(path, number) from error
            assert isinstance(record, dict)
            if record["type"] == "clip":
                key = finished_key(str(path), record, settings)
                if set(record["probabilities"] or labels) != set(labels):
                    raise _other(path, number)
                if is_last(record):
                    done.add(key)
                    whole, foreign = lines.read, 0
            elif not foreign and record.get("key") not in wanted:
                foreign = number
        if foreign:  # such as a session, which must not be lost
            raise _other(path, foreign)
        file.truncate(whole)
    return done


def _header_size(file: BinaryIO, path: Path, style: Style, labels: Sequence[str]) -> int:
    """The size of the header in bytes; 0 for a format without one, or if it is incomplete.

    Raises:
        LiveSerError: the file starts with something else.
    """
    expected = b'{"type":'
    if style in SHEETS:
        expected = ("\t" if style == "tsv" else ",").join(columns(labels)).encode() + b"\n"
        if file.read(len(BOM_UTF8)) == BOM_UTF8:
            expected = BOM_UTF8 + expected
        file.seek(0)
    start = file.read(len(expected))
    file.seek(0)
    if not expected.startswith(start):
        raise _other(path, 1)
    return len(expected) if style in SHEETS and start == expected else 0


class _WholeLines:
    """The complete lines of a file, and their size in bytes."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.read = 0

    def __iter__(self) -> Iterator[str]:
        for line in self._file:
            if line.endswith(b"\n"):
                self.read += len(line)
                yield line.decode("utf-8", "replace")


def _other(path: Path, line: int) -> LiveSerError:
    return LiveSerError(
        f"{path}, line {line}: not the output of this command with this model",
        "take the file, the `format` and the `model` that it was begun with",
    )
