"""The output formats of records, and their file extensions."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal, get_args

from live_ser.errors import InvalidArgument

Style = Literal[
    "table", "jsonl", "csv", "tsv", "parquet", "vtt", "srt", "textgrid", "eaf", "audacity", "bids"
]
STANDARD_OUTPUT = "-"  # as the name of an output
STYLES: tuple[Style, ...] = get_args(Style)
# Formats of which a file contains one recording.
ANNOTATIONS: tuple[Style, ...] = ("vtt", "srt", "textgrid", "eaf", "audacity", "bids")
GROWING: tuple[Style, ...] = ("table", "jsonl", "csv", "tsv")  # usable before they are complete
SHEETS: tuple[Style, ...] = ("csv", "tsv")  # for spreadsheets
ENDINGS: dict[Style, str] = {
    "table": ".txt",
    "jsonl": ".jsonl",
    "csv": ".csv",
    "tsv": ".tsv",
    "parquet": ".parquet",
    "vtt": ".vtt",
    "srt": ".srt",
    "textgrid": ".TextGrid",
    "eaf": ".eaf",
    "audacity": ".txt",
    "bids": "_events.tsv",
}
_STYLES: dict[str, Style] = {
    "_events.tsv": "bids",  # before .tsv, which also matches
    **{ending.lower(): style for style, ending in ENDINGS.items() if style != "audacity"},
    ".json": "jsonl",
}


def style_of(wanted: Style | None, path: str | None, usual: Style) -> Style:
    """The format of an output: as requested, by its extension, or the default.

    Args:
        wanted: the requested format, if any.
        path: path of the output; None for standard output.
        usual: the default, for folders and names without an extension.

    Raises:
        InvalidArgument: the extension belongs to no format.
    """
    if wanted or path is None or is_folder(path):
        return wanted or usual
    for ending, style in _STYLES.items():
        if path.lower().endswith(ending):
            return style
    if ending := Path(path).suffix:
        known = ", ".join(dict.fromkeys(ENDINGS.values()))
        raise InvalidArgument(
            f"{path}: {ending} is no ending of a format that can be written",
            f"one of {known}; or say which: `format`",
        )
    return usual


def is_folder(path: str) -> bool:
    """Whether an output is a folder: an existing one, or a name with a slash at its end."""
    return path.endswith(("/", os.sep)) or Path(path).is_dir()


def sidecar_of(path: Path, style: Style) -> Path | None:
    """The file beside an output that describes it; None if the format has none."""
    return path.with_suffix(".json") if style == "bids" else None
