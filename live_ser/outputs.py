"""Where results go: standard output or a file, and never over what is there already."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TextIO

from live_ser.errors import LiveSerError

if TYPE_CHECKING:
    from live_ser.records import Writer

Style = Literal["table", "jsonl", "csv"]
_STYLES: dict[str, Style] = {".csv": "csv", ".jsonl": "jsonl", ".json": "jsonl"}


def style_of(wanted: Style | None, path: str | None, usual: Style) -> Style:
    """How records are written: as asked for, as the file's name says, or as is usual."""
    return wanted or _STYLES.get(Path(path or "").suffix.lower(), usual)


@contextmanager
def written(
    path: str | None, style: Style, labels: Sequence[str], *, force: bool = False
) -> Iterator[Writer]:
    """What writes records, into a file or, without one, onto standard output.

    Args:
        path: of the file.
        style: of the records.
        labels: of the model.
        force: overwrite a file that is there.

    Raises:
        LiveSerError: the file is there already, or cannot be written.
    """
    from live_ser.records import Csv, JsonLines
    from live_ser.tables import Verdicts

    stream = sys.stdout
    if path is not None:
        stream = os.fdopen(create(path, force=force), "w", encoding="utf-8")
    elif isinstance(stream, io.TextIOWrapper) and style != "table":
        stream.reconfigure(encoding="utf-8")
    try:
        if style == "table":
            verdicts = Verdicts(stream, labels)
            try:
                yield verdicts
            finally:  # what is known already is told, also where Ctrl-C ends it
                verdicts.close()
        else:
            yield JsonLines(stream) if style == "jsonl" else Csv(stream, labels)
    finally:
        let_go(stream)


def create(path: str | Path, *, force: bool = False) -> int:
    """A new file, as a descriptor to read and write; an old one gives way only with ``force``.

    Raises:
        LiveSerError: it is there already, or cannot be written.
    """
    binary: int = getattr(os, "O_BINARY", 0)
    either = os.O_TRUNC if force else os.O_EXCL
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | either | binary, 0o666)
    except FileExistsError as error:
        raise LiveSerError(
            f"{path} is there already", "take another name, or --force to overwrite it"
        ) from error
    except OSError as error:
        raise LiveSerError(
            f"cannot write {path}: {error.strerror}", "take a folder that exists and is yours"
        ) from error


def let_go(stream: TextIO) -> None:
    """Close a file, and leave standard output open; each record was flushed when it was written.

    What could not be written then was told then, and must not fail a second time here, nor when
    Python ends.
    """
    try:
        stream.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    if stream is not sys.stdout:
        stream.close()
