"""``live-ser report``: a page of a session or recording, made of its records."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from live_ser.cli.messages import say
from live_ser.cli.options import CommonOptions, SoundOptions
from live_ser.errors import LiveSerError
from live_ser.records.formats import STANDARD_OUTPUT
from live_ser.report.page import write_report


@dataclass(frozen=True)
class Options(CommonOptions, SoundOptions):
    """The options of ``live-ser report``."""

    session: str
    recording: str | None
    audio: str | None
    model: str | None
    output: str | None
    force: bool


def run(options: Options) -> int:
    """Write the page, beside the records unless another place is named."""
    if Path(options.session).is_dir():
        raise LiveSerError(f"{options.session} is a folder", "name the record in it")
    output = options.output or Path(options.session).with_suffix(".html")
    write_report(
        options.session,
        output,
        recording=options.recording,
        audio=options.audio,
        model=options.model,
        force=options.force,
        reading=options.reading(),
    )
    if not options.quiet and output != STANDARD_OUTPUT:
        say(f"wrote {output}")
    return 0
