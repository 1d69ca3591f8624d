"""The options of ``live-ser listen``."""

from __future__ import annotations

from dataclasses import dataclass

from live_ser.cli.options import (
    AnalysisOptions,
    CommonOptions,
    PublishingOptions,
    RecordOptions,
    SourceOptions,
)


@dataclass(frozen=True)
class Options(CommonOptions, SourceOptions, AnalysisOptions, RecordOptions, PublishingOptions):
    """The options of ``live-ser listen``."""

    record: str | None
    enroll: float | None
    duration: float | None
    reconnect: bool
    or_demo: bool
    lines: bool
    palette: str
