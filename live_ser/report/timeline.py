"""The data of a session for the script of its page."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from live_ser.palette import colours
from live_ser.report.embedded_sound import Waveform
from live_ser.report.session_log import SessionLog
from live_ser.report.window_columns import STATES
from live_ser.text import printable

_DRAWN = 20_000  # windows on a page before they are merged: nearly three hours at two a second


def timeline_data(logs: Sequence[SessionLog], waveform: Waveform | None) -> dict[str, Any]:
    """The data for the script.

    Args:
        logs: the log of each voice.
        waveform: the waveform, for a single voice.
    """
    log = logs[0]
    return {
        "labels": [printable(label) for label in log.labels],
        "colours": [colour.hex for colour in colours(log.labels)],
        "seconds": log.seconds,
        "marks": log.marks,
        "gaps": [{**gap, "reason": printable(gap["reason"])} for gap in log.gaps],
        "windows": [*_drawn(log)],
        "others": [{"windows": [*_drawn(other)]} for other in logs[1:]],
        "waveform": None if waveform is None else waveform.to_dict(),
    }


def _drawn(log: SessionLog) -> Iterator[dict[str, Any]]:
    """The windows for the page, merged if there are very many."""
    many = windows_together(log)
    windows = log.windows.joined(many) if many > 1 else log.windows
    names = [*map(printable, log.labels), None]
    columns = {
        "since": windows.since.round(3).tolist(),
        "end": windows.end.round(3).tolist(),
        "state": [STATES[state] for state in windows.state],
        "label": [names[label] for label in windows.label],
        "confidence": map(_number, windows.confidence.round(6).tolist()),
        "probabilities": map(_numbers, windows.probabilities.tolist()),
        "activation": map(_number, windows.activation.round(6).tolist()),
        "speech": windows.speech.round(4).tolist(),
        "level_db": map(_number, windows.level_db.round(1).tolist()),
        "valence": map(_number, windows.valence.round(6).tolist()),
    }
    for name, column in windows.prosody.items():
        columns[name] = map(_number, column.astype(np.float64).round(2).tolist())
    if windows.sounded is not None:
        columns["sounded"] = windows.sounded.tolist()
    for row in zip(*columns.values(), strict=True):
        yield dict(zip(columns, row, strict=True))


def _numbers(row: list[float]) -> list[float] | None:
    return None if not row or math.isnan(row[0]) else [round(share, 4) for share in row]


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value


def windows_together(log: SessionLog) -> int:
    """How many windows are merged into one on the page."""
    return math.ceil(len(log.windows) / _DRAWN)
