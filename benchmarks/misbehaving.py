"""Clients that misbehave, to measure their effect on the others.

``python -m benchmarks.misbehaving URL KIND SECONDS`` runs one of them, again and again.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
import time
import urllib.error
import urllib.request
from contextlib import suppress
from typing import Any

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode

from live_ser.audio.demo import DEMO

RATE, BLOCK = 48_000, 4_800


def blocks() -> NDArray[np.int16]:
    """The bundled recording at 48 kHz, ``[blocks, BLOCK]``."""
    sound, native = soundfile.read(DEMO, dtype="float32")
    sound = soxr.resample(sound, native, RATE)
    sound = np.resize(sound, len(sound) // BLOCK * BLOCK)
    return np.round(sound * 32767).astype("<i2").reshape(-1, BLOCK)


def start(rate: int, encoding: str = "s16le") -> str:
    """The first message of a stream."""
    return json.dumps({"type": "start", "encoding": encoding, "rate": rate})


def answered(url: str, data: bytes | None = None) -> str:
    """The response of a server; empty for an error."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data), timeout=60) as answer:
            return str(answer.read().decode())
    except urllib.error.HTTPError as error:
        error.close()
        return ""


class Misbehaving:
    """Clients of a server that misbehave.

    Args:
        address: address of its page.
        sound: int16 ``[blocks, BLOCK]``, at 48 kHz.

    Attributes:
        KINDS: kinds of misbehaviour.
    """

    KINDS = (
        "stalls",
        "floods",
        "chatters",
        "is_deaf",
        "sends_garbage",
        "lies",
        "hangs_up",
        "reads_nothing",
        "posts",
    )

    def __init__(self, address: str, sound: NDArray[np.int16]) -> None:
        self._http, self._ws = address, address.replace("http", "ws", 1)
        self._sound = sound
        self._rng = np.random.default_rng(0)
        self._small = itertools.cycle(
            [
                Frame(Opcode.BINARY, b"\x00\x00"),
                Frame(Opcode.TEXT, b'{"type": "ping"}'),
                Frame(Opcode.TEXT, b'{"type": "mark"}'),
                Frame(Opcode.PING, b""),
            ]
        )

    async def until(self, ends: float, kind: str) -> None:
        """Run one kind of client again and again until a time of ``time.monotonic``."""
        while time.monotonic() < ends - 1:
            with suppress(ConnectionClosed):
                await getattr(self, f"_{kind}")(ends)

    def _stream(self) -> connect:
        return connect(f"{self._ws}/v1/stream", ping_interval=None, close_timeout=1)

    async def _stalls(self, ends: float) -> None:
        """Start a stream and send part of a sample, then nothing."""
        async with self._stream() as socket:
            await socket.send(start(16_000))
            await socket.send(b"\x00\x00\x00")
            await asyncio.sleep(max(0.0, ends - time.monotonic()))

    async def _floods(self, ends: float) -> None:
        """Send as much sound as possible."""
        async with self._stream() as socket:
            await socket.send(start(RATE))
            await self._sent(ends, socket, self._sound[:50].tobytes())

    async def _chatters(self, ends: float) -> None:
        """Send as many small messages as possible: sound, commands or pings."""
        small = next(self._small)
        many = small.serialize(mask=True) * 4000
        async with self._stream() as socket:
            await socket.send(start(RATE))
            while time.monotonic() < ends and not socket.transport.is_closing():
                if socket.transport.get_write_buffer_size() < len(many):
                    socket.transport.write(many)
                await asyncio.sleep(0.005)
            socket.transport.abort()

    async def _is_deaf(self, ends: float) -> None:
        """Send as much sound as possible, and read no records."""
        async with connect(f"{self._ws}/v1/stream", max_queue=1, close_timeout=0.1) as socket:
            await socket.send(start(RATE))
            await self._sent(ends, socket, self._sound[:10].tobytes())

    async def _sent(self, ends: float, socket: ClientConnection, data: bytes) -> None:
        """Send the same data repeatedly, then disconnect."""
        with suppress(TimeoutError, ConnectionClosed):
            async with asyncio.timeout(max(0.1, ends - time.monotonic())):
                while True:
                    await socket.send(data)
        socket.transport.abort()

    async def _sends_garbage(self, ends: float) -> None:
        """Send invalid messages, or bytes that are not sound."""
        async with self._stream() as socket:
            kind = self._rng.choice(["text", "sound", "numbers"])
            with suppress(ConnectionClosed):
                if kind != "text":
                    await socket.send(start(16_000, "f32le" if kind == "numbers" else "s16le"))
                await socket.send(
                    self._rng.bytes(5001)
                    if kind != "text"
                    else "\ud7ff{[" * int(self._rng.integers(99))
                )
                await socket.send('{"type": "stop"}')
                await _drained(socket)
        await asyncio.sleep(0.2)

    async def _lies(self, ends: float) -> None:
        """Send sound at six times the stated rate."""
        async with self._stream() as socket:
            await socket.send(start(8_000))
            for block in self._sound[:20]:
                await socket.send(block.tobytes())
                await asyncio.sleep(0.1)

    async def _hangs_up(self, ends: float) -> None:
        """Disconnect in the middle of a message."""
        async with self._stream() as socket:
            await socket.send(start(16_000))
            await socket.send(bytes(15_999))
            socket.transport.abort()
        await asyncio.sleep(0.3)

    async def _reads_nothing(self, ends: float) -> None:
        """Follow the server's microphone without reading any records."""
        async with connect(
            f"{self._ws}/v1/live?history=240", max_queue=1, close_timeout=0.1
        ) as one:
            await asyncio.sleep(max(0.0, ends - time.monotonic()))
            one.transport.abort()

    async def _posts(self, ends: float) -> None:
        """Post a recording, and a file that is not sound."""
        for data in (DEMO.read_bytes(), b"no sound"):
            await asyncio.to_thread(answered, f"{self._http}/v1/file", data)
        await asyncio.sleep(5)


async def _drained(socket: ClientConnection) -> list[Any]:
    return [text async for text in socket]


def main() -> None:
    """Run a client of one kind."""
    address, kind, seconds = sys.argv[1:]
    crowd = Misbehaving(address, blocks())
    asyncio.run(crowd.until(time.monotonic() + float(seconds), kind))


if __name__ == "__main__":
    main()
