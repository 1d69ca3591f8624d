"""Outputs of records: standard output, a file, or a file for each recording."""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol

from live_ser.errors import InvalidArgument, LiveSerError
from live_ser.records.formats import ENDINGS, GROWING, SHEETS, Style, sidecar_of
from live_ser.records.new_file import Mode, NewFile
from live_ser.records.places import Places
from live_ser.records.record import is_last
from live_ser.system.durability import sync
from live_ser.system.streams import let_go

if TYPE_CHECKING:
    from live_ser.records.annotation import Annotation
    from live_ser.records.record import Record, Writer

    class Output(Writer, Protocol):
        """Writes records to one or several files."""

        def sync(self) -> None:
            """Sync the output to disk."""


def written(
    where: str | Places | None,
    style: Style,
    labels: Sequence[str],
    *,
    mode: Mode = "new",
    bom: bool = False,
) -> AbstractContextManager[Output]:
    """Open a writer of records, to files or to standard output.

    Args:
        where: path of a file, or of a folder (perhaps with a slash at its end) for a file per
            source; or the :class:`Places`; None for standard output.
        style: format of the records.
        labels: labels of the model.
        mode: what to do with existing files: ``new`` refuses, ``overwrite`` replaces them once the
            new one is complete, ``append`` adds to them.
        bom: start CSV and TSV with a byte order mark, for spreadsheets.

    Raises:
        OutputError: the file exists already, or cannot be written.
        InvalidArgument: the format cannot contain this.
    """
    if bom and style not in SHEETS:
        raise InvalidArgument(
            f"a byte order mark is for CSV and TSV, not for {style}", "leave out `bom`"
        )
    if where is None:
        return _Output(None, style, labels, bom=bom)
    places = Places(where, ENDINGS[style]) if isinstance(where, str) else where
    if places.is_folder:
        places.make()
        return _Folder(places, style, labels, mode=mode, bom=bom)
    return _Output(places.of(""), style, labels, mode=mode, bom=bom)


class _Output:
    """A writer with its file or standard output.

    Args:
        path: path of the file; None for standard output.
        style: format of the records.
        labels: labels of the model.
        mode: what to do with an existing file.
        bom: start with a byte order mark.
    """

    def __init__(
        self,
        path: Path | None,
        style: Style,
        labels: Sequence[str],
        *,
        mode: Mode = "new",
        bom: bool = False,
    ) -> None:
        if style == "parquet" and path is None:
            raise InvalidArgument(
                "Parquet is not for standard output", "name a file: `output=NAME.parquet`"
            )
        start = _starter(style, labels)  # may raise MissingExtra: before a file is created
        self._style = style
        self._labels = labels
        self._file: NewFile | None = None
        self._sidecar: NewFile | None = None
        self._stream: IO[Any] = sys.stdout
        self._holds_records = False
        begun, encoding = False, "utf-8-sig" if bom else "utf-8"
        if path is not None:
            if (beside := sidecar_of(path, style)) is not None:
                self._sidecar = NewFile(beside, mode=mode)
            self._file = NewFile(path, mode=mode, grows=style in GROWING)
            raw = io.BufferedWriter(self._file.raw)
            begun = mode == "append" and raw.seekable() and raw.seek(0, os.SEEK_END) > 0
            encoding = "utf-8" if begun else encoding  # one mark per file
            self._stream = raw if style == "parquet" else io.TextIOWrapper(raw, encoding)
        elif isinstance(sys.stdout, io.TextIOWrapper) and style != "table":
            sys.stdout.reconfigure(encoding=encoding)
        self._writer = start(self._stream, begun)

    def write(self, record: Record) -> None:
        self._writer.write(record)
        self._holds_records = True

    def sync(self) -> None:
        self._stream.flush()
        if self._file is not None:
            self._file.sync()
        else:
            with suppress(io.UnsupportedOperation):  # not a real file
                sync(self._stream.fileno())

    def close(self) -> None:
        """Does nothing: ``__exit__`` closes the file."""

    def __enter__(self) -> _Output:
        return self

    def __exit__(self, kind: object, error: BaseException | None, *_: object) -> None:
        try:
            self._end()
        except BaseException as failure:
            if self._file is not None:
                self._give_up(self._file, error or failure, whole=False)
            raise
        if self._file is None:
            return
        if self._file.replaces and (error is not None or not self._holds_records):
            self._give_up(self._file, error, whole=True)
        else:
            self._finish(self._file)

    def _end(self) -> None:
        try:
            self._writer.close()  # flushes, also after Ctrl-C
        finally:
            let_go(self._stream)

    def _finish(self, file: NewFile) -> None:
        file.finish()
        if self._sidecar is not None:
            from live_ser.records.bids import sidecar

            with self._sidecar, io.BufferedWriter(self._sidecar.raw) as stream:
                stream.write(sidecar(self._labels).encode())

    def _give_up(self, file: NewFile, error: BaseException | None, *, whole: bool) -> None:
        if self._sidecar is not None:
            self._sidecar.drop()
        if error is not None and self._holds_records and (whole or self._style in GROWING):
            file.leave(error)
        else:
            file.drop()


