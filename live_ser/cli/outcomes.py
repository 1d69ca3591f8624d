"""What comes of each recording: written, drawn, or said to have failed."""

from __future__ import annotations

from argparse import Namespace
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from live_ser.batch.jobs import Job, Outcome
from live_ser.cli.errors import say_failure
from live_ser.cli.job import are_segments_asked_for
from live_ser.cli.messages import say, say_notes
from live_ser.errors import LiveSerError
from live_ser.records.formats import Style
from live_ser.records.outputs import name_is_refused
from live_ser.records.places import Places
from live_ser.records.schema import Record, Writer


@dataclass(frozen=True)
class OutcomeWriter:
    """Writes what comes of each recording, and draws it.

    Args:
        arguments: of the command.
        style: of the records.
        job: that gave the outcomes.
        writer: of the records.
        pictures: where each recording is drawn; None if none is.

    Attributes:
        counts: of the recordings: ``written``, those of them that are ``uncertain``, and
            ``failed``.
    """

    arguments: Namespace
    style: Style
    job: Job
    writer: Writer
    pictures: Places | None
    counts: Counter[str] = field(default_factory=Counter)

    def summary(self, output: str) -> str:
        """What was written to an output."""
        written = self.counts["written"]
        recordings = "1 recording" if written == 1 else f"{written} recordings"
        others = [f"{n} {kind}" for kind in ("uncertain", "failed") if (n := self.counts[kind])]
        return f"wrote {output}: {', '.join([recordings, *others])}"

    def write(self, outcome: Outcome) -> int:
        """Write one, and print what is to be said of it; how much of it failed."""
        failures = 0
        say_notes(outcome.notes, quiet=self.arguments.quiet)
        if outcome.error:
            failures += 1
            say_failure(outcome.error)
        kept = self._kept(outcome)
        self.counts["written" if kept and not outcome.error else "failed"] += 1
        failures += not kept
        if self.pictures and not outcome.error:
            failures += not self._drawn(outcome, self.pictures)
        outcome.records.drop()
        return failures

    def _kept(self, outcome: Outcome) -> bool:
        """Write what came of a recording; False where no file can have its name."""
        dropped = set() if self.arguments.timeline else {"window"}
        dropped |= set() if are_segments_asked_for(self.arguments, self.style) else {"segment"}
        try:
            for record in outcome.records:
                self.counts["uncertain"] += _is_uncertain_clip(record)
                if record["type"] not in dropped:
                    self.writer.write(record)
        except LiveSerError as error:
            if not name_is_refused(error):
                raise
            say(f"live-ser: {error.message} (give {outcome.source} a shorter name)")
            return False
        return True

    def _drawn(self, outcome: Outcome, pictures: Places) -> bool:
        """Draw a recording; False where it could not be drawn."""
        from live_ser.report.plot import draw_plot

        def records(kind: str) -> Iterator[Record]:
            return (record for record in outcome.records if record["type"] == kind)

        try:
            draw_plot(
                outcome.source,
                self.job.model.info,
                records("window"),
                pictures.of(outcome.source),
                segments=records("segment"),
                clip=next(records("clip")),
                force=self.arguments.force,
                reading=self.job.reading,
            )
        except LiveSerError as error:
            say_failure(error)
            return False
        return True


def _is_uncertain_clip(record: Record) -> bool:
    """Whether this is the verdict on a recording of which the model can't tell."""
    return bool(record["type"] == "clip" and record["state"] == "uncertain")
