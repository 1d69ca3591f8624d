"""The report on what a speaker taught."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Report:
    """What teaching is worth, by takes that were each left out of what classified it.

    Attributes:
        takes: that were taught, by emotion.
        tested: takes of emotions of which there are two at least.
        right: of them told right.
        untaught: of them told right without the correction.
        uar: mean recall of the emotions tested, 0 to 1; None where none was.
        untaught_uar: the same without the correction.
        confused: pairs of emotions, acted and predicted, and how often; most frequent first.
        helps: whether the correction is used: unless it tells fewer right than the model itself.
        another_round: whether more takes are likely to pay.
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
