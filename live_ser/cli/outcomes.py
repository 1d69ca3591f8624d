"""Writes the outcome of each recording: records, plots, errors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field

from live_ser.batch.jobs import Job, Outcome
from live_ser.cli.errors import say_failure
from live_ser.cli.messages import say, say_notes
from live_ser.errors import LiveSerError
from live_ser.records.outputs import name_is_refused
from live_ser.records.places import Places
from live_ser.records.record import Record, Writer
from live_ser.text import counted


@dataclass(frozen=True)
class OutcomeWriter:
    """Writes the records and the plot of each recording.

    Args:
        job: the job of the outcomes.
        writer: the writer of records.
        kinds: types of records to write.
        pictures: files of the plots; None for none.
        force: whether to overwrite existing plots.
        quiet: whether to print only errors.

    Attributes:
        counts: number of recordings that were ``written``, of these ``uncertain`` or ``taught``
            with, and that ``failed``; and of plots ``drawn``.
    """

    job: Job
    writer: Writer
    kinds: Collection[str]
    pictures: Places | None
    force: bool
    quiet: bool
    counts: Counter[str] = field(default_factory=Counter)

    def summary(self, output: str) -> str:
        """A line about the written records."""
        recordings = counted(self.counts["written"], "recording")
        others = [f"{n} {kind}" for kind in ("uncertain", "failed") if (n := self.counts[kind])]
        return f"wrote {output}: {', '.join([recordings, *others])}"

    def picture_summary(self, output: str) -> str:
        """A line about the plots."""
        drawn = self.counts["drawn"]
        return f"drew {output}" if drawn == 1 else f"drew {output}: {drawn} pictures"

    @property
    def warning(self) -> str:
        """A warning about recordings that were taught with; empty if there are none."""
        count = self.counts["taught"]
        taught = f"{counted(count, 'recording')} {'was' if count == 1 else 'were'} taught with"
        return f"{taught}: such a verdict does not tell how good the model is" if count else ""

    def progress(self, total: int, *, resumable: bool) -> str:
        """A line after an interrupt: how much is done, and how to resume."""
        state = f"{self.counts['written'] + self.counts['failed']} of {total} recordings are done"
        return f"{state}; the same command with --resume does the rest" if resumable else state

    def write(self, outcome: Outcome) -> int:
        """Write an outcome and print its messages; return the number of failures."""
        failures = 0
        say_notes(outcome.notes, quiet=self.quiet)
        if outcome.error:
            failures += 1
            say_failure(outcome.error)
        stored = self._store(outcome)
        self.counts["written" if stored and not outcome.error else "failed"] += 1
        failures += not stored
        if self.pictures and not outcome.error:
            failures += not self._draw(outcome, self.pictures)
        outcome.records.drop()
        return failures

    def _store(self, outcome: Outcome) -> bool:
        """Write the records of a recording; False if a file cannot have its name."""
        try:
            for record in outcome.records:
                self.counts["uncertain"] += _is_uncertain_clip(record)
                self.counts["taught"] += bool(record.get("taught"))
                if record["type"] in self.kinds:
                    self.writer.write(record)
        except LiveSerError as error:
            if not name_is_refused(error):
                raise
            say(f"live-ser: {error.message} (give {outcome.source} a shorter name)")
            return False
        return True

    def _draw(self, outcome: Outcome, pictures: Places) -> bool:
        """Plot a recording; False if that failed."""
        from live_ser.report.plot import draw_plot

        try:
            draw_plot(
                outcome.source,
                self.job.model.info,
                outcome.records,
                pictures.of(outcome.source),
                over_time="window" if self.job.analysis.at is None else "segment",
                force=self.force,
                reading=self.job.analysis.reading,
            )
        except LiveSerError as error:
            say_failure(error)
            return False
        self.counts["drawn"] += 1
        return True


def _is_uncertain_clip(record: Record) -> bool:
    """Whether a record is an uncertain verdict."""
    return bool(record["type"] == "clip" and record["state"] == "uncertain")
