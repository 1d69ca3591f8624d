"""The report on teaching."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Doubt:
    """A take whose label contradicts the other takes.

    Attributes:
        take: its index in the takes of the teaching.
        emotion: its label.
        sounds_like: the emotion that it is classified as when it is left out.
    """

    take: int
    emotion: str
    sounds_like: str


@dataclass(frozen=True)
class Report:
    """An evaluation of teaching, by leave-one-out.

    Attributes:
        takes: number of takes of each emotion.
        tested: number of takes of emotions with at least two.
        right: number of these that are classified correctly.
        untaught: number of these that are classified correctly without teaching.
        uar: unweighted average recall of the tested emotions, 0 to 1; None if none was tested.
        untaught_uar: the same without teaching.
        confused: label, prediction and number of each confusion; most frequent first.
        helps: whether the teaching is used: unless it is worse than the model alone.
        another_round: whether more takes are likely to help.
        doubtful: takes that are more likely mislabelled than not; the most doubtful first.
    """

    takes: dict[str, int]
    tested: int
    right: int
    untaught: int
    uar: float | None
    untaught_uar: float | None
    confused: tuple[tuple[str, str, int], ...]
    helps: bool
    another_round: bool
    doubtful: tuple[Doubt, ...] = ()
