"""Where results go: standard output or a file, and never over what is there already."""

from __future__ import annotations

import io
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal, get_args

from live_ser.errors import LiveSerError
from live_ser.new_file import NewFile

if TYPE_CHECKING:
    from live_ser.records import Record, Writer

Style = Literal["table", "jsonl", "csv", "parquet", "vtt", "textgrid", "audacity"]
STYLES: tuple[Style, ...] = get_args(Style)
ANNOTATIONS: tuple[Style, ...] = ("vtt", "textgrid", "audacity")  # each of one recording
_GROWING: tuple[Style, ...] = ("table", "jsonl", "csv")  # of use before they are whole
_ENDINGS: dict[Style, str] = {
    "table": ".txt",
    "jsonl": ".jsonl",
    "csv": ".csv",
    "parquet": ".parquet",
    "vtt": ".vtt",
    "textgrid": ".TextGrid",
    "audacity": ".txt",
}
_STYLES: dict[str, Style] = {
    **{ending.lower(): style for style, ending in _ENDINGS.items() if ending != ".txt"},
    ".json": "jsonl",
}


def style_of(wanted: Style | None, path: str | None, usual: Style) -> Style:
    """How records are written: as asked for, as the file's name says, or as is usual."""
    return wanted or _STYLES.get(Path(path or "").suffix.lower(), usual)


@contextmanager
def written(
    path: str | None,
    style: Style,
    labels: Sequence[str],
    *,
    force: bool = False,
    several: bool = False,
    more: bool = False,
    anew: bool = False,
) -> Iterator[Writer]:
    """What writes records, into a file or, without one, onto standard output.

    Args:
        path: of the file; a folder, which may end with a slash, takes a file for each source.
        style: of the records.
        labels: of the model.
        force: overwrite files that are there.
        several: whether records of more than one source are to come.
        more: add to the file, if it is there.
        anew: in a folder, leave files that are there, and take the next name.

    Raises:
        LiveSerError: the file is there already, or cannot be written; or it cannot hold this.
    """
    if path is not None and is_folder(path):
        places = Places(path, _ENDINGS[style], anew=anew)
        with _Folder(places, style, labels, force=force) as writer:
            yield writer
        return
    if several and style in ANNOTATIONS:
        raise _holds_one(f"a {style} file", "-o")
    with _Output(path, style, labels, force=force, more=more) as writer:
        yield writer


def is_folder(path: str) -> bool:
    """Whether an output is a folder, there already or said to be one by a slash at its end."""
    return path.endswith(("/", os.sep)) or Path(path).is_dir()


class _Output:
    """A writer, and where its records go.

    Args:
        path: of the file; standard output if None.
        style: of the records.
        labels: of the model.
        force: replace a file that is there, once the new one is whole.
        more: add to the file, if it is there.
    """

    def __init__(
        self,
        path: str | Path | None,
        style: Style,
        labels: Sequence[str],
        *,
        force: bool,
        more: bool = False,
    ) -> None:
        if style == "parquet" and path is None:
            raise LiveSerError(
                "Parquet is not for standard output", "name a file: -o NAME.parquet", exit_code=2
            )
        start = _starter(style, labels)  # which may lack a package: before anything is created
        self._style = style
        self._file: NewFile | None = None
        self._stream: IO[Any] = sys.stdout
        self._holds_records = False
        begun = False
        if path is not None:
            self._file = NewFile(path, force=force, grows=style in _GROWING, more=more)
            raw = io.BufferedWriter(self._file.raw)
            self._stream = raw if style == "parquet" else io.TextIOWrapper(raw, "utf-8")
            begun = more and raw.seekable() and raw.seek(0, os.SEEK_END) > 0
        elif isinstance(sys.stdout, io.TextIOWrapper) and style != "table":
            sys.stdout.reconfigure(encoding="utf-8")
        self._writer = start(self._stream, begun)

    def write(self, record: Record) -> None:
        self._writer.write(record)
        self._holds_records = True

    def close(self) -> None:
        """Nothing: ``__exit__`` knows how it ended."""

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
            self._file.finish()

    def _end(self) -> None:
        try:
            self._writer.close()  # what is known already is told, also where Ctrl-C ends it
        finally:
            let_go(self._stream)

    def _give_up(self, file: NewFile, error: BaseException | None, *, whole: bool) -> None:
        if error is not None and self._holds_records and (whole or self._style in _GROWING):
            file.leave(error)
        else:
            file.drop()


