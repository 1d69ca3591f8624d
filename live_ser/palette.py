"""The colours of the emotions.

The seven have enough contrast for bars on black and on white, and under normal, protanopic,
deuteranopic and tritanopic vision (Machado 2009) no two are closer than 0.13 in OKLab. Colour is
never the only cue: a word, a letter or a position always says the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Colour:
    """A colour, for terminals with many colours and with 16.

    Attributes:
        hex: ``#rrggbb``.
        ansi: name of one of the 16 terminal colours, distinct for each emotion.
    """

    hex: str
    ansi: str


# Of the dashboard: all colours of the terminal, the 16 of its theme, or none.
PALETTES = ("full", "terminal", "none")

_EMOTIONS = {
    "neutral": Colour("#949494", "bright_black"),
    "happy": Colour("#fd7311", "yellow"),
    "sad": Colour("#3176f6", "blue"),
    "angry": Colour("#ce0604", "red"),
    "fearful": Colour("#6a44a8", "magenta"),
    "disgust": Colour("#2b7165", "green"),
    "surprised": Colour("#4ca8f2", "cyan"),
}
_SPARE = (Colour("#b3a36b", "bright_yellow"), Colour("#c77ba6", "bright_magenta"))


def colours(labels: Sequence[str]) -> tuple[Colour, ...]:
    """A colour for each label: its own, or a free one."""
    free = [colour for name, colour in _EMOTIONS.items() if name not in labels]
    pool = iter((*_SPARE, *free))
    return tuple(_EMOTIONS.get(label) or next(pool, _SPARE[0]) for label in labels)
