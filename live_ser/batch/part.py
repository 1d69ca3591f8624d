"""A part of the files of a cluster, which one worker classifies into one Parquet file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow.parquet

from live_ser.batch.analysis import Stamp
from live_ser.batch.jobs import Job, Outcome
from live_ser.batch.spool import Spool
from live_ser.batch.storage import fetched, publish
from live_ser.errors import LiveSerError
from live_ser.records.parquet import Parquet
from live_ser.records.turn_files import TurnFiles
from live_ser.text import unescaped

Intervals = TurnFiles | LiveSerError | None
"""The intervals of a file, or the error of reading them; None to classify its utterances."""


@dataclass(frozen=True)
class Part:
    """Files for one worker.

    Attributes:
        name: name of the Parquet file.
        sources: path or address of each file, and its intervals.
    """

    name: str
    sources: tuple[tuple[str, Intervals], ...]

    def split(self) -> list[Part]:
        """A part for each file."""
        stem = Path(self.name).stem
        return [
            Part(f"{stem}-{number:03}.parquet", (source,))
            for number, source in enumerate(self.sources)
        ]


@dataclass(frozen=True)
class PartOutcome:
    """The outcome for a part.

    Attributes:
        files: number of files.
        seconds: length of their sound.
        errors: the error of each file that failed.
        notes: warnings about the others, a line each.
    """

    files: int
    seconds: float
    errors: tuple[LiveSerError, ...]
    notes: tuple[str, ...] = ()


def classify_part(job: Job, part: Part, output: str) -> PartOutcome:
    """Classify the files of a part into a Parquet file.

    Args:
        job: the work on each file.
        part: the part.
        output: path or address of the folder of the Parquet file.

    Raises:
        LiveSerError: the output cannot be written.
    """
    local = job.folder / part.name
    outcomes: list[Outcome] = []
    with local.open("wb") as stream:
        writer = Parquet(stream, job.model.info.labels)
        for source, intervals in part.sources:
            outcome = _outcome(job, source, intervals)
            stamp = Stamp(source, job.settings)
            for record in outcome.records:
                writer.write(stamp.on(record))
            outcome.records.drop()
            outcomes.append(outcome)
        writer.close()
    publish(local, output, part.name)
    return PartOutcome(
        files=len(outcomes),
        seconds=sum(outcome.seconds for outcome in outcomes),
        errors=tuple(outcome.error for outcome in outcomes if outcome.error),
        notes=tuple(note for outcome in outcomes for note in outcome.notes),
    )


def _outcome(job: Job, source: str, intervals: Intervals) -> Outcome:
    """The outcome for a file, whose messages name the file rather than a copy of it."""
    try:
        if isinstance(intervals, LiveSerError):
            raise intervals
        job = replace(job, analysis=replace(job.analysis, at=intervals))
        with fetched(source, job.folder) as path:
            outcome = job(path, lambda share: None)
    except LiveSerError as error:
        return Outcome(source, 0.0, Spool(job.folder), error)
    failure = outcome.error
    return replace(
        outcome,
        error=failure and LiveSerError(failure.message.replace(path, source), failure.hint),
        notes=tuple(note.replace(path, source) for note in outcome.notes),
    )


def read_clips(stream: Any) -> list[dict[str, Any]]:
    """The clips in the Parquet file of a part.

    Args:
        stream: the file.

    Returns:
        ``source`` and ``judged_with`` of each clip; the latter is empty if the file lacks it.
    """
    with pyarrow.parquet.ParquetFile(stream) as file:
        names = {"file", "type", "judged_with"} & set(file.schema_arrow.names)
        rows = file.read(columns=sorted(names)).to_pylist()
    return [
        {"source": unescaped(row["file"]), "judged_with": unescaped(row.get("judged_with") or "")}
        for row in rows
        if row["type"] == "clip"
    ]
