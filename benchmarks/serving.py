"""What a server costs: ``python -m benchmarks.serving``, in a minute and a half.

The server runs on one core, the clients on the others. Streams bring blocks of 0.1 s of 48 kHz
sound in real time, as the page does; the time from the block that completes a hop to its record is
measured. Then many readers wait for the records of the server's microphone.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import time
from typing import Any

import numpy as np
import psutil
import soundfile
import soxr
from websockets.asyncio.client import connect

import live_ser
from live_ser.audio.demo import DEMO

RATE, BLOCK = 48_000, 4_800


def blocks(seconds: float) -> list[bytes]:
    """The bundled recording over and over, in blocks."""
    sound, native = soundfile.read(DEMO, dtype="float32")
    sound = soxr.resample(sound, native, RATE)
    samples = np.resize(np.round(sound * 32767).astype("<i2"), round(seconds * RATE))
    return [samples[at : at + BLOCK].tobytes() for at in range(0, len(samples), BLOCK)]


def completing(sent: list[bytes]) -> list[int]:
    """The number of the block that completes each hop."""
    stream = live_ser.load().stream(rate=RATE)
    return [
        number
        for number, block in enumerate(sent)
        for _ in stream.feed(np.frombuffer(block, np.int16))
    ]


async def session(url: str, sent: list[bytes], due: list[int], delay: float) -> list[float]:
    """Seconds from block to record, of one stream."""
    await asyncio.sleep(delay)
    times: list[float] = []
    took: list[float] = []
    async with connect(f"{url}/v1/stream", ping_interval=None) as socket:
        await socket.send(json.dumps({"type": "start", "encoding": "s16le", "rate": RATE}))

        async def listen() -> None:
            windows = 0
            async for text in socket:
                now, record = time.perf_counter(), json.loads(text)
                if record["type"] == "window" and windows < len(due):
                    took.append(now - times[due[windows]])
                    windows += 1

        listening = asyncio.create_task(listen())
        began = time.perf_counter()
        for number, block in enumerate(sent):
            await asyncio.sleep(max(0.0, began + number * BLOCK / RATE - time.perf_counter()))
            times.append(time.perf_counter())
            await socket.send(block)
        await socket.send('{"type": "stop"}')
        await listening
    return took


async def readers(url: str, count: int, seconds: float) -> dict[str, Any]:
    """How many records each of many readers got, and how late the last reader got each."""
    got: list[list[tuple[float, float]]] = [[] for _ in range(count)]

    async def read(number: int) -> None:
        async with connect(f"{url}/v1/live", ping_interval=None) as socket:
            async for text in socket:
                record = json.loads(text)
                if record["type"] == "window":
                    got[number].append((record["end"], time.perf_counter()))

    tasks = [asyncio.create_task(read(number)) for number in range(count)]
    async with connect(f"{url}/v1/live") as socket:
        await asyncio.sleep(8)
        await socket.send('{"type": "start"}')
        await asyncio.sleep(seconds)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    first: dict[float, list[float]] = {}
    for times in got:
        for end, at in times:
            first.setdefault(end, []).append(at)
    spread = [max(at) - min(at) for at in first.values() if len(at) > count / 2]
    counts = [len(times) for times in got]
    return {
        "readers": count,
        "records each": [min(counts), max(counts)],
        "from the first reader to the last, ms": round(1000 * float(np.median(spread)), 1),
    }


async def measure(url: str, options: argparse.Namespace, process: psutil.Process) -> None:
    """Measure both, and print it."""
    sent = blocks(options.seconds)
    due = completing(sent)
    before, began = process.cpu_times(), time.perf_counter()
    many = (
        session(url, sent, due, 0.5 * number / options.sessions)
        for number in range(options.sessions)
    )
    took = np.concatenate(await asyncio.gather(*many)) * 1000
    after, wall = process.cpu_times(), time.perf_counter() - began
    cpu = after.user + after.system - before.user - before.system
    p50, p95, worst = np.percentile(took, [50, 95, 100])
    streams = {
        "sessions": options.sessions,
        "records": len(took),
        "p50 ms": round(float(p50), 1),
        "p95 ms": round(float(p95), 1),
        "worst ms": round(float(worst), 1),
        "of a core": round(cpu / wall, 2),
        "resident MB": round(process.memory_info().rss / 1e6),
        "load": [round(one, 1) for one in os.getloadavg()],
    }
    print(json.dumps(streams), flush=True)
    print(json.dumps(await readers(url, options.readers, 10)), flush=True)


def main() -> None:
    """Start a server, measure, and end it."""
    parser = argparse.ArgumentParser(prog="benchmarks.serving", description=__doc__)
    parser.add_argument("--sessions", type=int, default=60)
    parser.add_argument("--readers", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=30.0)
    options = parser.parse_args()
    words = [sys.executable, "-m", "live_ser", "serve", "--port", "0", "--from", str(DEMO)]
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            url = process.stderr.readline().strip().rstrip("/").replace("http", "ws", 1)
            if hasattr(os, "sched_setaffinity"):
                first, *others = sorted(os.sched_getaffinity(0))
                for thread in psutil.Process(process.pid).threads():
                    os.sched_setaffinity(thread.id, {first})
                os.sched_setaffinity(0, others or [first])
            asyncio.run(measure(url, options, psutil.Process(process.pid)))
        finally:
            process.terminate()
            process.wait(30)


if __name__ == "__main__":
    main()
