"""The options of ``live-ser file``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from live_ser.batch.analysis import Analysis
from live_ser.cli.errors import UsageError
from live_ser.cli.options import AnalysisOptions, CommonOptions, RecordOptions, VoiceOptions
from live_ser.records.new_file import Mode
from live_ser.records.turn_files import TurnFiles


@dataclass(frozen=True)
class Options(CommonOptions, VoiceOptions, AnalysisOptions, RecordOptions):
    """The options of ``live-ser file``."""

    paths: list[str]
    sounds: list[str]
    timeline: bool
    segments: bool
    workers: int | None
    scheduler: str | None
    resume: bool
    at: str | None
    tiers: str | None
    plot: str | None

    def analysis(self) -> Analysis:
        """The settings of the analysis."""
        if self.tiers is not None and self.at is None:
            raise UsageError("--tiers are those of a file of intervals", "name it: --at FILE")
        tiers = () if self.tiers is None else _checked_tiers(self.tiers)
        at = None if self.at is None else TurnFiles(Path(self.at), tiers)
        return Analysis(self.hop, self.smoothing, self.timeline, self.segments, self.reading(), at)

    def mode(self) -> Mode:
        """What to do with existing records: refuse, replace, or append."""
        # Without an output to resume, a new one is started.
        if self.resume and self.output is not None and Path(self.output).exists():
            return "append"
        return super().mode()


def _checked_tiers(words: str) -> tuple[str, ...]:
    tiers = tuple(dict.fromkeys(name.strip() for name in words.split(",")))
    if "" in tiers:
        raise UsageError("--tiers: one of them is empty", "name some, or leave it out for all")
    return tiers
