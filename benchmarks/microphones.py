"""The number of replayed microphones per core: ``python -m benchmarks.microphones``."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np

from benchmarks.sounds import demo
from benchmarks.table import Cell, Effort, Table, command
from live_ser.audio.blocks import Samples
from live_ser.inference.monitor import Monitor
from live_ser.model.onnx_model import EmotionModel, load

_FILL = 8  # hops before anything is timed: until the windows are full


def measure(effort: Effort) -> Table:
    """The number of microphones until the 95th percentile of the latency exceeds the hop.

    Each has its own monitor, and its hops end at its own times. The computing time of predictions
    is measured, and the arrival of sound is simulated, so that nothing has to wait.
    """
    hops = effort.of(12, 4, 1)
    model = load()
    rows: list[list[Cell]] = []
    fits, fails = 0, 0
    count, most = effort.of((32, 4096), (32, 4096), (1, 1))
    while not fails or fails - fits > max(1, fits // 16):
        p50, p95 = np.percentile(_answers(model, count, hops), [50, 95])
        rows.append([str(count), 1000 * float(p50), 1000 * float(p95)])
        if p95 <= model.info.hop:
            fits = count
        else:
            fails = count
        count = (fits + fails) // 2 if fails else 2 * count
        if count > most:
            break
    rows.sort(key=lambda row: int(str(row[0])))
    return Table(
        "Microphones at once on one core",
        ("microphones", "delay p50, ms", "delay p95, ms"),
        rows,
        (
            f"**{fits}** microphones get a prediction every {model.info.hop:g} s; with more, "
            "predictions come later than the next hop.",
        ),
    )


def _answers(model: EmotionModel, count: int, hops: int) -> np.ndarray:
    """Seconds from the end of each hop to its prediction, including those of others before it."""
    hop = model.info.hop
    monitors = [iter(Monitor(model, _sound(model, start))) for start in range(count)]
    for _ in range(_FILL):
        for monitor in monitors:
            next(monitor)
    free, answers = 0.0, []
    for number in range(hops):
        for place, monitor in enumerate(monitors):
            arrived = (number + place / count) * hop
            before = time.perf_counter()
            next(monitor)
            free = max(free, arrived) + time.perf_counter() - before
            answers.append(free - arrived)
    return np.array(answers)


def _sound(model: EmotionModel, number: int) -> Iterator[Samples]:
    """The recording in blocks of a hop, with a different start for each microphone."""
    rate = model.info.features.sample_rate
    sound = demo(rate)
    size = round(model.info.hop * rate)
    start = 997 * number % (len(sound) - size)
    while True:
        yield sound[start : start + size]
        start = (start + size) % (len(sound) - size)


if __name__ == "__main__":
    command(measure)
