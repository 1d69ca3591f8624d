"""What drawing the dashboard costs: ``python -m benchmarks.drawing``.

The demonstration clip is shown in real time, over and over, without anything being judged: blocks
of 50 ms to the meter and the spectrogram, a made-up prediction each half second. What the process
uses is what drawing uses.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from importlib.resources import files

import numpy as np
import soundfile as sf
from rich.console import Console

from live_ser.dashboard import Dashboard
from live_ser.model import load
from live_ser.monitor import Prediction
from live_ser.spec import ModelInfo

BLOCK = 0.05
HOP = 0.5


def main() -> None:
    """Measure at both sizes and print one JSON object a line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--model")
    options = parser.parse_args()
    info = load(options.model).info
    for width, height in ((80, 24), (120, 40)):
        share, written = measure(info, width, height, options.seconds)
        print(
            json.dumps(
                {
                    "benchmark": "drawing",
                    "terminal": f"{width}x{height}",
                    "seconds": options.seconds,
                    "core_percent": round(100 * share, 2),
                    "kilobytes_per_second": round(written / options.seconds / 1000, 1),
                }
            )
        )


def measure(info: ModelInfo, width: int, height: int, seconds: float) -> tuple[float, int]:
    """Share of one core that drawing takes, and the bytes that it writes."""
    clip, rate = sf.read(str(files("live_ser") / "demo.flac"), dtype="float32")
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
    main()
