"""The output files of commands."""

from __future__ import annotations

from collections.abc import Sequence

from live_ser.cli.errors import UsageError
from live_ser.records.formats import ANNOTATIONS, ENDINGS, Style
from live_ser.records.places import Places


def record_places(output: str | None, paths: Sequence[str], style: Style) -> Places | None:
    """The file of each recording's records; None for standard output.

    Raises:
        LiveSerError: several recordings would share an output that can contain one.
    """
    one_each = style in ANNOTATIONS
    if output is not None:
        return Places(output, ENDINGS[style], paths, one_each=one_each)
    if one_each and len(paths) > 1:
        raise UsageError(
            f"{style} is for one recording, and there are several",
            "name a folder, with a slash at its end, for a file of each: -o FOLDER/",
        )
    return None


def session_places(output: str | None, source: str, style: Style, *, force: bool) -> Places | None:
    """The file of a session's records; None for standard output."""
    if output is None:
        return None
    return Places(output, ENDINGS[style], [source], anew=not force)


def plot_places(plot: str | None, paths: Sequence[str]) -> Places | None:
    """The file of each recording's plot; None for no plots.

    Raises:
        LiveSerError: the sound comes through a pipe, or several recordings would share a file.
    """
    if plot is None:
        return None
    from live_ser.audio.sources import is_pipe
    from live_ser.report.plot import picture_places

    if any(map(is_pipe, paths)):
        raise UsageError("sound from a pipe cannot be drawn", "copy it into a file")
    return picture_places(plot, paths)
