"""Send a recording to ``live-ser serve``: ``stream_to_server.py clip.wav [URL]``."""

from __future__ import annotations

import json
import sys
import threading

import soundfile
from websockets.sync.client import ClientConnection, connect


def send(socket: ClientConnection, path: str) -> None:
    """Send the first channel of a sound file in blocks of 0.1 s, as 16-bit samples."""
    with soundfile.SoundFile(path) as sound:
        socket.send(json.dumps({"type": "start", "encoding": "s16le", "rate": sound.samplerate}))
        for block in sound.blocks(sound.samplerate // 10, dtype="int16", always_2d=True):
            socket.send(block[:, 0].astype("<i2").tobytes())
    socket.send(json.dumps({"type": "stop"}))


def main() -> None:
    """Print each window, as it comes."""
    path, url = sys.argv[1], (sys.argv[2:] or ["ws://127.0.0.1:8765"])[0]
    with connect(f"{url}/v1/stream") as socket:
        threading.Thread(target=send, args=(socket, path)).start()
        for record in map(json.loads, socket):
            if record["type"] == "window":
                print(f"{record['end']:6.2f} s  {record['label'] or record['state']}")


if __name__ == "__main__":
    main()
