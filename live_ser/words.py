"""Judgements and times in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def in_words(judged: Mapping[str, Any]) -> str:
    """The judgement of a window or clip record, such as ``happy 81 %``."""
    if judged["label"] is None:
        return {"silence": "silence", "listening": "too little speech"}[judged["state"]]
    guess = f"{judged['label']} {100 * judged['confidence']:.0f} %"
    return f"uncertain, perhaps {guess}" if judged["state"] == "uncertain" else guess


def timeline(windows: Iterable[Mapping[str, Any]]) -> list[tuple[float, float, str]]:
    """Stretches of window records that sound alike: start and end in seconds, and what they are.

    Each window speaks for its newest hop, so that stretches follow one another.
    """
    stretches: list[tuple[float, float, str]] = []
    heard = 0.0
    for window in windows:
        said = window["label"] if window["state"] == "speech" else window["state"]
        if stretches and stretches[-1][2] == said:
            stretches[-1] = (stretches[-1][0], window["end"], said)
        else:
            stretches.append((heard, window["end"], said))
        heard = window["end"]
    return stretches


def clock(seconds: float) -> str:
    """Hours, minutes and seconds, 0:07:09."""
    whole = int(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"
