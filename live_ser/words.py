"""Judgements and times in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_STATES = {"silence": "silence", "listening": "too little speech", "uncertain": "uncertain"}


def in_words(judged: Mapping[str, Any]) -> str:
    """The judgement of a window, segment, clip or stretch, such as ``happy 81 %``."""
    if judged["label"] is None:
        return _STATES[judged["state"]]
    guess = f"{judged['label']} {100 * judged['confidence']:.0f} %"
    return f"uncertain, perhaps {guess}" if judged["state"] == "uncertain" else guess


def clock(seconds: float) -> str:
    """Hours, minutes and seconds, 0:07:09."""
    whole = int(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"
