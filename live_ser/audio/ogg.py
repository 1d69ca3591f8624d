"""Ogg: the positions of its streams, and their lost pages."""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import BinaryIO

from live_ser.audio.concatenated import Link
from live_ser.audio.spliced_file import Piece

_HEADER = 27  # bytes of a page, before the sizes of its segments
_AT_ONCE = 2**20
_NO_TIME = 2**64 - 1  # the granule position of a page on which no packet ends
_MIRRORED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


@dataclass(frozen=True)
class Page:
    """A page with a valid checksum.

    Attributes:
        start: offset in the file.
        end: offset after it.
        serial: serial number of its stream.
        number: number of the page in the stream.
        granule: position in the stream, in units of the codec; None if no packet ends on it.
        first: whether it is the first page of the stream.
        last: whether it is the last page of the stream.
        head: first bytes of its packets.
    """

    start: int
    end: int
    serial: int
    number: int
    granule: int | None
    first: bool
    last: bool
    head: bytes


def ogg_links(file: BinaryIO) -> list[Link]:
    """The links of an Ogg file; empty if libsndfile cannot read all of its streams.

    Args:
        file: a file that starts with a page.
    """
    streams: list[_Stream] = []
    damaged = b""
    for page in _pages(file):
        if isinstance(page, bytes):
            damaged = page
            continue
        if page.first:
            streams.append(stream := _begun(page))
            # Sound beside a picture, or another codec: left to ffmpeg.
            if not stream.rate or (len(streams) > 1 and not streams[-2].pieces):
                return []
        elif streams and page.serial == streams[-1].serial:
            streams[-1].take(page, damaged=bool(damaged))
        elif any(page.serial == stream.serial for stream in streams):
            return []
        damaged = b""
    links = [link for stream in streams for link in stream.links()]
    if links and damaged == b"OggS" and not streams[-1].ended:
        links[-1] = replace(links[-1], lost_behind=math.inf)
    return links


def _begun(page: Page) -> _Stream:
    """The stream that starts with a page."""
    head, rate, skip = page.head, 0, 0
    if head[:7] == b"\x01vorbis":
        rate = int.from_bytes(head[12:16], "little")
    elif head[:8] == b"OpusHead":
        rate, skip = 48000, int.from_bytes(head[10:12], "little")
    elif head[:5] == b"\x7fFLAC":
        rate = int.from_bytes(head[27:30], "big") >> 4
    return _Stream(page.serial, rate, skip, (page.start, page.end), page.number)


@dataclass
class _Stream:
    """A logical stream."""

    serial: int
    rate: int  # granules per second; 0 for a codec that libsndfile does not support
    skip: int  # granules before the sound
    head: tuple[int, int]  # start and end of the header pages
    number: int  # number of the newest page
    ended: bool = False
    pieces: list[list[int]] = field(default_factory=list)  # start, end, last granule

    def take(self, page: Page, *, damaged: bool) -> None:
        """Add a page; ``damaged`` if there was invalid data before it."""
        lost = damaged or page.number != self.number + 1
        self.number, self.ended = page.number, page.last
        if not self.pieces and not page.granule:
            self.head = self.head[0], page.end
        elif not self.pieces or lost:
            self.pieces.append([page.start, page.end, page.granule or 0])
        else:
            self.pieces[-1][1:] = page.end, max(page.granule or 0, self.pieces[-1][2])

    def links(self) -> Iterator[Link]:
        """Its stretches without lost pages."""
        for number, (start, end, granule) in enumerate(self.pieces):
            if number == 0:
                yield Link([(self.head[0], end)])
            elif granule:
                pieces: list[Piece] = [self.head, (start, end)]
                yield Link(pieces, ends_at=max(0, granule - self.skip) / self.rate)


def _pages(file: BinaryIO) -> Iterator[Page | bytes]:
    """The valid pages of a file in order, and the first bytes of each invalid stretch."""
    file.seek(0)
    window, start, ended = file.read(_AT_ONCE), 0, False
    at = 0
    while True:
        if len(window) - at < 2**17 and not ended:
            more = file.read(_AT_ONCE)
            ended = not more
            window, start, at = window[at:] + more, start + at, 0
        if at >= len(window):
            return
        page = _page(window, at, start)
        if page is not None:
            yield page
            at = page.end - start
            continue
        yield window[at : at + 4]
        following = window.find(b"OggS", at + 1)
        at = following if following >= 0 else max(at + 1, len(window) - (0 if ended else 3))


def _page(window: bytes, at: int, start: int) -> Page | None:
    head = window[at : at + _HEADER]
    if len(head) < _HEADER or head[:5] != b"OggS\0":
        return None
    body = at + _HEADER + head[26]
    end = body + sum(window[at + _HEADER : body])
    if end > len(window) or _checksum(window[at:end]) != int.from_bytes(head[22:26], "little"):
        return None
    granule = int.from_bytes(head[6:14], "little")
    return Page(
        start=start + at,
        end=start + end,
        serial=int.from_bytes(head[14:18], "little"),
        number=int.from_bytes(head[18:22], "little"),
        granule=None if granule == _NO_TIME else granule,
        first=bool(head[5] & 2),
        last=bool(head[5] & 4),
        head=window[body : min(end, body + 64)],
    )


def _checksum(page: bytes) -> int:
    """Ogg's CRC: that of zlib with reversed bits and an initial value of 0."""
    data = page[:22] + bytes(4) + page[26:]
    value = zlib.crc32(data.translate(_MIRRORED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{value:032b}"[::-1], 2)
