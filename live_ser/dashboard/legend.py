"""The legend, shown by ``?``: everything on the dashboard in a line or two."""

from __future__ import annotations

import textwrap
from functools import lru_cache

from live_ser.dashboard.lines import Line, Look, blank, row

_KEYS = (
    ("q", "quit; so does Ctrl-C"),
    ("space", "pause, and go on"),
    ("m", "mark this moment in the record"),
    (
        "1 to 7",
        "label the last utterance as the first, second, ... bar; u undoes it",
    ),
    ("s, t", "show or hide the spectrogram, telemetry"),
    ("?", "this legend, page by page; Esc closes it"),
)
_TERMS = (
    ("large word", "how the voice sounds; dimmed, with its age, after speech; gone after 10 s"),
    ("A or B", "two emotions that are nearly level"),
    ("uncertain", "speech, but the model can't tell"),
    ("listening", "not enough speech yet"),
    ("silence", "nobody is speaking"),
    ("{mark}", "the bar of the large word"),
    (
        "bars",
        "probability of each, smoothed over time; {stale} of earlier speech, {unsure} uncertain",
    ),
    ("{tick}", "on a bar: the newest window alone; on the level: its peak"),
    ("activation", "how aroused the voice sounds, from calm to aroused"),
    ("valence", "how pleasant the voice sounds, from unpleasant to pleasant"),
    ("voice", "pitch, loudness and rate, and how they differ from your usual, once known"),
    ("last 60 s", "what was heard: empty in silence, {waiting} listening, {doubt} uncertain"),
    ("spectrum", "mel spectrogram, high pitches at the top"),
    ("level", "loudness of the input; CLIP: turn the input gain down"),
    ("learning", "your voice is not known yet; --profile NAME remembers it for next time"),
    ("baseline", "seconds of your earlier speech that windows are compared with"),
    ("REC", "the sound is being recorded; time since the start"),
    ("{alert}", "needs attention"),
)
_TELEMETRY = (
    ("evidence", "seconds of speech behind the prediction"),
    ("compute", "from the newest sound to the prediction, median; p95: 95 of 100"),
    ("CPU", "share of one core that live-ser uses"),
    ("overflows", "times that the device lost sound"),
    ("skipped", "windows left out because the machine fell behind"),
)
_SIGNS = {
    "mark": ("▸", ">"),
    "stale": ("░", "."),
    "unsure": ("▒", "="),
    "tick": ("│", "|"),
    "waiting": ("·", "."),
    "doubt": ("░", "~"),
    "alert": ("▲", "!"),
}
_LAST = ("How a voice sounds, not what a person feels.", "No sound leaves this process.")
_TERM = 14  # cells of the column of terms
_WIDEST = 92  # cells of a line, at most


def page_count(width: int, rows: int, look: Look) -> int:
    """The number of pages of the legend."""
    return len(_pages(width, rows, look))


def legend(number: int, width: int, rows: int, look: Look) -> list[Line]:
    """One page of the legend.

    Args:
        number: number of the page, from 1; the last one if there are fewer.
        width: cells.
        rows: lines.
        look: capabilities of the terminal.
    """
    pages = _pages(width, rows, look)
    lines = pages[min(number, len(pages)) - 1]
    return [*lines, *[blank(width)] * (rows - len(lines))]


@lru_cache(maxsize=4)
def _pages(width: int, rows: int, look: Look) -> list[list[Line]]:
    """The pages; none ends with a heading."""
    signs = {name: look.pick(*sign) for name, sign in _SIGNS.items()}
    sections = [("keys", _KEYS), ("what is shown", _TERMS), ("telemetry", _TELEMETRY)]
    blocks = [
        [*([[_heading(title, width)]] if rows > 4 else []), *_entries(entries, signs, width, look)]
        for title, entries in sections
    ]
    blocks.append([[_text(line, width, look)] for line in _LAST])
    room = max(1, rows - 1)  # under an empty line
    pages: list[list[Line]] = [[]]
    for block in blocks:
        if pages[-1] and len(pages[-1]) + 1 + sum(map(len, block[:2])) <= room:
            pages[-1].append(blank(width))
        elif pages[-1]:
            pages.append([])
        for entry in block:
            if pages[-1] and len(pages[-1]) + len(entry) > room:
                pages.append([])
            pages[-1] += entry[:room]
    return [[blank(width), *lines][:rows] if rows > 1 else lines[:rows] for lines in pages]


def _entries(
    entries: tuple[tuple[str, str], ...], signs: dict[str, str], width: int, look: Look
) -> list[list[Line]]:
    """The lines of each entry."""
    found = []
    for term, meaning in entries:
        room = max(8, min(width, _WIDEST) - _TERM - 1)
        wrapped = textwrap.wrap(look.text(meaning.format(**signs)), room)
        name = f"   {term.format(**signs)}"
        heads = [name, *[""] * (len(wrapped) - 1)]
        found.append(
            [
                row(width, (f"{head:<{_TERM}} ", "bold"), (line, ""))
                for head, line in zip(heads, wrapped, strict=True)
            ]
        )
    return found


def _heading(title: str, width: int) -> Line:
    return row(width, ("   ", ""), (title, "underline"))


def _text(line: str, width: int, look: Look) -> Line:
    return row(width, ("   ", ""), (look.text(line), "dim"))
