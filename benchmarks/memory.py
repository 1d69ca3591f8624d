"""The memory of a live session, and its growth: ``python -m benchmarks.memory``."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil

from benchmarks.processes import LIVE_SER, resident
from benchmarks.sounds import write_long
from benchmarks.table import Cell, Effort, Table, command

_LOOK_EVERY = 0.25  # seconds
_SPEED = 80.0  # times real time: a minute of a run is more than an hour of sound
_SETTLED = 0.5  # of the run, after which growth is looked at: half an hour of sound and more


def measure(effort: Effort) -> Table:
    """The resident memory of a session, and its growth per hour of sound."""
    seconds = effort.of(60.0, 10.0, 2.0)
    rows: list[list[Cell]] = []
    with tempfile.TemporaryDirectory() as name:
        sound = write_long(Path(name) / "long.wav", 1.1 * seconds * _SPEED, rate=48_000)
        for what, in_terminal in (("records into a file", False), ("the dashboard", True)):
            if in_terminal and sys.platform == "win32":
                continue
            times, sizes = _watch(sound, Path(name) / f"{in_terminal}.jsonl", seconds, in_terminal)
            late = times > _SETTLED * seconds
            slope = np.polyfit(times[late], sizes[late], 1)[0] if late.sum() > 2 else np.nan
            per_hour = None if in_terminal else f"{float(slope) * 3600 / _SPEED:+.2f}"
            rows.append([what, float(np.median(sizes[late])), float(sizes.max()), per_hour])
    return Table(
        "Memory of ``live-ser listen``, in MB",
        ("with", "resident", "at most", "growth an hour of sound"),
        rows,
        (
            f"A replay at 48 kHz, {_SPEED:g} times as fast as spoken, watched for {seconds:g} s: "
            f"{seconds * _SPEED / 60:.0f} minutes of sound. Growth is that of the second half: "
            "until then allocators fill up. What the dashboard keeps of what it drew is bounded, "
            "and fills up in a quarter of an hour however fast the sound goes by: ``make soak``, "
            "in real time, watches that. Aims: 120 MB, 1 MB an hour.",
        ),
    )


def _watch(
    sound: Path, records: Path, seconds: float, in_terminal: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Samples of the resident megabytes, with seconds since the start."""
    words = [*LIVE_SER, "listen", "--from", str(sound), "--speed", str(_SPEED), "-o", str(records)]
    if in_terminal:
        process, terminal = _in_terminal(words)
    else:
        process, terminal = subprocess.Popen([*words, "-q"]), None
    watched = psutil.Process(process.pid)
    start = time.monotonic()
    times, sizes = [], []
    try:
        while (now := time.monotonic() - start) < seconds:
            times.append(now)
            sizes.append(resident(watched) / 1e6)
            _wait(terminal)
    finally:
        if process.poll() is not None:
            raise RuntimeError(f"live-ser listen ended with {process.returncode}")
        process.terminate()
        while process.poll() is None:
            _wait(terminal)
    return np.array(times), np.array(sizes)


def _in_terminal(words: list[str]) -> tuple[subprocess.Popen[bytes], int]:
    import pty
    import termios

    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (40, 120))
    environment = {**os.environ, "TERM": "xterm-256color"}
    process = subprocess.Popen(words, stdin=theirs, stdout=theirs, stderr=theirs, env=environment)
    os.close(theirs)
    return process, ours


def _wait(terminal: int | None) -> None:
    """Wait, and read what is drawn meanwhile, as a terminal does."""
    if terminal is None:
        time.sleep(_LOOK_EVERY)
        return
    import select

    end = time.monotonic() + _LOOK_EVERY
    while (left := end - time.monotonic()) > 0:
        if not select.select([terminal], [], [], left)[0]:
            return
        try:
            os.read(terminal, 65536)
        except OSError:  # the other end is closed
            time.sleep(left)


if __name__ == "__main__":
    command(measure, one_core=False)
