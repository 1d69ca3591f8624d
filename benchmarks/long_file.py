"""A recording of two hours, 48 kHz stereo: ``python -m benchmarks.long_file``."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import soundfile

from benchmarks.processes import LIVE_SER, Run, run_watched
from benchmarks.sounds import demo
from benchmarks.table import Cell, Effort, Table, command

RATE = 48_000
AIM_SECONDS = 40.0


def measure(effort: Effort) -> Table:
    """The time and memory for long recordings, with a prediction each half second."""
    rows: list[list[Cell]] = []
    with tempfile.TemporaryDirectory() as name:
        for minutes in effort.of((10, 120), (2, 10), (1,)):
            path = _write(Path(name) / "long.wav", 60 * minutes)
            out = Path(name) / "out.jsonl"
            words = ["--timeline", "--hop", "0.5", "-o", str(out), "--force", "-q"]
            run = run_watched([*LIVE_SER, "file", str(path), *words])
            windows = len(out.read_bytes().splitlines()) - 1
            rows.append(_row(f"{minutes} min", 60.0 * minutes, windows, run))
            path.unlink()
    return Table(
        "A long recording, ``live-ser file --timeline --hop 0.5``",
        ("", "seconds", "core seconds", "times real time", "windows", "peak memory, MB"),
        rows,
        (
            "From the start of the process to its end; 48 kHz stereo WAV, 16 bits. "
            f"Aim: two hours in {AIM_SECONDS:g} s.",
        ),
    )


def _row(what: str, sound: float, windows: int, run: Run) -> list[Cell]:
    return [
        what,
        run.seconds,
        run.core_seconds,
        sound / run.seconds,
        str(windows),
        run.most_of_one / 1e6,
    ]


def _write(path: Path, seconds: int) -> Path:
    sound = demo(RATE)
    stereo = np.stack([sound, sound], axis=1)
    left = seconds * RATE
    with soundfile.SoundFile(path, "w", RATE, 2, subtype="PCM_16") as file:
        while left > 0:
            file.write(stereo[:left])
            left -= len(stereo)
    return path


if __name__ == "__main__":
    command(measure, one_core=False)