def _starter(style: Style, labels: Sequence[str]) -> Callable[[IO[Any], bool], Writer]:
    """A function from a stream, and whether it contains records already, to a writer."""
    if style == "table":
        from live_ser.records.tables import Verdicts

        return lambda stream, begun: Verdicts(stream, labels)
    if style == "jsonl":
        from live_ser.records.jsonl import JsonLines

        return lambda stream, begun: JsonLines(stream)
    if style in SHEETS:
        from live_ser.records.csv import Csv

        tab = "\t" if style == "tsv" else ","
        return lambda stream, begun: Csv(stream, labels, header=not begun, delimiter=tab)
    if style == "parquet":
        from live_ser.extras import needed
        from live_ser.records.parquet import Parquet

        needed("pyarrow.parquet", "tables")
        return lambda stream, begun: Parquet(stream, labels)
    from live_ser.records.annotation import AnnotationWriter
    from live_ser.records.audacity import label_track
    from live_ser.records.bids import events
    from live_ser.records.eaf import eaf
    from live_ser.records.srt import srt
    from live_ser.records.textgrid import textgrid
    from live_ser.records.webvtt import webvtt

    form: Callable[[Annotation], str] = {
        "vtt": webvtt,
        "srt": srt,
        "textgrid": textgrid,
        "eaf": eaf,
        "audacity": label_track,
        "bids": events,
    }[style]
    return lambda stream, begun: AnnotationWriter(stream, form)


class _Folder:
    """Writes a file for each source, closed after its last record."""

    def __init__(
        self, places: Places, style: Style, labels: Sequence[str], *, mode: Mode, bom: bool
    ) -> None:
        self._places, self._style, self._labels = places, style, labels
        self._mode, self._bom = mode, bom
        self._open = ExitStack()
        self._writer: Output | None = None

    def write(self, record: Record) -> None:
        if self._writer is None:
            path = self._places.of(record["source"])
            output = _Output(path, self._style, self._labels, mode=self._mode, bom=self._bom)
            self._writer = self._open.enter_context(output)
        self._writer.write(record)
        if is_last(record):
            self.close()

    def sync(self) -> None:
        if self._writer is not None:
            self._writer.sync()

    def close(self) -> None:
        self._writer = None
        self._open.close()

    def __enter__(self) -> _Folder:
        return self

    def __exit__(self, *how: Any) -> None:
        self._open.__exit__(*how)


def name_is_refused(error: LiveSerError) -> bool:
    """Whether a file cannot be created because of its name, such as one that is too long."""
    number = getattr(error.__cause__, "errno", None)
    return number in (errno.ENAMETOOLONG, errno.EILSEQ)
