"""SubRip: an annotation as subtitles."""

from __future__ import annotations

from live_ser.records.annotation import Annotation, cues

_NO_MARKUP = str.maketrans(
    {
        "<": "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}",
        ">": "\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}",
    }
)


def srt(annotation: Annotation) -> str:
    """The text of a ``.srt`` file; ``<`` and ``>`` are replaced, as there are no escapes."""
    blocks = [
        f"{number}\n{_clock(start)} --> {_clock(end)}\n{text.translate(_NO_MARKUP)}\n"
        for number, (start, end, text) in enumerate(cues(annotation), 1)
    ]
    return "\n".join(blocks)


def _clock(milliseconds: int) -> str:
    seconds, milliseconds = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02},{milliseconds:03}"
