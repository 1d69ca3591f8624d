"""A long run of the server with clients of every kind, as one of the runs of ``make soak``.

Some streams send sound in real time from start to end, and readers follow the server's microphone.
In every other round, further clients misbehave: they stall, flood, send garbage, lie about their
rate, hang up, or don't read. Between the rounds, memory, sockets and threads must be back to what
they were. The latency of the others with and without misbehaviour is reported.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import numpy as np
import psutil
from numpy.typing import NDArray
from websockets.asyncio.client import connect

from benchmarks.misbehaving import BLOCK, RATE, Misbehaving, answered, blocks, start
from tests.support.watch import Watch

STREAMS, READERS = 3, 100
ROUND = 20.0  # seconds


@dataclass
class ServerWatch(Watch):
    """Samples of a server.

    Attributes:
        quiet: milliseconds from block to record, without misbehaviour.
        troubled: milliseconds from block to record, while others misbehave.
        windows: number of windows of each steady stream.
        wrong: broken promises, a line each.
    """

    quiet: list[float] = field(default_factory=list)
    troubled: list[float] = field(default_factory=list)
    windows: list[int] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def faults(self) -> list[str]:
        """The broken promises, a line each."""
        return [*super().faults(), *self.wrong]

    def summary(self) -> str:
        """The samples and latencies in a line."""
        late = {
            name: "{:.0f} and {:.0f} ms".format(*np.percentile(times, [50, 95]))
            for name, times in (("all behave", self.quiet), ("others don't", self.troubled))
            if times
        }
        each = ", ".join(f"{times} (median, 95 %) while {name}" for name, times in late.items())
        return f"{super().summary()}; windows {self.windows}; from block to record {each}"


def served(seconds: float, model: Path | None = None) -> ServerWatch:
    """Run and watch a server, whose microphone is a pipe with speech, for some seconds."""
    words = [sys.executable, "-m", "live_ser", "serve", "--port", "0", "--listen"]
    words += ["--from", "-", "--raw", "s16le", "--rate", str(RATE), "--channels", "1"]
    words += ["--model", str(model)] if model else []
    watch, sound = ServerWatch("server"), blocks()
    with subprocess.Popen(words, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        assert process.stdin is not None
        threading.Thread(target=_speak, args=(process.stdin, sound), daemon=True).start()
        address = process.stderr.readline().decode().split()[0].rstrip("/")
        try:
            asyncio.run(_Crowd(address, watch, psutil.Process(process.pid), sound).run(seconds))
        finally:
            process.terminate()
            code = process.wait(30)
    if code:
        watch.wrong.append(f"the server ended with {code}")
    return watch


def _speak(pipe: IO[bytes], blocks: NDArray[np.int16]) -> None:
    """Write sound in real time until the pipe is closed."""
    due = time.monotonic()
    with suppress(OSError, ValueError):
        for block in itertools.cycle(blocks):
            due += BLOCK / RATE
            time.sleep(max(0.0, due - time.monotonic()))
            pipe.write(block.tobytes())
            pipe.flush()


class _Crowd:
    """All clients of a server.

    Args:
        address: address of the page.
        watch: the samples, to which it adds.
        process: process of the server.
        blocks: blocks of sound.
    """

    def __init__(
        self,
        address: str,
        watch: ServerWatch,
        process: psutil.Process,
        blocks: NDArray[np.int16],
    ) -> None:
        self._http, self._ws = address, address.replace("http", "ws", 1)
        self._watch, self._process = watch, process
        self._misbehaving = Misbehaving(address, blocks)
        self._latencies = watch.quiet  # to which the streams add
        self._over = asyncio.Event()
        self._blocks = blocks

    async def run(self, seconds: float) -> None:
        """Run all clients, and sample the server between the rounds."""
        since = time.monotonic()
        steady = [asyncio.create_task(self._steady(number)) for number in range(STREAMS)]
        readers = [asyncio.create_task(self._reader()) for _ in range(READERS)]
        trouble = False
        while time.monotonic() < since + seconds:
            self._latencies = self._watch.troubled if trouble else self._watch.quiet
            ends = time.monotonic() + min(ROUND, seconds / 6)
            if trouble:
                done = await asyncio.gather(
                    *(self._misbehaving.until(ends, kind) for kind in Misbehaving.KINDS),
                    return_exceptions=True,
                )
                self._watch.wrong += [f"a client: {one!r}" for one in done if one]
            await asyncio.sleep(max(0.0, ends - time.monotonic()))
            await self._rest()
            self._watch.sample(self._process, since)
            trouble = not trouble
        self._over.set()
        self._watch.windows = await asyncio.gather(*steady)
        for reader in readers:
            reader.cancel()
        await asyncio.gather(*readers, return_exceptions=True)

    async def _rest(self) -> None:
        """Wait until the server has closed all but the steady streams."""
        for _ in range(200):
            if await self._metric("live_ser_sessions ") == STREAMS:
                await asyncio.sleep(0.5)
                return
            await asyncio.sleep(0.1)
        self._watch.wrong.append("streams were not closed within 20 s")

    async def _metric(self, name: str) -> float:
        text = await asyncio.to_thread(answered, f"{self._http}/metrics")
        return next(float(line.split()[-1]) for line in text.splitlines() if line.startswith(name))

    async def _steady(self, number: int) -> int:
        """A stream in real time, from start to end; returns the number of its windows."""
        sent: list[float] = []
        ends: list[float] = []
        async with connect(f"{self._ws}/v1/stream", ping_interval=None) as socket:
            await socket.send(start(RATE))

            async def listen() -> None:
                async for text in socket:
                    record = json.loads(text)
                    if record["type"] == "window" and not self._over.is_set():
                        # The resampler delays samples: the block after the hop completes it.
                        block = min(len(sent) - 1, round(record["end"] * RATE / BLOCK))
                        self._latencies.append(1000 * (time.perf_counter() - sent[block]))
                    if record["type"] == "window":
                        ends.append(record["end"])

            listening = asyncio.create_task(listen())
            began = time.perf_counter() + 0.5 * number / STREAMS
            while not self._over.is_set():
                due = began + len(sent) * BLOCK / RATE
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                sent.append(time.perf_counter())
                await socket.send(self._blocks[len(sent) % len(self._blocks)].tobytes())
            await socket.send('{"type": "stop"}')
            await listening
        if not np.allclose(np.diff(ends[:-1]), 0.5, atol=1e-3):
            self._watch.wrong.append("windows do not follow each other by half a second")
        if abs(ends[-1] - len(sent) * BLOCK / RATE) > 0.01:
            self._watch.wrong.append("windows are missing at the end")
        return len(ends)

    async def _reader(self) -> None:
        """A reader of the microphone."""
        last = 0.0
        async with connect(f"{self._ws}/v1/live", ping_interval=None) as socket:
            async for text in socket:
                record = json.loads(text)
                if record["type"] == "window":
                    if last and record["end"] - last > 0.501:
                        self._watch.wrong.append(f"a reader missed what came before {record}")
                    last = record["end"]
