"""The capacity of a server: ``python -m benchmarks.serving``, which takes two minutes.

On a busy Linux machine, ``setsid sh -c 'echo -15 > /proc/self/autogroup; exec python -m …'`` as
root gives it nearly the time that it would have on a quiet one.

The server runs on one core, the clients on the others. Streams send blocks of 0.1 s of 48 kHz sound
in real time, as the page does, each from a different position in the recording. The time from the
block that completes a hop to its record is measured, and the processor time of the server. Then
many readers follow the server's microphone. With ``--servers`` and ``--proxy``, several servers run
behind HAProxy or nginx, as in ``examples/``. With ``--beside``, a further client misbehaves.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import soundfile
import soxr
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

import live_ser
from benchmarks.misbehaving import BLOCK, RATE, Misbehaving
from live_ser.audio.demo import DEMO
from live_ser.server.protocol import BUSY

EXAMPLES = Path(__file__).parents[1] / "examples"
PROXIES = {
    "haproxy": ("haproxy.cfg", ["-f"]),
    "nginx": ("nginx.conf", ["-g", "daemon off;", "-c"]),
}
PROXY_PORT, FIRST_PORT = 8700, 8765  # as the examples have them


def recording(seconds: float, talks: float) -> list[bytes]:
    """The bundled recording, repeated, in blocks.

    Args:
        seconds: length of the result.
        talks: share of the time with speech; the rest is faint noise.
    """
    sound, native = soundfile.read(DEMO, dtype="float32")
    sound = soxr.resample(sound, native, RATE)
    listens = round(len(sound) * (1 / talks - 1))
    sound = np.concatenate([sound, np.random.default_rng(0).normal(0, 1e-3, listens)])
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
    """Seconds from block to record in one stream; empty if the server is busy."""
    try:
        return await _session(url, sent, due, delay)
    except ConnectionClosed as error:
        if error.rcvd is None or error.rcvd.code != BUSY:
            raise
        return []


async def _session(url: str, sent: list[bytes], due: list[int], delay: float) -> list[float]:
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
    """The number of records of each reader, and the delay from the first reader to the last."""
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


async def streams(
    url: str, sent: list[bytes], due: list[int], count: int, servers: list[psutil.Process]
) -> dict[str, Any]:
    """The delay of the records of many streams, and the processor time of the server."""

    def spent() -> float:
        return sum(sum(server.cpu_times()[:2]) for server in servers)

    before, began = spent(), time.perf_counter()
    places = [number * len(sent) // count for number in range(count)]
    many = (
        session(url, [*sent[place:], *sent[:place]], due, 0.5 * number / count)
        for number, place in enumerate(places)
    )
    each = await asyncio.gather(*many)
    took = 1000 * np.concatenate(each)
    cpu, wall = spent() - before, time.perf_counter() - began
    p50, p95, worst = np.percentile(took, [50, 95, 100])
    return {
        "sessions": count,
        "refused": sum(not times for times in each),
        "records": len(took),
        "p50 ms": round(float(p50), 1),
        "p95 ms": round(float(p95), 1),
        "worst ms": round(float(worst), 1),
        "of a core": round(cpu / wall, 2),
        "ms of it a hop": round(1000 * cpu / len(took), 2),
        "resident MB": [round(server.memory_info().rss / 1e6) for server in servers],
        "load": [round(one, 1) for one in os.getloadavg()],
    }


@contextmanager
def beside(kind: str, address: str, seconds: float) -> Iterator[None]:
    """Run a misbehaving client in another process during the ``with`` block."""
    words = [sys.executable, "-m", "benchmarks.misbehaving", address, kind, str(seconds)]
    with subprocess.Popen(words) as process:
        try:
            time.sleep(2)  # until it has begun
            yield
        finally:
            process.terminate()


@contextmanager
def server(number: int, model: str) -> Iterator[psutil.Process]:
    """A server, on the cores to which this process is restricted now."""
    words = [sys.executable, "-m", "live_ser", "serve", "--from", str(DEMO), "--model", model]
    words += ["--port", str(FIRST_PORT + number)]
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            process.stderr.readline()
            yield psutil.Process(process.pid)
        finally:
            process.terminate()
            process.wait(30)


def keep_to(cores: set[int]) -> None:
    """Restrict this process, and those that it starts, to some cores."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cores)


@contextmanager
def proxied(name: str, servers: int) -> Iterator[int]:
    """The port of a proxy in front of some servers."""
    program = shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin")
    if program is None:
        sys.exit(f"{name} is not installed")
    file, flags = PROXIES[name]
    text = (EXAMPLES / file).read_text("utf-8")
    if servers == 1:
        text = re.sub(rf"\n[^\n#]*:{FIRST_PORT + 1}[^\n]*", "", text)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, file)
        path.write_text(text, "utf-8")
        with subprocess.Popen([program, *flags, str(path)], stderr=subprocess.DEVNULL) as process:
            try:
                time.sleep(2)
                yield PROXY_PORT
            finally:
                process.terminate()


async def measure(port: int, options: argparse.Namespace, servers: list[psutil.Process]) -> None:
    """Measure streams and readers, and print the results as JSON."""
    url = f"ws://127.0.0.1:{port}"
    sent = recording(options.seconds, options.talks)
    due = completing(sent)
    for count in options.sessions:
        print(json.dumps(await streams(url, sent, due, count, servers)), flush=True)
        for kind in options.beside:
            with beside(kind, url.replace("ws", "http", 1), options.seconds + 5):
                measured = await streams(url, sent, due, count, servers)
            print(json.dumps({"beside": kind, **measured}), flush=True)
    if options.readers:
        print(json.dumps(await readers(url, options.readers, 10)), flush=True)


def main() -> None:
    """Start servers, measure, and end them."""
    parser = argparse.ArgumentParser(prog="benchmarks.serving", description=__doc__)
    parser.add_argument("--sessions", type=int, nargs="*", default=[10, 30, 60])
    parser.add_argument("--readers", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--talks", type=float, default=1.0, help="share of the time (default: 1)")
    parser.add_argument("--servers", type=int, choices=(1, 2), default=1)
    parser.add_argument("--proxy", choices=PROXIES)
    parser.add_argument("--beside", nargs="*", default=[], choices=Misbehaving.KINDS)
    parser.add_argument("--model", default="live_ser")
    options = parser.parse_args()
    cores = psutil.Process().cpu_affinity() if psutil.LINUX else [0]
    with ExitStack() as stack:
        running = []
        for number in range(options.servers):
            keep_to({cores[number % len(cores)]})
            running.append(stack.enter_context(server(number, options.model)))
        keep_to(set(cores[options.servers :] or cores))
        port = FIRST_PORT
        if options.proxy:
            port = stack.enter_context(proxied(options.proxy, options.servers))
        asyncio.run(measure(port, options, running))


if __name__ == "__main__":
    main()
