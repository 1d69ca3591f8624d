"""Where a command writes: standard output, one file, or one for each recording."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from live_ser.cli.errors import UsageError
from live_ser.records.formats import ANNOTATIONS, ENDINGS, STANDARD_OUTPUT, Style
from live_ser.records.new_file import Mode
from live_ser.records.places import Places


def use_standard_output(arguments: Namespace, usual: Style) -> None:
    """Take ``-o -`` for what it means: nothing else is to stand there."""
    if arguments.output == STANDARD_OUTPUT:
        arguments.output, arguments.format = None, arguments.format or usual


def mode_asked_for(arguments: Namespace) -> Mode:
    """What becomes of records that are there: refused, replaced, or gone on with."""
    # Where nothing is there to go on with, it is begun as any other.
    if getattr(arguments, "resume", False) and Path(arguments.output).exists():
        return "append"
    return "overwrite" if arguments.force else "new"


def record_places(arguments: Namespace, paths: Sequence[str], style: Style) -> Places | None:
    """The file of each recording's records; None where they go to standard output.

    Raises:
        LiveSerError: one file or stream would be for several recordings, and holds one.
    """
    one_each = style in ANNOTATIONS
    if arguments.output is not None:
        return Places(arguments.output, ENDINGS[style], paths, one_each=one_each)
    if one_each and len(paths) > 1:
        raise UsageError(
            f"{style} is for one recording, and there are several",
            "name a folder, with a slash at its end, for a file of each: -o FOLDER/",
        )
    return None


def session_places(arguments: Namespace, source: str, style: Style) -> Places | None:
    """The file of a session's records; None where they go to standard output."""
    if arguments.output is None:
        return None
    return Places(arguments.output, ENDINGS[style], [source], anew=not arguments.force)


def picture_places(arguments: Namespace, paths: Sequence[str]) -> Places | None:
    """The picture of each recording; None where none is drawn.

    Raises:
        LiveSerError: the sound comes through a pipe, or one picture would be for several.
    """
    if arguments.plot is None:
        return None
    from live_ser.audio.sources import is_pipe
    from live_ser.report import plot

    if any(map(is_pipe, paths)):
        raise UsageError("sound from a pipe cannot be drawn", "copy it into a file")
    return plot.picture_places(arguments.plot, paths)
