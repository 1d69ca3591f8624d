"""Decoding by ffmpeg, if installed, of files that libsndfile cannot read.

The samples come through a pipe on demand; nothing is written to disk.
"""

from __future__ import annotations

import math
import os
import re
import shutil
import struct
import subprocess
import threading
from pathlib import Path
from typing import IO

import numpy as np

from live_ser.audio.blocks import Interleaved
from live_ser.audio.decoder import Decoder, Missing, joined, no_sound
from live_ser.audio.raw_sound import RAW_EXAMPLE
from live_ser.errors import AudioError
from live_ser.extras import as_root

_INSTALL = (
    f"install ffmpeg: {as_root('apt install ffmpeg')}, brew install ffmpeg, winget install ffmpeg"
)
_HEADER = struct.Struct(">4s5I")  # of Sun's AU: magic, offset, size, encoding, rate, channels
_FLOAT32 = 6  # the encoding
# Containers of sound. Formats that refer to other files or addresses are not among them: playlists
# (hls, dash, concat, sdp, imf), subtitles, pictures and devices.
_CONTAINERS = (
    "aac,ac3,act,adx,aea,aiff,amr,amrnb,amrwb,ape,aptx,asf,au,avi,avr,caf,codec2,dsf,dss,dts,dtshd,"
    "eac3,ea,flac,flv,g722,g723_1,g729,gsm,iff,ilbc,ircam,loas,matroska,webm,mlp,truehd,mov,mp4,"
    "m4a,3gp,3g2,mj2,mp3,mpc,mpc8,mpeg,mpegts,mxf,nistsphere,nut,ogg,oma,pvf,qcp,rm,rso,sbc,shn,"
    "sox,tak,tta,voc,w64,wav,wtv,wv,xa,xwma"
)
# Sound that starts after the picture keeps its time, and lost packets become silence. In joined
# streams, time starts at 0 again: the expression continues from the end of the last stream; ld(0)
# is added to times, and ld(2) is the end of the last frame.
_FILTERS = (
    "asetpts='st(1,PTS+ld(0));st(0,if(lt(ld(1),ld(2)-SR/2),ld(0)+ld(2)-ld(1),ld(0)));"
    "st(1,PTS+ld(0));st(2,ld(1)+S);ld(1)',ashowinfo,aresample=async=1:first_pts=0"
)
_FRAME = re.compile(r" pts_time:(-?[\d.]+) .* rate:(\d+) nb_samples:(\d+)")
_STREAM = re.compile(r"  Stream #0:\d+.*?: (Video|Audio): (\w+)")
_STATES_NO_DELAY = re.compile("matroska|avi|flv|mpegts")
_DELAYS = {"aac": 1024, "mp3": 1105}
_PATIENCE = 5.0  # seconds
_LEVEL = re.compile(r"^(?:\[[^]]* @ [^]]*\] )*\[(\w+)\] ")
_COMPLAINTS = ("warning", "error", "fatal", "panic")
_UNKNOWN = "ffmpeg does not say why"
# Messages of ffmpeg about missing sound, which do not stop it.
_CUT = re.compile("partial file|prematurely|truncat", re.IGNORECASE)
_DAMAGE = re.compile("corrupt|Error|Invalid|damaged|missing|invalid", re.IGNORECASE)
_SHORT = 0.1  # seconds by which the length of a container may differ from that of its sound
_ROUNDED = 0.5  # the same for ASF, whose length includes its preroll
_HOLE = 0.02  # seconds between packets that are more than rounding


