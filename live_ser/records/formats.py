"""The formats in which records are written, and the endings of file names that stand for them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal, get_args

from live_ser.errors import InvalidArgument

Style = Literal[
    "table", "jsonl", "csv", "tsv", "parquet", "vtt", "srt", "textgrid", "eaf", "audacity", "bids"
]
STANDARD_OUTPUT = "-"  # stands for it where an output is named
STYLES: tuple[Style, ...] = get_args(Style)
# Each file of these holds one recording.
ANNOTATIONS: tuple[Style, ...] = ("vtt", "srt", "textgrid", "eaf", "audacity", "bids")
GROWING: tuple[Style, ...] = ("table", "jsonl", "csv", "tsv")  # of use before they are whole
SHEETS: tuple[Style, ...] = ("csv", "tsv")  # that spreadsheets open
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
    "_events.tsv": "bids",  # before .tsv, with which it ends, too
    **{ending.lower(): style for style, ending in ENDINGS.items() if style != "audacity"},
    ".json": "jsonl",
}


def style_of(wanted: Style | None, path: str | None, usual: Style) -> Style:
    """How records are written: as asked for, as the file's name says, or as is usual.

    Args:
        wanted: what was asked for, if anything was.
        path: of the output; None for standard output.
        usual: where neither says it, as with a folder or a name without an ending.

    Raises:
        InvalidArgument: the name has an ending that stands for no format.
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
    """Whether an output is a folder, there already or said to be one by a slash at its end."""
    return path.endswith(("/", os.sep)) or Path(path).is_dir()


def sidecar_of(path: Path, style: Style) -> Path | None:
    """The file that is written beside an output, to say what is in it; None where there is none."""
    return path.with_suffix(".json") if style == "bids" else None
