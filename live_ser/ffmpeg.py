"""Sound that libsndfile cannot read, decoded by ffmpeg where it is installed.

What ffmpeg decodes comes through a pipe as it is asked for; nothing is written to disk.
"""

from __future__ import annotations

import os
import re
import shutil
import struct
import subprocess
import threading
from pathlib import Path
from typing import IO

import numpy as np

from live_ser.decoder import Decoder, Missing, no_sound
from live_ser.devices import Interleaved
from live_ser.errors import LiveSerError

_INSTALL = "install ffmpeg: sudo apt install ffmpeg, brew install ffmpeg, winget install ffmpeg"
_HEADER = struct.Struct(">4s5I")  # of Sun's AU: magic, offset, size, encoding, rate, channels
_FLOAT32 = 6  # the encoding
# What ffmpeg says of sound that is not all there; it goes on all the same.
_DAMAGE = re.compile("partial file|prematurely|truncat|corrupt|Error while decoding|Invalid data")


class FfmpegDecoder(Decoder):
    """A file, decoded by ffmpeg.

    Args:
        path: of the file.

    Raises:
        LiveSerError: ffmpeg is not installed, or cannot read the file either.
    """

    frames = None  # how many there are shows at the end

    def __init__(self, path: Path) -> None:
        program = shutil.which("ffmpeg")
        if program is None:
            raise LiveSerError(
                f"{path} is not a sound file that can be read without ffmpeg, which is not "
                "installed",
                _INSTALL,
            )
        self._path, self._program = path, program
        self._start()

    def read(self, frames: int) -> Interleaved:
        """The next frames."""
        size = 4 * self.channels
        data = self._output.read(frames * size)
        self._read += len(data) // size
        if len(data) < frames * size:
            self._check_end()
        samples = np.frombuffer(data[: len(data) // size * size], ">f4")
        return samples.astype(np.float32).reshape(-1, self.channels)

    def rewind(self) -> None:
        """Begin again."""
        self.close()
        self._start()

    def close(self) -> None:
        """End ffmpeg."""
        self._process.kill()
        self._process.wait()
        self._messages.join()
        self._output.close()

    def _start(self) -> None:
        self._read = 0
        name = f"file:{os.fspath(self._path)}"
        self._process = subprocess.Popen(  # noqa: S603 - no shell, and the name is no option
            [
                *(self._program, "-nostdin", "-v", "error"),
                # A file can name others, even on the network; it must not.
                *("-protocol_whitelist", "file", "-i", name),
                *("-map", "0:a:0"),
                # Sound that begins after the picture: times are those of the file.
                *("-af", "aresample=async=1:first_pts=0"),
                *("-f", "au", "-c:a", "pcm_f32be", "pipe:1"),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._output = self._process.stdout
        self._messages = _Messages(self._process.stderr, name)
        self._messages.start()
        header = self._output.read(_HEADER.size)
        if len(header) == _HEADER.size:
            magic, offset, _, encoding, rate, channels = _HEADER.unpack(header)
            if (magic, encoding) == (b".snd", _FLOAT32) and rate and channels:
                self._output.read(offset - _HEADER.size)
                self.rate, self.channels = int(rate), int(channels)
                return
        self.close()
        raise LiveSerError(
            f"{self._path} is not a sound file that can be read: {self._messages.first}",
            "WAV, FLAC, OGG, MP3 and AIFF can, and whatever else ffmpeg reads",
        )

    def _check_end(self) -> None:
        failed = self._process.wait()
        self._messages.join()
        if failed or self._messages.damage:
            self.missing = (Missing(self._read / self.rate),)
        elif not self._read:
            raise no_sound(self._path)


class _Messages(threading.Thread):
    """What ffmpeg says, taken as it comes so that it never waits.

    Attributes:
        first: its first line.
        damage: the first line that says that something is missing; empty where none does.
    """

    def __init__(self, stream: IO[bytes], name: str) -> None:
        super().__init__(daemon=True)
        self._stream, self._name = stream, name
        self.first = "ffmpeg does not say why"
        self.damage = ""

    def run(self) -> None:
        with self._stream:
            lines = (line.decode("utf-8", "replace").strip() for line in self._stream)
            for number, line in enumerate(lines):
                said = re.sub(r"^\[[^]]*\] ", "", line.removeprefix(f"{self._name}: "))
                if number == 0:
                    self.first = "it holds none" if "matches no streams" in said else said
                if not self.damage and _DAMAGE.search(said):
                    self.damage = said
