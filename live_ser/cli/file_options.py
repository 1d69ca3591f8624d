"""The options of ``live-ser file``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from live_ser.audio.reading import Reading
from live_ser.batch.analysis import Analysis
from live_ser.cli.options import AnalysisOptions, CommonOptions, RecordOptions, VoiceOptions
from live_ser.records.new_file import Mode


@dataclass(frozen=True)
class Options(CommonOptions, VoiceOptions, AnalysisOptions, RecordOptions):
    """The options of ``live-ser file``."""

    paths: list[str]
    sounds: list[str]
    timeline: bool
    segments: bool
    partial: bool
    workers: int | None
    scheduler: str | None
    resume: bool
    plot: str | None

    def reading(self) -> Reading:
        """How the recordings are read."""
        return replace(super().reading(), partial=self.partial)

    def analysis(self) -> Analysis:
        """How the recordings are judged, and what is asked for of them."""
        return Analysis(
            self.hop, self.smoothing, self.timeline, self.segments, reading=self.reading()
        )

    def mode(self) -> Mode:
        """What becomes of records that are there: refused, replaced, or gone on with."""
        # Where nothing is there to go on with, it is begun as any other.
        if self.resume and self.output is not None and Path(self.output).exists():
            return "append"
        return super().mode()
