"""The layout: which sections fit on a terminal, and their rows."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

WIDE = 118  # columns from which the last minute is beside the bars
LETTER_ROWS = (10, 5, 3)  # heights of the large word
_GIANT = 190  # columns needed for ten rows

Plan = tuple[tuple[str, int], ...]

# From top to bottom. A gap is named after the section below it.
_NARROW = (
    *("header", "gap verdict", "verdict", "gap bars", "bars", "activation", "valence"),
    *("prosody", "gap strip", "strip", "axis", "gap spectrogram", "spectrogram", "gap level"),
    *("level", "facts", "gap footer", "footer"),
)
_WIDE = (
    *("header", "gap verdict", "verdict", "gap bars", "heads", "bars", "activation", "valence"),
    *("axis", "prosody", "gap spectrogram", "spectrogram", "gap level"),
    *("level", "facts", "gap footer", "footer"),
)


LANE_ROWS = 3  # of a lane, at least
NOT_IN_LANES = frozenset({"spectrogram", "facts", "footer"})  # shared by all lanes, or absent


@lru_cache(maxsize=16)
def plan(
    labels: int,
    width: int,
    height: int,
    absent: frozenset[str] = frozenset(),
    *,
    is_lane: bool = False,
) -> Plan:
    """The sections that fit, from top to bottom, with their rows.

    Args:
        labels: number of emotions.
        width: columns.
        height: rows; unused rows remain empty at the bottom.
        absent: sections to leave out.
        is_lane: whether this is the lane of one of several voices.
    """
    wide = width >= WIDE
    rows = {name: 0 for name in (_WIDE if wide else _NARROW) if _wanted(name, absent)}
    left = height
    goals = _goals(labels, giant=width >= _GIANT)
    for name, goal in (*_LANE_GOALS, *goals) if is_lane else goals:
        more = goal - rows.get(name, goal)
        if 0 < more <= left:
            rows[name] = goal
            left -= more
    gaps = [name for name, count in rows.items() if count and name.startswith("gap")]
    for i in range(left if gaps else 0):
        rows[gaps[i % len(gaps)]] += 1
    return tuple((name, count) for name, count in rows.items() if count)


# Order of sections in a lane: title, headline and last minute first.
_LANE_GOALS = (
    *(("header", 1), ("verdict", 1), ("strip", 1), ("bars", 1), ("level", 1), ("bars", 2)),
    *(("verdict", 3), ("bars", 3), ("axis", 1)),
)


def _wanted(name: str, absent: frozenset[str]) -> bool:
    return name not in absent and name.removeprefix("gap ") not in absent


def _goals(labels: int, *, giant: bool) -> Sequence[tuple[str, int]]:
    """Rows for sections, in order of importance."""
    gaps = ("gap verdict", "gap strip", "gap spectrogram", "gap bars", "gap level", "gap footer")
    goals = [("verdict", 1), ("bars", 1), ("level", 1), ("footer", 1), ("header", 1)]
    goals += [("bars", 2), ("bars", 3), ("bars", min(labels, 4)), ("verdict", 3), ("facts", 1)]
    goals += [("bars", count) for count in range(5, labels + 1)]
    goals += [("strip", 1), ("heads", 1), ("activation", 1), ("axis", 1), ("spectrogram", 4)]
    goals += [("valence", 1), ("prosody", 1), ("gap verdict", 1), ("verdict", 4)]
    goals += [*((gap, 1) for gap in gaps), ("verdict", 5), ("spectrogram", 7), ("strip", 2)]
    goals += [("spectrogram", 10), ("bars", 2 * labels), ("strip", 3), ("spectrogram", 12)]
    goals += [("verdict", LETTER_ROWS[0])] if giant else []
    goals += [("bars", 3 * labels)]
    goals += [("spectrogram", count) for count in range(13, 33)]
    return [*goals, *(("bars", count * labels) for count in (4, 5, 6))]