def _starter(style: Style, labels: Sequence[str]) -> Callable[[IO[Any], bool], Writer]:
    """What makes a writer of a stream, and of whether there are records in it already."""
    if style == "table":
        from live_ser.tables import Verdicts

        return lambda stream, begun: Verdicts(stream, labels)
    if style == "jsonl":
        from live_ser.json_lines import JsonLines

        return lambda stream, begun: JsonLines(stream)
    if style == "csv":
        from live_ser.csv_rows import Csv

        return lambda stream, begun: Csv(stream, labels, header=not begun)
    if style == "parquet":
        from live_ser.extras import needed
        from live_ser.parquet import Parquet

        needed("pyarrow.parquet", "tables")
        return lambda stream, begun: Parquet(stream, labels)
    from live_ser.annotation import AnnotationWriter
    from live_ser.audacity import label_track
    from live_ser.textgrid import textgrid
    from live_ser.webvtt import webvtt

    form = {"vtt": webvtt, "textgrid": textgrid, "audacity": label_track}[style]
    return lambda stream, begun: AnnotationWriter(stream, form)


class Places:
    """Where the file of each recording goes: one file, or one for each in a folder.

    Args:
        path: of the file, or of the folder, which is made.
        ending: of the names in the folder.
        several: whether there are several recordings.
        option: with which it was named.
        anew: whether files that are there keep their names.

    Raises:
        LiveSerError: the folder cannot be made, the file has another ending, or would be for
            several recordings.
    """

    def __init__(
        self,
        path: str,
        ending: str,
        *,
        several: bool = False,
        option: str = "-o",
        anew: bool = False,
    ) -> None:
        self._path, self._ending, self._anew = Path(path), ending, anew
        self._taken: set[str] = set()
        self._reserved: dict[str, list[Path]] = {}
        self._is_folder = is_folder(path)
        if several and not self._is_folder:
            raise _holds_one(path, option)
        if not self._is_folder and self._path.suffix.lower() != ending.lower():
            raise LiveSerError(
                f"{path} does not end with {ending}", f"name it NAME{ending}", exit_code=2
            )
        if self._is_folder:
            try:
                self._path.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise LiveSerError(
                    f"cannot make the folder {path}: {error.strerror}", "name another one"
                ) from error

    def reserve(self, sources: Iterable[str]) -> None:
        """Keep a place for each of these, in their order, whether or not it is asked for."""
        places = [(source, self.of(source)) for source in sources]
        for source, place in places:
            self._reserved.setdefault(source, []).append(place)

    def of(self, source: str) -> Path:
        """The place of a recording's file; a number tells those of the same name apart."""
        if not self._is_folder:
            return self._path
        if reserved := self._reserved.get(source):
            return reserved.pop(0)
        stem = re.sub(r'[<>:"/\\|?*\x00-\x1f]', "_", Path(source).stem) or "_"
        name, number = stem, 1
        while self._is_taken(name):
            number += 1
            name = f"{stem}-{number}"
        self._taken.add(name.lower())
        return self._file(name)

    def _is_taken(self, name: str) -> bool:
        # Some file systems do not tell Clip from clip.
        return name.lower() in self._taken or (self._anew and self._file(name).exists())

    def _file(self, name: str) -> Path:
        return self._path / f"{name}{self._ending}"


class _Folder:
    """A file for each source, closed with its last record."""

    def __init__(self, places: Places, style: Style, labels: Sequence[str], *, force: bool) -> None:
        self._places, self._style, self._labels, self._force = places, style, labels, force
        self._open = ExitStack()
        self._writer: Writer | None = None

    def write(self, record: Record) -> None:
        if self._writer is None:
            path = self._places.of(record["source"])
            output = _Output(path, self._style, self._labels, force=self._force)
            self._writer = self._open.enter_context(output)
        self._writer.write(record)
        if record["type"] in ("clip", "end"):
            self.close()

    def close(self) -> None:
        self._writer = None
        self._open.close()

    def __enter__(self) -> _Folder:
        return self

    def __exit__(self, *how: Any) -> None:
        self._open.__exit__(*how)


def _holds_one(what: str, option: str) -> LiveSerError:
    return LiveSerError(
        f"{what} holds one recording, and there are several",
        f"name a folder, with a slash at its end, for a file of each: {option} FOLDER/",
        exit_code=2,
    )


def let_go(stream: IO[Any]) -> None:
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
