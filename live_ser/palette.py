"""The emotions' colours.

The seven were searched for: on black and on white each has a contrast that a bar needs, and under
normal, protanopic, deuteranopic and tritanopic sight (Machado 2009) no two come closer than 0.13 in
OKLab. They still never stand alone: a word, a letter or a place always says the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Colour:
    """One colour, for terminals of many colours and of 16.

    Attributes:
        hex: ``#rrggbb``.
        ansi: name of the nearest of the terminal's own 16 colours that no other emotion has.
    """

    hex: str
    ansi: str


# Of a dashboard: as many colours as the terminal has; the 16 that its theme names; none.
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
    """A colour for each label: its own, or one that is still free."""
    free = [colour for name, colour in _EMOTIONS.items() if name not in labels]
    pool = iter((*_SPARE, *free))
    return tuple(_EMOTIONS.get(label) or next(pool, _SPARE[0]) for label in labels)
