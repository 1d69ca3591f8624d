"""WebVTT: an annotation as subtitles of a video or a player."""

from __future__ import annotations

import html

from live_ser.annotation import Annotation, in_a_line
from live_ser.printable import printable

_MARK_SECONDS = 1.0  # that the cue of a marked moment is shown


def webvtt(annotation: Annotation) -> str:
    """The text of a ``.vtt`` file (W3C WebVTT)."""
    cues = [(s.start, s.end, in_a_line(s)) for s in annotation.stretches]
    cues += [(mark, mark + _MARK_SECONDS, "marked") for mark in annotation.marks]
    blocks = [f"WEBVTT {_escaped(printable(annotation.source))}".rstrip()]
    for start, end, text in sorted(cues):
        if _clock(start) < _clock(end):  # a cue without length is an error
            blocks.append(f"{_clock(start)} --> {_clock(end)}\n{_escaped(text)}")
    return "\n\n".join(blocks) + "\n"


def _escaped(text: str) -> str:
    """Text without tags, entities and arrows."""
    return html.escape(text, quote=False)


def _clock(seconds: float) -> str:
    """Hours of at least two digits, minutes, seconds and milliseconds."""
    whole, milliseconds = divmod(round(1000 * seconds), 1000)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}.{milliseconds:03}"
