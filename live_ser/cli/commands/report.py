"""``live-ser report``: a page of a session or recording, made of its records."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from live_ser.cli.messages import say
from live_ser.cli.recordings import reading_asked_for
from live_ser.errors import LiveSerError
from live_ser.records.formats import STANDARD_OUTPUT
from live_ser.report.page import write_report


def run(arguments: Namespace) -> int:
    """Write the page, beside the records unless another place is named."""
    if Path(arguments.session).is_dir():
        raise LiveSerError(f"{arguments.session} is a folder", "name the record in it")
    output = arguments.output or Path(arguments.session).with_suffix(".html")
    write_report(
        arguments.session,
        output,
        recording=arguments.recording,
        audio=arguments.audio,
        model=arguments.model,
        force=arguments.force,
        reading=reading_asked_for(arguments),
    )
    if not arguments.quiet and output != STANDARD_OUTPUT:
        say(f"wrote {output}")
    return 0
