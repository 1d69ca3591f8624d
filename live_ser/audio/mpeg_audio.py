"""MPEG audio (MP3, MP2): the positions of its frames, whatever lies between them."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from live_ser.audio.concatenated import Link
from live_ser.audio.spliced_file import Piece

_SURE = 3  # consecutive frames that identify MPEG audio
_AT_ONCE = 2**16  # bytes
_KILOBITS = {  # by (is MPEG 1, layer), index 1 to 14
    (True, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
_DECODER_DELAY = 529  # samples of layer III that libsndfile's decoder drops at the start
_ENCODER_DELAY = 576  # of LAME, and of encoders that write no header frame
_LAYER_2_DELAY = 481
_LARGEST = 2880  # bytes of a frame
_SYNC = re.compile(rb"\xff[\xe2-\xff][\x10-\xef]", re.DOTALL)


@dataclass(frozen=True)
class Frame:
    """The header of a frame.

    Attributes:
        size: size in bytes, including the header.
        samples: number of samples in the frame.
        rate: sample rate in Hz.
        layer: 1 to 3.
        kind: header bits that all frames of a stream share.
        tag: offset of the tag in a header frame.
    """

    size: int
    samples: int
    rate: int
    layer: int
    kind: int
    tag: int


def _frame(header: bytes) -> Frame | None:
    bits = int.from_bytes(header, "big")
    version, layer = bits >> 19 & 3, 4 - (bits >> 17 & 3)
    kilobits, rate = bits >> 12 & 15, bits >> 10 & 3
    if bits >> 21 != 0x7FF or version == 1 or layer == 4 or kilobits in (0, 15) or rate == 3:
        return None
    first, mono = version == 3, bits >> 6 & 3 == 3
    hertz = _RATES[version][rate]
    bits_a_second = 1000 * _KILOBITS[first, layer][kilobits - 1]
    padding = bits >> 9 & 1
    samples = {1: 384, 2: 1152, 3: 1152 if first else 576}[layer]
    if layer == 1:
        size = 4 * (12 * bits_a_second // hertz + padding)
    else:
        size = samples // 8 * bits_a_second // hertz + padding
    side = (17 if mono else 32) if first else (9 if mono else 17)
    return Frame(size, samples, hertz, layer, bits & 0xFFFE0C00 | mono, 4 + side)


_frames: dict[bytes, Frame | None] = {}


def frame_of(header: bytes) -> Frame | None:
    """The frame with a header of four bytes; None if it is not a header."""
    if header not in _frames:
        if len(_frames) > 2**16 or len(header) < 4:
            return _frame(header) if len(header) == 4 else None
        _frames[header] = _frame(header)
    return _frames[header]


@dataclass
class _Stream:
    """Frames that belong together: those after a header frame, or of one kind."""

    frame: Frame
    header: bytes
    start: int
    promised: int = 0  # frames
    size: int = 0  # bytes, as promised
    delay: int = _ENCODER_DELAY  # samples
    padding: int = 0
    runs: list[list[int]] = field(default_factory=list)  # start, end, frames, frames lost before
    cut: bool = False  # within its last frame

    @property
    def frames(self) -> int:
        return sum(run[2] + run[3] for run in self.runs)

    @property
    def lost_behind(self) -> int:
        """Frames that a header frame states, and that are missing at the end."""
        held = self.runs[-1][1] - self.start if self.runs else 0
        short = self.cut or self.size > held + self.frame.size
        return max(0, self.promised - self.frames) if short else 0

    def links(self) -> Iterator[Link]:
        if not self.runs:
            return
        samples, rate = self.frame.samples, self.frame.rate
        layer_3 = self.frame.layer == 3
        skip = self.delay if layer_3 else _LAYER_2_DELAY
        swallowed = _DECODER_DELAY if layer_3 else 0
        whole = self.promised == self.frames
        trimmed = max(0, self.padding - swallowed) if whole and layer_3 else 0
        for number, (start, end, frames, lost) in enumerate(self.runs):
            last = number == len(self.runs) - 1
            first_skip = skip if number == 0 else 0
            sound = frames * samples - swallowed - first_skip - (trimmed if last else 0)
            yield Link(
                self._pieces(start, end, frames),
                skip=first_skip,
                frames=max(0, sound),
                lost_before=(lost * samples + swallowed) / rate if number else 0.0,
                lost_behind=self.lost_behind * samples / rate if last else 0.0,
            )

    def _pieces(self, start: int, end: int, frames: int) -> list[Piece]:
        """The frames, after a header frame with their number."""
        if self.frame.layer != 3:
            # libsndfile estimates the number of frames from the size: append zeros.
            return [(start, end), bytes(4096 + (end - start) // 50)]
        # Of the highest bit rate and without a checksum, so that the tag fits.
        header = bytes((0xFF, self.header[1] | 1, 0xE0 | self.header[2] & 0x0C, self.header[3]))
        frame = frame_of(header)
        assert frame is not None
        tag = bytes(frame.tag - 4) + b"Xing" + struct.pack(">II", 1, frames)
        return [(header + tag).ljust(frame.size, b"\0"), (start, end)]


def begins_mpeg(file: BinaryIO) -> bool:
    """Whether a file starts with frames, perhaps after tags, zeros or part of a frame."""
    end = file.seek(0, 2)
    position = behind_tags(file, 0, end)
    file.seek(position)
    head = file.read(_AT_ONCE)
    zeros = len(head) - len(head.lstrip(b"\0"))
    reader = _Reader(file, end)
    found = _next_sync(reader, position + zeros, None, _AT_ONCE)
    return found is not None and found - position - zeros <= _LARGEST


def mpeg_links(file: BinaryIO, start: int, end: int) -> list[Link]:
    """The links of the MPEG audio between two offsets of a file; empty if there is none.

    Args:
        file: the file.
        start: offset of the audio, or of tags before it.
        end: end of the audio, or of tags after it.
    """
    end = _without_tags(file, start, end)
    streams: list[_Stream] = []
    reader = _Reader(file, end)
    position = _next_sync(reader, behind_tags(file, start, end), None)
    lost = 0
    while position is not None:
        position, lost = _walk(reader, position, lost, streams)
    return [link for stream in streams for link in stream.links()]


def _walk(
    reader: _Reader, position: int, lost: int, streams: list[_Stream]
) -> tuple[int | None, int]:
    """Walk from frame to frame; return the start of the next run, and the frames lost before it."""
    stream = streams[-1] if streams else None
    while (frame := frame_of(header := reader.at(position, 4))) is not None:
        if position + frame.size > reader.end:
            if stream is not None:
                stream.cut = True
            return None, 0
        if frame.layer == 3 and (stated := _header_frame(reader, position, frame, header)):
            streams.append(stream := stated)
            lost = 0
        else:
            if stream is None or stream.frame.kind != frame.kind:
                streams.append(stream := _Stream(frame, header, position))
                lost = 0
            runs = stream.runs
            if runs and runs[-1][1] == position:
                runs[-1][1] += frame.size
                runs[-1][2] += 1
            else:
                runs.append([position, position + frame.size, 1, lost if runs else 0])
                lost = 0
        position += frame.size
    if stream is None or position >= reader.end:
        return None, 0
    behind = behind_tags(reader.file, position, reader.end)
    following = _next_sync(reader, behind, stream.frame.kind)
    if following is None:
        return None, 0
    mean = _mean_size(stream)
    return following, round((following - behind) / mean) if following - behind >= mean / 2 else 0


def _mean_size(stream: _Stream) -> float:
    frames = sum(run[2] for run in stream.runs)
    return sum(run[1] - run[0] for run in stream.runs) / frames if frames else stream.frame.size


def _next_sync(
    reader: _Reader, position: int, kind: int | None, within: int | None = None
) -> int | None:
    """The next position of several consecutive frames, or of a last one of a known kind."""
    end = reader.end if within is None else min(reader.end, position + within)
    while position < end:
        window = reader.at(position, _AT_ONCE)
        for found in _SYNC.finditer(window):
            if _is_sound(reader, position + found.start(), kind):
                return position + found.start()
        if len(window) < _AT_ONCE:
            return None
        position += len(window) - 3
    return None


def _is_sound(reader: _Reader, position: int, kind: int | None) -> bool:
    first = None
    for _ in range(_SURE):
        frame = frame_of(reader.at(position, 4))
        if frame is None or (first is not None and frame.kind != first.kind):
            return False
        first = first or frame
        position += frame.size
        if position >= reader.end:
            return position == reader.end or kind == first.kind
    return True


def _header_frame(reader: _Reader, position: int, frame: Frame, header: bytes) -> _Stream | None:
    """The stream that starts with this frame, if it is a header frame."""
    data = reader.at(position, min(frame.size, 220))
    stream = _Stream(frame, header, position)
    tag = frame.tag
    if data[tag : tag + 4] not in (b"Xing", b"Info"):
        if data[36:40] != b"VBRI" or len(data) < 54:
            return None
        stream.delay, stream.size, stream.promised = (
            _ENCODER_DELAY,
            int.from_bytes(data[46:50], "big"),
            int.from_bytes(data[50:54], "big"),
        )
        return stream
    flags = int.from_bytes(data[tag + 4 : tag + 8], "big")
    at = tag + 8
    if flags & 1:
        stream.promised = int.from_bytes(data[at : at + 4], "big")
        at += 4
    if flags & 2:
        stream.size = int.from_bytes(data[at : at + 4], "big")
        at += 4
    at += (100 if flags & 4 else 0) + (4 if flags & 8 else 0)
    name, gap = data[at : at + 9], data[at + 21 : at + 24]
    if name.strip(b"\0 ") and len(gap) == 3 and name[:1].isalpha():
        both = int.from_bytes(gap, "big")
        stream.delay, stream.padding = both >> 12, both & 0xFFF
    return stream


class _Reader:
    """Reads a file through a buffer."""

    def __init__(self, file: BinaryIO, end: int) -> None:
        self.file, self.end = file, end
        self._start, self._window = 0, b""

    def at(self, position: int, size: int) -> bytes:
        """Bytes at a position, fewer at the end."""
        size = min(size, self.end - position)
        within = position - self._start
        if within < 0 or within + size > len(self._window):
            self.file.seek(position)
            self._start, within = position, 0
            self._window = self.file.read(min(max(size, _AT_ONCE), max(0, self.end - position)))
        return self._window[within : within + max(0, size)]


def behind_tags(file: BinaryIO, position: int, end: int) -> int:
    """The offset after the tags at a position."""
    while True:
        file.seek(position)
        head = file.read(32)
        if head[:3] == b"ID3" and len(head) >= 10 and max(head[6:10]) < 128:
            size = sum(byte << 7 * (3 - i) for i, byte in enumerate(head[6:10]))
            position += 10 + size + (10 if head[5] & 0x10 else 0)
        elif head[:3] == b"TAG":
            position += 128
        elif head[:8] == b"APETAGEX":
            is_header = head[20:24] and head[23] & 0x20
            position += 32 + (int.from_bytes(head[12:16], "little") if is_header else 0)
        elif head[:11] == b"LYRICSBEGIN":
            file.seek(position)
            found = re.search(rb"LYRICS200|LYRICSEND", file.read(_AT_ONCE))
            position += found.end() if found else 11
        else:
            return min(position, end)


def _without_tags(file: BinaryIO, start: int, end: int) -> int:
    """The offset of the tags at the end."""
    while end > start:
        file.seek(max(start, end - 160))
        tail = file.read(end - max(start, end - 160))
        if tail[-128:-125] == b"TAG":
            size = 128
        elif tail[-32:-24] == b"APETAGEX":
            flags = int.from_bytes(tail[-12:-8], "little")
            size = int.from_bytes(tail[-20:-16], "little") + (32 if flags >> 31 else 0)
        elif tail[-9:] == b"LYRICS200" and tail[-15:-9].isdigit():
            size = int(tail[-15:-9]) + 15
        elif tail[-10:-7] == b"3DI" and max(tail[-4:]) < 128:
            size = 20 + sum(byte << 7 * (3 - i) for i, byte in enumerate(tail[-4:]))
        else:
            return end
        end -= max(size, 1)
    return max(start, end)
