"""An archive of short clips, with one worker and with two: ``python -m benchmarks.archive``."""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.processes import LIVE_SER, run_watched
from benchmarks.sounds import write_short
from benchmarks.table import Cell, Effort, Table, command

SHORT_SECONDS = 3.0
AIM_SECONDS = 20.0
AIM_MEGABYTES = 300.0
AIM_SCALING = 1.8


def measure(effort: Effort) -> Table:
    """The time for many clips with one and two workers, and the memory of a worker."""
    rows: list[list[Cell]] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "clips"
        folder.mkdir()
        for count in effort.of((1000, 4000), (100, 400), (2,)):
            write_short(folder, count, SHORT_SECONDS)
            alone = 0.0
            for workers in (1, 2):
                out = Path(name) / "out.jsonl"
                words = ["--workers", str(workers), "-o", str(out), "--force", "-q"]
                run = run_watched([*LIVE_SER, "file", str(folder), *words])
                alone = alone or run.seconds
                rows.append(
                    [
                        f"{count} clips, {workers} worker{'s' * (workers > 1)}",
                        run.seconds,
                        run.core_seconds,
                        count * SHORT_SECONDS / run.seconds,
                        alone / run.seconds,
                        run.most_of_one / 1e6,
                    ]
                )
    return Table(
        f"Clips of {SHORT_SECONDS:g} s, ``live-ser file FOLDER``",
        (
            *("", "seconds", "core seconds", "times real time"),
            *("as fast as one worker", "peak memory of a process, MB"),
        ),
        rows,
        (
            "From the start of the process to its end, start-up included; 16 kHz WAV. Aims: 1000 "
            f"clips in {AIM_SECONDS:g} s with two workers, {AIM_SCALING:g} times as fast as one, "
            f"{AIM_MEGABYTES:g} MB.",
        ),
    )


if __name__ == "__main__":
    command(measure, one_core=False)
