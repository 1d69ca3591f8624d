"""WAV, RF64, AIFF and AU: the position of the sound, whatever the sizes in the header say."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Literal

from live_ser.audio.concatenated import Link
from live_ser.audio.mpeg_audio import mpeg_links
from live_ser.audio.spliced_file import Piece
from live_ser.audio.wav_header import UNKNOWN_SIZE

_WRAPS = 2**32  # bytes, at which a size field overflows
_MPEG = (0x50, 0x55)  # formats of WAV
_NAMED = frozenset(b" abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_(c)")
_PADDING = 2**16  # bytes of zeros that may follow at the end


@dataclass(frozen=True)
class _Form:
    """A file format of chunks."""

    order: Literal["little", "big"]  # of the bytes of its numbers
    sound: bytes  # name of the chunk of sound
    before: int  # bytes in this chunk before the sound


_WAV, _AIFF = _Form("little", b"data", 0), _Form("big", b"SSND", 8)


@dataclass(frozen=True)
class _Sound:
    """A chunk of sound: its position, and the size that its header states."""

    chunks: dict[bytes, bytes]  # those before it
    start: int
    end: int
    promised: int  # bytes, as its size field says

    @property
    def cut(self) -> int:
        """Bytes missing after it."""
        short = self.start + self.promised - self.end
        return max(0, short) if self.promised < UNKNOWN_SIZE else 0

    @property
    def fits(self) -> bool:
        """Whether its size field is right."""
        return self.end - self.start == self.promised


def wav_links(file: BinaryIO) -> list[Link]:
    """The links of a WAV or RF64 file; empty if its header is right, or beyond repair.

    Args:
        file: a file that starts with ``RIFF``, ``RF64`` or ``BW64``.
    """
    sounds = list(_sounds(file, _WAV))
    shapes = [_wav_shape(sound.chunks.get(b"fmt ", b"")) for sound in sounds]
    if not sounds or None in shapes:
        return []
    if len(sounds) == 1 and sounds[0].fits and shapes[0] and shapes[0][0] not in _MPEG:
        return []
    links: list[Link] = []
    for sound, shape in zip(sounds, shapes, strict=True):
        assert shape is not None
        code, speed = shape
        if code in _MPEG:
            links += mpeg_links(file, sound.start, sound.end)
            continue
        lost = sound.cut / speed
        pieces: list[Piece] = [_wav_header(sound), (sound.start, sound.end)]
        links.append(Link(pieces, lost_behind=lost))
    return links


def aiff_links(file: BinaryIO) -> list[Link]:
    """The links of an AIFF file; empty if its header is right, or beyond repair.

    Args:
        file: a file that starts with ``FORM``.
    """
    links: list[Link] = []
    sounds = list(_sounds(file, _AIFF))
    if len(sounds) == 1 and sounds[0].fits:
        return []
    for sound in sounds:
        common = sound.chunks.get(b"COMM", b"")
        if len(common) < 18:
            return []
        channels, _, bits, exponent, mantissa = struct.unpack(">hIhHQ", common[:18])
        frame = channels * ((bits + 7) // 8)
        rate = math.ldexp(mantissa, max(-100, min(exponent - 16383 - 63, 0)))
        if frame < 1 or rate < 1:
            return []
        size = sound.end - sound.start
        count = struct.pack(">I", min(size // frame, _WRAPS - 1))
        kind = b"AIFC" if len(common) > 18 else b"AIFF"
        header = _chunk(b"COMM", common[:2] + count + common[6:], ">")
        header += b"SSND" + struct.pack(">III", min(size + 8, _WRAPS - 1), 0, 0)
        form = b"FORM" + struct.pack(">I", min(4 + len(header) + size, _WRAPS - 1)) + kind
        pieces: list[Piece] = [form + header, (sound.start, sound.end)]
        links.append(Link(pieces, lost_behind=sound.cut / frame / rate))
    return links


def au_links(file: BinaryIO) -> list[Link]:
    """The link of an AU file; empty if its header is right, or beyond repair.

    Args:
        file: a file that starts with ``.snd``.
    """
    end = file.seek(0, 2)
    file.seek(0)
    head = file.read(24)
    if len(head) < 24:
        return []
    start, size, coding, rate, channels = struct.unpack(">5I", head[4:])
    there = end - start
    if there <= 0 or size == there or not rate or not channels or coding not in _AU_BYTES:
        return []
    short = size - there if there < size < UNKNOWN_SIZE else 0
    header = head[:8] + struct.pack(">I", min(there, _WRAPS - 1)) + head[12:]
    speed = _AU_BYTES[coding] * channels * rate
    return [Link([header, (24, end)], lost_behind=short / speed)]


_AU_BYTES = {1: 1, 2: 1, 3: 2, 4: 3, 5: 4, 6: 4, 7: 8, 27: 1}  # of a sample, by its coding


def _sounds(file: BinaryIO, form: _Form) -> Iterator[_Sound]:
    """The chunks of sound in a file, and in files appended to it."""
    size = file.seek(0, 2)
    position, chunks, long = 12, dict[bytes, bytes](), 0
    while (head := _head(file, position, form)) is not None:
        name, length = head
        start = position + 8
        if _begins_file(file, position):
            position, chunks, long = position + 12, {}, 0
            continue
        if name == b"ds64":
            long = int.from_bytes(_at(file, start + 8, 8), "little")
        elif name == form.sound:
            length = long if length == _WRAPS - 1 and long else length
            start, length = start + form.before, max(0, length - form.before)
            end = _end(file, start, length, size, form)
            if end > start:
                yield _Sound(chunks, start, end, length)
            position = end + (end & 1)
            continue
        elif length <= _PADDING:
            chunks = {**chunks, name: _at(file, start, length)}
        position = start + length + (length & 1)


def _end(file: BinaryIO, start: int, length: int, size: int, form: _Form) -> int:
    """The end of a chunk of sound with a stated length, in a file of a given size."""
    for end in range(start + length, size + 1, _WRAPS):
        if _goes_on(file, end, size, form):
            return end
    return size


def _goes_on(file: BinaryIO, position: int, size: int, form: _Form) -> bool:
    """Whether only chunks, another file, or padding follow up to the end."""
    position += position & 1
    while position < size:
        if _begins_file(file, position):
            return True
        head = _head(file, position, form)
        if head is None or not _NAMED.issuperset(head[0]):
            rest = _at(file, position, _PADDING)
            tagged = rest[:3] in (b"ID3", b"TAG")
            return tagged or (position + len(rest) == size and not rest.strip(b"\0"))
        position += 8 + head[1] + (head[1] & 1)
    return position <= size + 1


def _begins_file(file: BinaryIO, position: int) -> bool:
    head = _at(file, position, 12)
    return (head[:4], head[8:]) in _FILES


_FILES = (
    *((name, b"WAVE") for name in (b"RIFF", b"RF64", b"BW64")),
    *((b"FORM", name) for name in (b"AIFF", b"AIFC")),
)


def _head(file: BinaryIO, position: int, form: _Form) -> tuple[bytes, int] | None:
    head = _at(file, position, 8)
    if len(head) < 8:
        return None
    return head[:4], int.from_bytes(head[4:], form.order)


def _at(file: BinaryIO, position: int, size: int) -> bytes:
    file.seek(position)
    return file.read(size)


def _wav_shape(shape: bytes) -> tuple[int, float] | None:
    """The code of a format, and its bytes per second; None if it is invalid."""
    if len(shape) < 16:
        return None
    code, _, rate, speed, align, _ = struct.unpack("<HHIIHH", shape[:16])
    uncoded = code in (1, 3, 6, 7, 0xFFFE)
    return (code, rate * align if uncoded else speed) if rate and (align or speed) else None


def _wav_header(sound: _Sound) -> bytes:
    size = sound.end - sound.start
    header = b"WAVE" + _chunk(b"fmt ", sound.chunks[b"fmt "], "<")
    if size + len(header) + 8 < UNKNOWN_SIZE:
        return (
            b"RIFF" + struct.pack("<I", len(header) + 8 + size) + header + b"data" + _number(size)
        )
    sizes = struct.pack("<QQQI", len(header) + 8 + 36 + size, size, 0, 0)
    any_size = _number(_WRAPS - 1)
    header = header[:4] + _chunk(b"ds64", sizes, "<") + header[4:]
    return b"RF64" + any_size + header + b"data" + any_size


def _number(value: int) -> bytes:
    return struct.pack("<I", value)


def _chunk(name: bytes, content: bytes, order: str) -> bytes:
    return name + struct.pack(f"{order}I", len(content)) + content + bytes(len(content) & 1)
