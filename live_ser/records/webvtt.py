"""WebVTT: an annotation as subtitles of a video or a player."""

from __future__ import annotations

import html

from live_ser.records.annotation import Annotation, cues
from live_ser.text import printable


def webvtt(annotation: Annotation) -> str:
    """The text of a ``.vtt`` file (W3C WebVTT)."""
    blocks = [f"WEBVTT {_escaped(printable(annotation.source))}".rstrip()]
    for start, end, text in cues(annotation):
        blocks.append(f"{_clock(start)} --> {_clock(end)}\n{_escaped(text)}")
    return "\n\n".join(blocks) + "\n"


def _escaped(text: str) -> str:
    """Text without tags, entities and arrows."""
    return html.escape(text, quote=False)


def _clock(milliseconds: int) -> str:
    """Hours of at least two digits, minutes, seconds and milliseconds."""
    seconds, milliseconds = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{milliseconds:03}"
