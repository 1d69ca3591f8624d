"""The report on teaching, in words and as a record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from itertools import zip_longest
from typing import Any

from live_ser.model.teaching_report import Report
from live_ser.records.labelled import LabelledSound
from live_ser.text import counted, printable

_PAIRS = 3  # of confused emotions to list
_DOUBTS = 9  # doubtful takes that are named


def report_record(
    report: Report, profile: str, recordings: Sequence[LabelledSound | None] = (), *, new: int
) -> dict[str, Any]:
    """The record of a report.

    Args:
        report: the report.
        profile: name of the profile.
        recordings: recording of each doubtful take; None for takes of earlier sessions.
        new: number of takes that the profile did not have.
    """
    fields = asdict(report)
    fields["doubtful"] = [
        {
            "emotion": doubt.emotion,
            "sounds_like": doubt.sounds_like,
            "file": recording and str(recording.path),
            "start": recording and recording.start,
        }
        for doubt, recording in zip_longest(report.doubtful, recordings)
    ]
    fields["confused"] = [list(pair) for pair in report.confused]
    for name in ("uar", "untaught_uar"):
        fields[name] = None if fields[name] is None else round(fields[name], 4)
    return {"type": "teaching", "schema": 1, "profile": profile, "new": new, **fields}


def new_lines(new: int, read: int) -> list[str]:
    """A line about takes that the profile had already; none if all are new.

    Args:
        new: number of takes that it did not have.
        read: number of takes that were read.
    """
    known = read - new
    were = "was" if known == 1 else "were"
    return [f"{counted(new, 'new take')}, {known} {were} known"] if known else []


def doubt_lines(report: Report, recordings: Sequence[LabelledSound | None]) -> list[str]:
    """A line for each take of these recordings whose label is doubtful."""
    doubts = [
        f"{printable(str(one.path))}{f' from {one.start:g} s on' if one.start else ''} is labelled "
        f"{doubt.emotion} and sounds {doubt.sounds_like}"
        for doubt, one in zip(report.doubtful, recordings, strict=True)
        if one
    ]
    if len(doubts) > _DOUBTS:
        more = f"{len(doubts) - _DOUBTS} more: --format jsonl lists them"
        doubts = [*doubts[:_DOUBTS], more]
    return ["Are these labels right?", *(f"  {line}" for line in doubts)] if doubts else []


def report_lines(report: Report) -> list[str]:
    """The report in words, each line under 80 columns."""
    total = sum(report.takes.values())
    counts = ", ".join(f"{count} {emotion}" for emotion, count in report.takes.items())
    lines = [f"{counted(total, 'take')}: {counts}"]
    if len(report.takes) < 2:
        return [*lines, "Two emotions at least are needed to tell them apart: not used yet."]
    if not report.tested:
        return [*lines, "What it can do shows when there are two takes of an emotion."]
    lines.append(
        f"Each left out in turn, it tells {report.right} of {report.tested} "
        f"({report.untaught} without what you taught)."
    )
    if report.confused:
        pairs = report.confused[:_PAIRS]
        mixed = ", ".join(
            f"{target} for {predicted} ({count})" for target, predicted, count in pairs
        )
        lines.append(f"It still takes {mixed}.")
    if not report.helps:
        lines.append("Teaching does not help yet, so it is not used.")
    if report.another_round:
        lines.append("Another round is likely to help.")
    else:
        lines.append("Another round would add little.")
    return lines
