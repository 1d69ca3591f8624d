"""The cost of drawing the dashboard: ``python -m benchmarks.drawing``.

The demonstration clip is shown in real time, again and again, without a model: blocks of 50 ms for
the meter and the spectrogram, and a made-up prediction each half second, so that the process does
nothing but drawing. For comparison, the same page is drawn by ``rich.live``, and made without being
drawn.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from typing import IO, cast

import numpy as np
from rich.console import Console
from rich.live import Live
from rich.segment import Segment, Segments

from benchmarks.sounds import demo
from benchmarks.table import Cell, Effort, Table, command
from live_ser.dashboard.dashboard import Dashboard
from live_ser.dashboard.lines import Line
from live_ser.dashboard.screen import Screen
from live_ser.inference.results import Prediction
from live_ser.model.onnx_model import load
from live_ser.spec import ModelInfo

BLOCK = 0.05
HOP = 0.5


def measure(effort: Effort) -> Table:
    """The share of one core for drawing at two sizes, and the bytes that are written."""
    info = load().info
    seconds = effort.of(20.0, 4.0, 0.1)
    rows: list[list[Cell]] = []
    for width, height in ((80, 24), (120, 40)):
        for screen, name in (
            (Screen, ""),
            (LiveScreen, ", through rich.live"),
            (Nowhere, ", the page alone"),
        ):
            share, written = drawn(info, width, height, seconds, screen)
            rows.append([f"{width} x {height}{name}", f"{share:.1%}", written / seconds / 1000])
    return Table(
        "Drawing the dashboard",
        ("terminal", "of one core", "kB a second"),
        rows,
        (
            f"The bundled recording for {seconds:g} s, without predictions. Through "
            "rich.live, the same page is drawn at the same moments; the page alone is made, and "
            "not drawn.",
        ),
    )


class Nowhere(Screen):
    """A screen that draws nothing."""

    def draw(self, lines: Sequence[Line]) -> None:
        """Do nothing."""


class LiveScreen(Screen):
    """A screen that is drawn by ``rich.live``, as in most programs."""

    _live: Live | None = None

    def draw(self, lines: Sequence[Line]) -> None:
        """Show these lines."""
        if self._live is None:
            self._live = Live(console=self.console, screen=True, auto_refresh=False)
            self._live.start()
        page = [part for line in lines for part in (*line, Segment.line())]
        self._live.update(Segments(page[:-1]), refresh=True)

    def __exit__(self, *how: object) -> None:
        if self._live is not None:
            self._live.stop()


def drawn(
    info: ModelInfo, width: int, height: int, seconds: float, screen: type[Screen]
) -> tuple[float, int]:
    """The share of one core for drawing, and the bytes that are written per second."""
    rate = info.features.sample_rate
    clip = demo(rate)
    size = round(BLOCK * rate)
    rng = np.random.default_rng(0)
    with open(os.devnull, "wb") as null, os.fdopen(os.dup(null.fileno()), "w") as out:
        counter = Counter(out)
        console = Console(
            file=cast("IO[str]", counter),
            width=width,
            height=height,
            force_terminal=True,
            color_system="truecolor",
        )
        dashboard = Dashboard(console, info, "demo.flac", rate)
        dashboard._screen = screen(console)
        with dashboard:
            start, used = time.monotonic(), time.process_time()
            for i in range(round(seconds / BLOCK)):
                at = i * size % (len(clip) - size)
                dashboard.block(clip[at : at + size])
                if i % round(HOP / BLOCK) == 0:
                    dashboard.window(made_up(info, i * BLOCK, rng))
                time.sleep(max(0.0, start + (i + 1) * BLOCK - time.monotonic()))
            spent = time.process_time() - used
            return spent / (time.monotonic() - start), counter.written


def made_up(info: ModelInfo, end: float, rng: np.random.Generator) -> Prediction:
    """A random prediction, which differs from the last one as real ones do."""
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
    """A file that counts the bytes written to it."""

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
        """True, as of a terminal."""
        return True


if __name__ == "__main__":
    command(measure, one_core=False)
