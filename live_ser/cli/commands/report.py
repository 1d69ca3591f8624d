"""``live-ser report``: make an HTML page of a session or recording."""

from __future__ import annotations

import glob
from dataclasses import dataclass
from pathlib import Path

from live_ser.cli.errors import UsageError
from live_ser.cli.messages import say, say_notes
from live_ser.cli.options import CommonOptions, SoundOptions
from live_ser.errors import LiveSerError
from live_ser.records.formats import STANDARD_OUTPUT
from live_ser.report.page import write_report
from live_ser.report.sessions import write_sessions

_OF_ONE = ("recording", "audio", "model")  # options that several records cannot have


@dataclass(frozen=True)
class Options(CommonOptions, SoundOptions):
    """The options of ``live-ser report``."""

    records: list[str]
    title: str | None
    recording: str | None
    audio: str | None
    model: str | None
    output: str | None
    force: bool


def run(options: Options) -> int:
    """Write the page, beside the records unless another place is named."""
    records = [path for word in options.records for path in _fitting(word)]
    first, *others = records
    for path in records:
        if Path(path).is_dir():
            raise LiveSerError(f"{path} is a folder", f"name the records in it: {path}/*.jsonl")
    if others:
        output = options.output or Path(first).with_name("sessions.html")
        _write_several(options, records, output)
    else:
        output = options.output or Path(first).with_suffix(".html")
        _write_one(options, first, output)
    if not options.quiet and output != STANDARD_OUTPUT:
        say(f"wrote {output}")
    return 0


def _write_one(options: Options, record: str, output: str | Path) -> None:
    notes = write_report(
        record,
        output,
        recording=options.recording,
        audio=options.audio,
        model=options.model,
        title=options.title,
        force=options.force,
        reading=options.reading(),
    )
    say_notes(notes, quiet=options.quiet)


def _fitting(word: str) -> list[str]:
    """The files that a pattern fits, for shells that leave it as it is."""
    return (sorted(glob.glob(word)) if glob.has_magic(word) else []) or [word]


def _write_several(options: Options, records: list[str], output: str | Path) -> None:
    for name in _OF_ONE:
        if getattr(options, name) is not None:
            raise UsageError(f"--{name} is of one session", "give one record, or leave it out")
    notes = write_sessions(records, output, title=options.title, force=options.force)
    say_notes(notes, quiet=options.quiet)