class FfmpegDecoder(Decoder):
    """Decodes a file by ffmpeg.

    Args:
        path: path of the file.
        skip: encoder delay to skip at the start, in seconds.
        seconds: length of the sound, if decoders drop a silent end; 0 if unknown.
        cut: whether the data are known to be truncated.
        track: number of the audio track, from 1.

    Raises:
        AudioError: ffmpeg is not installed, or cannot read the file.
    """

    def __init__(
        self,
        path: Path,
        *,
        skip: float = 0.0,
        seconds: float = 0.0,
        cut: bool = False,
        track: int = 1,
    ) -> None:
        self._path, self._program, self._track = path, ffmpeg_program(path), track
        self._skip, self._seconds, self._cut = skip, seconds, cut
        self._start()
        self.frames = round(seconds * self.rate) or None  # None: unknown before the end

    def read(self, frames: int) -> Interleaved:
        """Read frames."""
        data = b"" if self._ended else self._output.read(frames * self._size)
        block: Interleaved = np.frombuffer(data[: len(data) // self._size * self._size], ">f4")
        block = block.astype(np.float32).reshape(-1, self.channels)
        if len(data) < frames * self._size:
            if not self._ended:
                self._end(self._read + len(block))
            silent = min(frames, self._length - self._read) - len(block)
            block = np.concatenate([block, np.zeros((max(0, silent), self.channels), np.float32)])
        self._read += len(block)
        return block

    def rewind(self) -> None:
        """Start over."""
        self.close()
        self._start()

    def close(self) -> None:
        """End ffmpeg."""
        self._process.kill()
        self._process.wait()
        self._messages.join()
        self._output.close()

    def _start(self) -> None:
        self._read, self._length, self._ended = 0, 0, False
        name = f"file:{os.fspath(self._path)}"
        self._process = subprocess.Popen(  # noqa: S603 - no shell, and the name is no option
            [
                *(self._program, "-nostdin", "-hide_banner", "-nostats", "-v", "level+info"),
                *("-max_error_rate", "1", *input_words(self._path)),
                *("-map", f"0:a:{self._track - 1}", "-af", _FILTERS),
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
                self._size = 4 * self.channels
                self._messages.begun.wait(_PATIENCE)
                self._skip = self._skip or self._messages.delay / self.rate
                self._output.read(round(self._skip * self.rate) * self._size)
                return
        self.close()
        raise AudioError(
            f"{self._path} is not a sound file that can be read: {self._messages.reason}",
            "WAV, FLAC, OGG, MP3 and AIFF can, and whatever else ffmpeg reads; what has no header "
            f"with {RAW_EXAMPLE}",
        )

    def _end(self, read: int) -> None:
        """Find missing sound, once all is decoded."""
        self._ended = True
        failed = self._process.wait()
        self._messages.join()
        self._length = max(read, self.frames or 0)
        if not self._length:
            if self._messages.names_others or failed:
                raise AudioError(
                    f"{self._path} is not a sound file that can be read: {self._messages.reason}",
                    "write its sound into a file of its own",
                )
            raise no_sound(self._path)
        if not self._seconds:
            end = read / self.rate
            found = self._messages.missing(end, self._skip, failed=bool(failed))
            self.missing = joined((*found, Missing(end))) if self._cut else found


def ffmpeg_program(path: Path) -> str:
    """The path of ffmpeg, for a file that libsndfile cannot read.

    Raises:
        AudioError: it is not installed.
    """
    program = shutil.which("ffmpeg")
    if program is None:
        raise AudioError(
            f"{path} is not a sound file that can be read without ffmpeg, which is not installed",
            _INSTALL,
        )
    return program


def input_words(path: Path) -> list[str]:
    """The arguments of ffmpeg for an input file."""
    # A file must not refer to others, on disk or on the network.
    whitelists = ["-protocol_whitelist", "file", "-format_whitelist", _CONTAINERS]
    return [*whitelists, "-i", f"file:{os.fspath(path)}"]


class _Messages(threading.Thread):
    """The messages of ffmpeg, read in a thread so that it never blocks."""

    def __init__(self, stream: IO[bytes], name: str) -> None:
        super().__init__(daemon=True)
        self._stream, self._name = stream, name
        self.reason = _UNKNOWN  # its first error, or its first warning if there is none
        self._is_reason_warning = False
        self.names_others = False  # the file refers to another one
        self.begun = threading.Event()  # all about the input is known
        self.delay = 0  # encoder delay in samples that the container does not state
        self._container = ""
        self._length = math.inf  # seconds of the file, as its container says
        self._guessed = False  # the length
        self._picture = False
        self._pauses = False  # the decoder reports packets without sound
        self._cut = False
        self._damaged = False
        self._holes: list[Missing] = []
        self._end = 0.0  # of the sound decoded so far, in seconds

    def missing(self, end: float, skip: float, *, failed: bool) -> tuple[Missing, ...]:
        """The missing sound of a file whose sound ends here.

        A hole in the times of packets is silence that a recorder left out, unless the file is
        damaged; and damage counts only if there is a hole, or the sound ends too early.
        """
        known = math.isfinite(self._length)
        # A truncated ASF gives no message; it always states its length.
        short = known and self._container == "asf" and not self._picture
        cut = self._cut or failed or (short and end + skip < self._length - _ROUNDED)
        if self._pauses or not (cut or self._damaged):
            return ()
        found = [Missing(max(0.0, x.start - skip), x.end - skip) for x in self._holes]
        if known and end + skip < self._length - _SHORT:
            if cut or not self._picture:
                found.append(Missing(end, self._length - skip))
        elif not known and cut:
            found.append(Missing(end))
        return joined(found)

    def run(self) -> None:
        """Read all lines."""
        with self._stream:
            for line in self._stream:
                self._take(line.decode("utf-8", "replace").rstrip())
        self.begun.set()

    def _take(self, line: str) -> None:
        level = _LEVEL.match(line)
        if level is None:
            return
        message = line[level.end() :].removeprefix(f"{self._name}: ")
        if level[1] == "info":
            self._inform(message)
        elif level[1] in _COMPLAINTS:
            self._complain(message, is_warning=level[1] == "warning")

    def _complain(self, message: str, *, is_warning: bool) -> None:
        if "Estimating duration" in message:
            self._guessed = True
        elif "not on whitelist" in message:
            self.reason = "it is a list, a text or a picture, not sound"
        elif "external track" in message:
            self.names_others, self.reason = True, "its sound is in another file"
        elif "matches no streams" in message:
            self.reason = "it holds none"
        elif message and (self.reason == _UNKNOWN or (self._is_reason_warning and not is_warning)):
            self.reason, self._is_reason_warning = message[:200], is_warning
        self._cut = self._cut or _CUT.search(message) is not None
        self._damaged = self._damaged or _DAMAGE.search(message) is not None

    def _inform(self, message: str) -> None:
        if message.startswith("n:") and (frame := _FRAME.search(message)):
            start, rate, count = float(frame[1]), int(frame[2]), int(frame[3])
            if start > self._end + _HOLE and self._end:
                self._holes.append(Missing(self._end, start))
            self._end = max(self._end, start + count / rate)
        elif message.startswith("  Duration: "):
            clock = re.match(r"  Duration: (\d+):(\d+):([\d.]+)", message)
            if clock and not self._guessed:
                hours, minutes = int(clock[1]), int(clock[2])
                self._length = 3600 * hours + 60 * minutes + float(clock[3])
        elif message.startswith("Input #0, "):
            self._container = message.removeprefix("Input #0, ").partition(", from")[0]
        elif message.startswith("Output #0, "):
            self.begun.set()
        elif not self.begun.is_set() and (stream := _STREAM.match(message)):
            self._picture = self._picture or stream[1] == "Video"
            self._pauses = self._pauses or stream[2].startswith("amr_")
            if stream[1] == "Audio" and _STATES_NO_DELAY.search(self._container):
                self.delay = _DELAYS.get(stream[2], 0)
