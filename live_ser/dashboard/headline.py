"""The headline: a word in the largest letters that fit, with captions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from rich.cells import cell_len, set_cell_size
from rich.style import Style

from live_ser.dashboard.lettering import giant, huge, large
from live_ser.dashboard.lines import Line, Look, blank, row
from live_ser.palette import Colour

Tone = Literal["loud", "dim", "faint", "quiet"]

# Height of the letters in rows, cells that a word may take, and the function that draws it.
_LETTERS = ((10, 144, giant), (5, 74, huge), (3, 39, large))
_CAPTIONS = 32  # cells for the captions beside it


@dataclass(frozen=True)
class Words:
    """The text of the headline.

    Attributes:
        word: the large word: an emotion or a state.
        captions: lines beside it; the first one is bold.
        colour: colour of the word; None for none.
        tone: ``loud``; ``dim`` and ``faint`` for earlier speech; ``quiet`` for small letters.
    """

    word: str
    captions: tuple[str, ...]
    colour: Colour | None = None
    tone: Tone = "loud"


@lru_cache(maxsize=32)
def headline(words: Words, *, width: int, height: int, look: Look) -> tuple[Line, ...]:
    """The headline as lines.

    Args:
        words: the text.
        width: cells.
        height: lines.
        look: capabilities of the terminal.
    """
    size, room = next(
        ((rows, cells) for rows, cells, _ in _LETTERS if _is_room(rows, cells, width, height)),
        (1, max(0, width - 4)),
    )
    letters = _lettered(words, size, room, look)
    captions = [look.text(caption) for caption in words.captions if caption]
    if size == 1 and height > 1:
        return _stacked(letters[0], captions, words, width=width, height=height, look=look)
    at = room + 4 if size > 1 else min(width, cell_len(letters[0]) + 5)
    places = _caption_rows(captions, height)
    top = max(0, (min(height, max(size, 3)) - len(letters)) // 2)
    lines = []
    for i in range(height):
        letter = letters[i - top] if 0 <= i - top < len(letters) else ""
        is_first = bool(places) and i == min(places)
        lines.append(
            row(
                width,
                ("  ", ""),
                (set_cell_size(letter, max(0, at - 2)), _style(words, look)),
                (places.get(i, ""), _weight(words, is_first=is_first)),
            )
        )
    return tuple(lines)


def _stacked(
    word: str, captions: list[str], words: Words, *, width: int, height: int, look: Look
) -> tuple[Line, ...]:
    """The captions below the word, for narrow terminals."""
    lines = [row(width, ("  ", ""), (word, _style(words, look)))]
    for i, caption in enumerate(captions[: height - 1]):
        lines.append(row(width, ("   ", ""), (caption, _weight(words, is_first=i == 0))))
    return tuple(lines + [blank(width)] * (height - len(lines)))


def _weight(words: Words, *, is_first: bool) -> str:
    """The style of a caption."""
    if not is_first:
        return "dim"
    return "bold" if words.tone == "loud" else ""


def _is_room(rows: int, cells: int, width: int, height: int) -> bool:
    return rows <= height and cells + 4 + _CAPTIONS <= width


def _lettered(words: Words, size: int, room: int, look: Look) -> tuple[str, ...]:
    """The word in the largest letters that fit; in ASCII, spaced capitals."""
    if words.tone == "quiet":
        return (f" {look.text(words.word)}",)
    if look.unicode:
        for rows, _, make in _LETTERS:
            if rows <= size and (lines := make(words.word, room)) is not None:
                return lines
    capitals = look.text(words.word).upper()
    spaced = " ".join(capitals)
    return (spaced if cell_len(spaced) <= room else capitals,)


def _style(words: Words, look: Look) -> Style:
    if words.tone == "quiet":
        return Style.parse("dim")
    weight = {"loud": "bold", "dim": "dim", "faint": "dim"}[words.tone]
    if words.colour is None or words.tone == "faint":
        return Style.parse(weight)
    return look.style(words.colour, weight)


def _caption_rows(captions: list[str], height: int) -> dict[int, str]:
    """The row of each caption: centred, with empty lines between them if they fit."""
    captions = captions[:height]
    step = 2 if len(captions) * 2 + 1 <= height else 1
    used = (len(captions) - 1) * step + 1
    top = max(0, (height - used) // 2) if height > 4 else 0
    return {top + i * step: caption for i, caption in enumerate(captions)}
