"""What drawing the dashboard costs: ``python -m benchmarks.drawing``.

The demonstration clip is shown in real time, over and over, without anything being judged: blocks
of 50 ms to the meter and the spectrogram, a made-up prediction each half second. What the process
uses is what drawing uses.
"""

from __future__ import annotations

import os
import time

import numpy as np
from rich.console import Console

from benchmarks.sounds import demo
from benchmarks.table import Cell, Table, command
from live_ser.dashboard.dashboard import Dashboard
from live_ser.inference.results import Prediction
from live_ser.model.onnx_model import load
from live_ser.spec import ModelInfo

BLOCK = 0.05
HOP = 0.5


def measure(quick: bool) -> Table:
    """Share of one core that drawing takes at both sizes, and what it writes."""
    info = load().info
    seconds = 4.0 if quick else 20.0
    rows: list[list[Cell]] = []
    for width, height in ((80, 24), (120, 40)):
        share, written = drawn(info, width, height, seconds)
        rows.append([f"{width} x {height}", f"{share:.1%}", written / seconds / 1000])
    return Table(
        "Drawing the dashboard",
        ("terminal", "of one core", "kB a second"),
        rows,
        (f"The bundled recording for {seconds:g} s, with nothing judged beside it.",),
    )


def drawn(info: ModelInfo, width: int, height: int, seconds: float) -> tuple[float, int]:
    """Share of one core that drawing takes, and the bytes that it writes."""
    rate = info.features.sample_rate
    clip = demo(rate)
    size = round(BLOCK * rate)
    rng = np.random.default_rng(0)
    with open(os.devnull, "wb") as null, os.fdopen(os.dup(null.fileno()), "w") as out:
        counter = Counter(out)
        console = Console(
            file=counter, width=width, height=height, force_terminal=True, color_system="truecolor"
        )
        with Dashboard(console, info, "demo.flac", rate) as dashboard:
            start, used = time.monotonic(), time.process_time()
            for i in range(round(seconds / BLOCK)):
                at = i * size % (len(clip) - size)
                dashboard.level(clip[at : at + size])
                if i % round(HOP / BLOCK) == 0:
                    dashboard.update(made_up(info, i * BLOCK, rng))
                time.sleep(max(0.0, start + (i + 1) * BLOCK - time.monotonic()))
            spent = time.process_time() - used
            return spent / (time.monotonic() - start), counter.written


def made_up(info: ModelInfo, end: float, rng: np.random.Generator) -> Prediction:
    """A prediction that differs from the last one, as real ones do."""
    shares = rng.dirichlet(np.ones(len(info.labels)))
    probabilities = dict(zip(info.labels, map(float, shares), strict=True))
    label = max(probabilities, key=probabilities.__getitem__)
    return Prediction(
        start=max(0.0, end - info.window),
        end=end,
        state="speech",
        label=label,
        confidence=probabilities[label],
        probabilities=probabilities,
        raw=probabilities,
        activation=float(rng.random()),
        speech=0.8,
        evidence=2.8,
        since_speech=0.0,
        level_db=-20.0,
        latency_ms=float(rng.uniform(2, 4)),
    )


class Counter:
    """A file that counts what is written."""

    encoding = "utf-8"

    def __init__(self, file: object) -> None:
        self._file = file
        self.written = 0

    def write(self, text: str) -> int:
        """Write, and count."""
        self.written += len(text.encode())
        return int(self._file.write(text))  # type: ignore[attr-defined]

    def flush(self) -> None:
        """Write what is buffered."""
        self._file.flush()  # type: ignore[attr-defined]

    def isatty(self) -> bool:
        """It stands for a terminal."""
        return True


if __name__ == "__main__":
    command(measure, one_core=False)
