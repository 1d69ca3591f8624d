"""One hop, block in to record written, by stage: ``python -m benchmarks.hop``."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from typing import Any

import numpy as np

from benchmarks.sounds import demo
from benchmarks.table import Effort, Floats, Table, command, percentiles
from live_ser.audio.blocks import Samples
from live_ser.audio.devices import BLOCK_SECONDS
from live_ser.audio.resampler import Resampler
from live_ser.frontend.features import FrameStream
from live_ser.frontend.gate import SpeechGate
from live_ser.frontend.pitch import VoiceStream
from live_ser.inference.monitor import Monitor
from live_ser.inference.smoothing import Smoother
from live_ser.inference.windows import Window
from live_ser.model.onnx_model import EmotionModel, load
from live_ser.model.speaker import RunningBaseline
from live_ser.records.jsonl import JsonLines
from live_ser.records.record import session_record, window_record

NATIVE_RATE = 48_000
# Methods rather than names, so that the type checker notices a missing one.
STAGES: dict[str, tuple[type, Sequence[Callable[..., Any]]]] = {
    "resample from 48 kHz": (Resampler, [Resampler.push]),
    "speech gate": (SpeechGate, [SpeechGate.push]),
    "features": (FrameStream, [FrameStream.push]),
    "pitch candidates": (VoiceStream, [VoiceStream.push]),
    "network": (EmotionModel, [EmotionModel.predict]),
    "prosody": (Window, [Window.prosody_sums]),
    "baseline": (RunningBaseline, [RunningBaseline.before, RunningBaseline.update]),
    "smoothing": (Smoother, [Smoother.push]),
}
RECORD = "record"


def measure(effort: Effort) -> Table:
    """The time of a hop on one core, with everything except drawing."""
    hops = effort.of(10_000, 500, 3)
    model = load()
    times = hop_times(model, hops)
    whole = times.pop("whole")
    # A stage that a hop does not reach, such as the network in silence, takes no time of it.
    rows = [[name, *percentiles(seconds * 1000)] for name, seconds in times.items()]
    rest = whole - sum(times.values())
    rows.append(["everything else", *percentiles(rest * 1000)])
    rows.append(["**whole hop**", *percentiles(whole * 1000)])
    classified = np.count_nonzero(times["network"]) / hops
    share = whole.sum() / (hops * model.info.hop)
    return Table(
        f"One hop of {model.info.hop:g} s by stage, in ms",
        ("stage", "p50", "p95", "p99"),
        rows,
        (
            f"{hops} hops of speech on one core, {classified:.0%} of them with a prediction; "
            f"{share:.2%} of the core. Aim: p95 under 9 ms, under 2 % of the core.",
        ),
    )


def hop_times(model: EmotionModel, hops: int) -> dict[str, Floats]:
    """Seconds of each stage in each hop, ``[hops]``, and of the whole hop as ``whole``.

    The sound arrives in blocks of 50 ms at 48 kHz, as from a microphone; all blocks of a hop are
    counted, not only the last one.
    """
    rate, hop = model.info.features.sample_rate, model.info.hop
    clock: dict[str, float] = dict.fromkeys([*STAGES, RECORD], 0.0)
    rows: list[dict[str, float]] = []
    with ExitStack() as stack:
        null = stack.enter_context(open(os.devnull, "w", encoding="utf-8"))
        for name, (kind, methods) in STAGES.items():
            for method in methods:
                stack.enter_context(_timed(kind, method, name, clock))
        writer = JsonLines(null)
        writer.write(session_record(model.info, "benchmark", hop, datetime.now().astimezone()))
        asked = Stopwatch()
        monitor = Monitor(model, asked.times_pulls(_blocks(rate)), hop=hop)
        for prediction in monitor:
            before = time.perf_counter()
            writer.write(window_record(prediction))
            clock[RECORD] += time.perf_counter() - before
            rows.append({**clock, "whole": asked.lap()})
            clock.update(dict.fromkeys(clock, 0.0))
            if len(rows) == hops + WARM_UP:
                break
    return {name: np.array([row[name] for row in rows[WARM_UP:]]) for name in rows[0]}


WARM_UP = 20


class Stopwatch:
    """Elapsed time without the time that producing sound takes."""

    def __init__(self) -> None:
        self._since = time.perf_counter()

    def times_pulls(self, blocks: Iterator[tuple[Samples, Resampler]]) -> Iterator[Samples]:
        for block, resampler in _without_cost(blocks, self):
            yield resampler.push(block)

    def forgive(self, seconds: float) -> None:
        self._since += seconds

    def lap(self) -> float:
        now = time.perf_counter()
        seconds, self._since = now - self._since, now
        return seconds


def _without_cost(items: Iterator[Any], watch: Stopwatch) -> Iterator[Any]:
    while True:
        before = time.perf_counter()
        item = next(items)
        watch.forgive(time.perf_counter() - before)
        yield item


def _blocks(rate: int) -> Iterator[tuple[Samples, Resampler]]:
    sound = demo(NATIVE_RATE)
    size = round(NATIVE_RATE * BLOCK_SECONDS)
    resampler = Resampler(NATIVE_RATE, rate)
    start = 0
    while True:
        yield sound[start : start + size].copy(), resampler
        start = (start + size) % (len(sound) - size)


@contextmanager
def _timed(
    kind: type, method: Callable[..., Any], name: str, clock: dict[str, float]
) -> Iterator[None]:
    """Measure the time that a method takes during the ``with`` block."""

    def timed(*words: Any) -> Any:
        before = time.perf_counter()
        result = method(*words)
        clock[name] += time.perf_counter() - before
        return result

    setattr(kind, method.__name__, timed)
    try:
        yield
    finally:
        setattr(kind, method.__name__, method)


if __name__ == "__main__":
    command(measure)
