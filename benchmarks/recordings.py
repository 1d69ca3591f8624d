"""The time and memory of files of several lengths: ``python -m benchmarks.recordings``."""

from __future__ import annotations

import subprocess
import tempfile
import time
from pathlib import Path

from benchmarks.processes import LIVE_SER, peak_memory
from benchmarks.sounds import write_long, write_short
from benchmarks.table import Cell, Effort, Table, command

SHORT_SECONDS = 3.0


def measure(effort: Effort) -> Table:
    """The speed relative to real time, and the memory, by the length of the file."""
    minutes = effort.of((1, 10, 60, 480), (1, 10), (1,))
    count = effort.of(1000, 100, 2)
    rows: list[list[Cell]] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for length in minutes:
            path = write_long(folder / "long.wav", 60.0 * length)
            rows.append(_row(f"one file of {_length(length)}", [path], 60.0 * length))
            path.unlink()
        clips = write_short(folder, count, SHORT_SECONDS)
        rows.append(_row(f"{count} clips of {SHORT_SECONDS:g} s", clips, count * SHORT_SECONDS))
        for workers in (1, 2) if _has_workers() else ():
            what = f"{count} clips of {SHORT_SECONDS:g} s, --workers {workers}"
            options = ["--workers", str(workers)]
            rows.append(_row(what, clips, count * SHORT_SECONDS, options))
    return Table(
        "``live-ser file``",
        ("", "seconds", "times real time", "peak memory, MB"),
        rows,
        (
            "From the start of the process to its end, start-up included; 16 kHz WAV. "
            "Memory is that of the process and of its workers together.",
        ),
    )


def _row(
    what: str, paths: list[Path], seconds_of_sound: float, options: list[str] | None = None
) -> list[Cell]:
    words = [*LIVE_SER, "file", "--format", "jsonl", *(options or []), *map(str, paths)]
    start = time.perf_counter()
    with subprocess.Popen(words, stdout=subprocess.DEVNULL) as process:
        memory = peak_memory(process)
    seconds = time.perf_counter() - start
    if process.returncode:
        raise RuntimeError(f"live-ser file ended with {process.returncode}")
    return [what, seconds, seconds_of_sound / seconds, memory / 1e6]


def _has_workers() -> bool:
    words = [*LIVE_SER, "file", "--help"]
    return "--workers" in subprocess.run(words, capture_output=True, text=True, check=True).stdout


def _length(minutes: int) -> str:
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h"


if __name__ == "__main__":
    command(measure, one_core=False)
