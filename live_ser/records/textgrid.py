"""Praat's TextGrid: an annotation as tiers of intervals."""

from __future__ import annotations

from collections.abc import Iterable

from live_ser.records.annotation import Annotation
from live_ser.text import printable

_Interval = tuple[float, float, str]


def textgrid(annotation: Annotation) -> str:
    """The text of a ``.TextGrid`` file, in Praat's long format.

    Its tiers are ``emotion`` (with a question mark if uncertain), ``activation`` and, if there are
    any, ``valence``, ``labels`` of the user and ``marks``. With several voices, each has tiers of
    its own, such as ``agent emotion``.
    """
    end = max(annotation.duration, 0.001)  # Praat does not allow empty tiers
    tiers = []
    for voice, intervals in annotation.tracks():
        texts = {
            "emotion": [_emotion(one.label, one.state) for one in intervals],
            "activation": [_two_digits(one.activation) for one in intervals],
        }
        if annotation.has_valence:
            texts["valence"] = [_two_digits(one.valence) for one in intervals]
        for name, column in texts.items():
            rows = [(s.start, s.end, text) for s, text in zip(intervals, column, strict=True)]
            tiers.append(_intervals(f"{voice} {name}".strip(), _gapless(rows, end), end))
    if annotation.labels:
        tiers.append(_intervals("labels", _gapless(annotation.labels, end), end))
    if annotation.marks:
        tiers.append(_points("marks", annotation.marks, end))
    lines = [
        'File type = "ooTextFile"',
        'Object class = "TextGrid"',
        "",
        "xmin = 0",
        f"xmax = {_number(end)}",
        "tiers? <exists>",
        f"size = {len(tiers)}",
        "item []:",
    ]
    for number, tier in enumerate(tiers, 1):
        lines += [f"    item [{number}]:", *(f"        {line}" for line in tier)]
    return "\n".join(lines) + "\n"


def _emotion(label: str | None, state: str) -> str:
    return f"{label or ''}?" if state == "uncertain" else label or ""


def _two_digits(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _gapless(intervals: Iterable[_Interval], end: float) -> list[_Interval]:
    """Intervals with empty ones between them, as tiers in Praat have no gaps."""
    filled: list[_Interval] = []
    until = 0.0
    for start, stop, text in intervals:
        if start > until:
            filled.append((until, start, ""))
        if stop > max(start, until):
            filled.append((max(start, until), stop, text))
            until = stop
    if until < end:
        filled.append((until, end, ""))
    return filled


def _intervals(name: str, intervals: list[_Interval], end: float) -> list[str]:
    lines = [*_head("IntervalTier", name, end), f"intervals: size = {len(intervals)}"]
    for number, (start, stop, text) in enumerate(intervals, 1):
        lines += [
            f"intervals [{number}]:",
            f"    xmin = {_number(start)}",
            f"    xmax = {_number(stop)}",
            f"    text = {_quoted(text)}",
        ]
    return lines


def _points(name: str, times: Iterable[float], end: float) -> list[str]:
    moments = sorted(set(times))  # Praat allows one point at a time
    lines = [*_head("TextTier", name, end), f"points: size = {len(moments)}"]
    for number, time in enumerate(moments, 1):
        lines += [f"points [{number}]:", f"    number = {_number(time)}", '    mark = "marked"']
    return lines


def _head(kind: str, name: str, end: float) -> list[str]:
    return [f'class = "{kind}"', f"name = {_quoted(name)}", "xmin = 0", f"xmax = {_number(end)}"]


def _quoted(text: str) -> str:
    return '"' + printable(text).replace('"', '""') + '"'


def _number(value: float) -> str:
    return f"{value:.6f}".rstrip("0").rstrip(".")
