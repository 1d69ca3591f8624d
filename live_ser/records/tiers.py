"""Files of intervals from people and other programs: TextGrid, ELAN, RTTM, CSV."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from xml.etree import ElementTree as ET

from live_ser.errors import LiveSerError, unreadable
from live_ser.system.small_file import TooLarge, read_small

MAX_BYTES = 64 * 2**20  # of a file of intervals
LATEST = 1e7  # second of a recording, which is months
_NUMBER = r"-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
# What Praat reads of a TextGrid, long or short: texts, flags, and numbers that stand alone.
_TOKENS = re.compile(rf'"((?:[^"]|"")*)"|(<exists>|<absent>)|(?<![\[\w.])({_NUMBER})(?![\w\].])')


@dataclass(frozen=True)
class Marked:
    """An interval in a file.

    Attributes:
        start: seconds from the start of the recording.
        end: seconds from the start of the recording.
        text: its text.
        tier: name of the tier, or of the speaker; empty without one.
        file: name of the recording; empty if the file states none.
        where: its place in the file, for messages.
    """

    start: float
    end: float
    text: str = ""
    tier: str = ""
    file: str = ""
    where: str = ""


def read_tiers(path: Path) -> list[Marked]:
    """The intervals in a file, without those that have no text, such as pauses in a TextGrid.

    Args:
        path: path of a TextGrid (``.TextGrid``), an ELAN file (``.eaf``), the output of a diariser
            (``.rttm``), or a table with the columns ``start``, ``end`` and, optionally, ``speaker``
            and ``file`` (``.csv``, ``.tsv``).

    Raises:
        LiveSerError: the file cannot be read, or an interval is invalid.
    """
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        known = ", ".join(ENDINGS)
        raise LiveSerError(f"{path} holds no intervals that can be read", f"one of {known}")
    return [*reader(path, text_of(path))]


def text_of(path: Path) -> str:
    """The text of a file in UTF-8, or in UTF-16, which Praat writes.

    Raises:
        LiveSerError: it cannot be read, is too large, or is not text.
    """
    try:
        data = read_small(path, MAX_BYTES)
    except TooLarge as error:
        raise LiveSerError(f"{path} is too large for a file of intervals", "split it") from error
    except OSError as error:
        raise unreadable(path, error, LiveSerError) from error
    utf16 = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        return data.decode("utf-16" if utf16 else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise LiveSerError(f"{path} is not text", "save it as UTF-8") from error


@dataclass(frozen=True)
class Table:
    """A table, each row of which is one line.

    Attributes:
        delimiter: delimiter of its columns: a comma, a semicolon or a tab.
        names: names of its columns, in lower case.
        rows: the place of each row, for messages, and its values by column; missing ones are empty.
    """

    delimiter: str
    names: tuple[str, ...]
    rows: Iterator[tuple[str, dict[str, str]]]


def read_table(path: Path, text: str) -> Table:
    """Read the header of a table; its rows are read lazily.

    Args:
        path: path of the file, for messages.
        text: its content.

    Raises:
        LiveSerError: two columns have the same name; or, possibly while iterating over the rows, a
            quote is not closed in its line.
    """
    lines = io.StringIO(text, newline="")
    first = lines.readline()
    delimiter = max(",;\t", key=first.count)
    names = [name.strip().lower() for name in _row(first, delimiter, f"{path}, line 1")]
    for name in names:
        if name and names.count(name) > 1:
            raise LiveSerError(f"{path} has two columns {name}", "keep the one that is meant")

    def rows() -> Iterator[tuple[str, dict[str, str]]]:
        for number, line in enumerate(lines, start=2):
            where = f"{path}, line {number}"
            if row := _row(line, delimiter, where):
                values = dict(zip_longest(names, row[: len(names)], fillvalue=""))
                yield where, {name: value for name, value in values.items() if name}

    return Table(delimiter, tuple(filter(None, names)), rows())


def _row(line: str, delimiter: str, where: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter, strict=True), [])
    except csv.Error as error:
        raise LiveSerError(
            f"{where} is no row of a table: {error}",
            "close each quote in its line",
        ) from error


def checked_times(start: str | float, end: str | float, where: str) -> tuple[float, float]:
    """The start and end of an interval in seconds.

    Raises:
        LiveSerError: they are not numbers, or the end is not after the start.
    """
    try:
        times = float(start) + 0.0, float(end)  # -0.0 is 0
    except ValueError:
        times = (0.0, 0.0)
    if not 0 <= times[0] < times[1] <= LATEST:
        raise LiveSerError(
            f"{where}: from {start!s:.40} to {end!s:.40} s is no interval",
            "give start and end in seconds, the end after the start",
        )
    return times


def textgrid_intervals(path: Path, text: str) -> Iterator[Marked]:
    """The intervals of all tiers of a TextGrid, in Praat's long or short format.

    Raises:
        LiveSerError: it is not a TextGrid, or is truncated.
    """
    broken = LiveSerError(f"{path} is no whole TextGrid", "save it in Praat as a text file")
    tokens = (found.group(1, 2, 3) for found in _TOKENS.finditer(text))

    def one(kind: int) -> str:
        token = next(tokens, None)
        if token is None or token[kind] is None:
            raise broken
        return token[kind]

    if (one(0), one(0)) != ("ooTextFile", "TextGrid"):
        raise broken

    def count() -> int:
        number = one(2)
        if not number.isdecimal():
            raise broken
        return int(number)

    one(2), one(2)
    tiers = count() if one(1) == "<exists>" else 0
    for _ in range(tiers):
        kind, name = one(0), one(0).replace('""', '"')
        one(2), one(2)
        for number in range(1, count() + 1):
            start = one(2)
            end = one(2) if kind == "IntervalTier" else start
            label = one(0).replace('""', '"').strip()
            if label and kind == "IntervalTier":
                where = f"{path}, tier {name}, interval {number}"
                yield Marked(*checked_times(start, end, where), label, name, "", where)


def _eaf_intervals(path: Path, text: str) -> Iterator[Marked]:
    """The alignable annotations of an ELAN file; the participant is the speaker."""
    broken = LiveSerError(f"{path} is no ELAN file", "save it in ELAN, as .eaf")
    if "<!DOCTYPE" in text or "<!ENTITY" in text:  # ELAN never writes them; XML bombs do
        raise broken
    try:
        document = ET.fromstring(text)  # noqa: S314 - without entities there is nothing to expand
    except (ET.ParseError, ValueError) as error:
        raise broken from error
    times = {
        slot.get("TIME_SLOT_ID"): slot.get("TIME_VALUE") for slot in document.iter("TIME_SLOT")
    }
    for tier in document.iter("TIER"):
        name = tier.get("PARTICIPANT") or tier.get("TIER_ID") or ""
        for annotation in tier.iter("ALIGNABLE_ANNOTATION"):
            start, end = (times.get(annotation.get(f"TIME_SLOT_REF{n}")) for n in (1, 2))
            where = f"{path}, tier {name}, annotation {annotation.get('ANNOTATION_ID')}"
            if start is None or end is None:
                raise LiveSerError(f"{where}: it has no times", "align it in ELAN")
            label = (annotation.findtext("ANNOTATION_VALUE") or "").strip()
            seconds = checked_times(_thousandth(start), _thousandth(end), where)
            yield Marked(*seconds, label, name, "", where)


def _thousandth(milliseconds: str) -> float | str:
    return int(milliseconds) / 1000 if milliseconds.isdecimal() else milliseconds


def _rttm_intervals(path: Path, text: str) -> Iterator[Marked]:
    """The turns of a diariser, in NIST's Rich Transcription Time Marked format."""
    for number, line in enumerate(text.splitlines(), start=1):
        fields = line.split()
        if not fields or fields[0].startswith(";") or fields[0] != "SPEAKER":
            continue
        where = f"{path}, line {number}"
        if len(fields) < 8:
            raise LiveSerError(
                f"{where}: a SPEAKER line has 10 fields, and this one {len(fields)}",
                "SPEAKER FILE CHANNEL START DURATION <NA> <NA> NAME <NA> <NA>",
            )
        try:
            end: float | str = round(float(fields[3]) + float(fields[4]), 6)
        except ValueError:
            end = f"{fields[3]} + {fields[4]}"
        times = checked_times(fields[3], end, where)
        yield Marked(*times, fields[7], fields[7], fields[1], where)


def _table_intervals(path: Path, text: str) -> Iterator[Marked]:
    """The rows of a table with the columns start, end and, optionally, speaker and file."""
    table = read_table(path, text)
    if not {"start", "end"} <= set(table.names):
        raise LiveSerError(
            f"{path} does not begin with the columns start,end or start,end,speaker",
            "write them in its first line, and times in seconds under them",
        )
    for where, row in table.rows:
        values = {name: value.strip() for name, value in row.items()}
        start, end = values["start"], values["end"]
        if table.delimiter == ";":
            start, end = start.replace(",", "."), end.replace(",", ".")
        speaker, file = values.get("speaker", ""), values.get("file", "")
        yield Marked(*checked_times(start, end, where), speaker, speaker, file, where)


_READERS: dict[str, Callable[[Path, str], Iterator[Marked]]] = {
    ".textgrid": textgrid_intervals,
    ".eaf": _eaf_intervals,
    ".rttm": _rttm_intervals,
    ".csv": _table_intervals,
    ".tsv": _table_intervals,
}
ENDINGS = (".TextGrid", ".eaf", ".rttm", ".csv", ".tsv")
