"""An output that was broken off: what it holds, and its end made whole."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from live_ser.csv_rows import read_csv
from live_ser.errors import LiveSerError
from live_ser.formats import Style
from live_ser.json_lines import read_json_lines
from live_ser.records import check_record
from live_ser.rows import columns


def finished(
    path: str | Path, style: Style, labels: Sequence[str], meant: Collection[str]
) -> set[str]:
    """The recordings that an output holds a verdict on; what follows the last verdict is cut off.

    Args:
        path: of the output; it need not be there.
        style: of it.
        labels: of the model that goes on with it.
        meant: recordings that are judged again; what is of no other is cut off.

    Raises:
        LiveSerError: it is not an output of this style and model; it is left as it is.
    """
    path = Path(path)
    if style not in ("jsonl", "csv"):
        raise LiveSerError(
            f"a {style} output cannot be gone on with", "take --format jsonl or csv", exit_code=2
        )
    if not path.exists():
        return set()
    try:
        return _finished(path, style, labels, meant)
    except OSError as error:
        raise LiveSerError(
            f"cannot go on with {path}: {error.strerror}", "check its rights"
        ) from error


def _finished(path: Path, style: Style, labels: Sequence[str], meant: Collection[str]) -> set[str]:
    sources: set[str] = set()
    foreign = 0  # the first line after the last verdict that is of something else
    whole = 0  # bytes, up to the last verdict
    with path.open("r+b") as file:
        begins = b'{"type":' if style == "jsonl" else ",".join(columns(labels)).encode() + b"\n"
        start = file.read(len(begins))
        if not begins.startswith(start):
            raise _other(path, 1)
        if style == "csv" and start == begins:
            whole = len(begins)
        file.seek(0)
        lines = _WholeLines(file)
        read = read_csv if style == "csv" else read_json_lines
        for number, record in read(lines):  # type: ignore[arg-type]
            try:
                check_record(record)
            except ValueError as error:
                raise _other(path, number) from error
            if record["type"] == "clip":  # type: ignore[index]
                if set(record["probabilities"] or labels) != set(labels):  # type: ignore[index]
                    raise _other(path, number)
                sources.add(record["source"])  # type: ignore[index]
                whole, foreign = lines.read, 0
            elif not foreign and record.get("source") not in meant:  # type: ignore[attr-defined]
                foreign = number
        if foreign:  # such as a session: it must not be lost
            raise _other(path, foreign)
        file.truncate(whole)
    return sources


class _WholeLines:
    """The lines of a file, less a last one that was torn off, and how many bytes they hold."""

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
        "take the file, the --format and the --model that it was begun with",
    )
