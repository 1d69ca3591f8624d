"""FLAC: the length of a stream by its last frame, whatever its header says."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import BinaryIO

from live_ser.audio.concatenated import Link
from live_ser.audio.spliced_file import Piece

_BEGINS = b"fLaC\0\0\0\x22"  # the magic, and the header of STREAMINFO
_TOTAL = 21  # offset of the total, of 36 bits behind four others
_AT_ONCE = 2**20  # bytes; more than a frame has
_SYNC = re.compile(rb"\xff[\xf8\xf9]")
_BLOCKS = {1: 192, 2: 576, 3: 1152, 4: 2304, 5: 4608} | {n: 2**n for n in range(8, 16)}


def flac_links(file: BinaryIO) -> list[Link]:
    """The links of a FLAC file; empty if its frames cannot be found.

    Args:
        file: a file that starts with ``fLaC``.
    """
    starts = list(_starts(file))
    ends = [*starts[1:], file.seek(0, 2)]
    links = [_link(file, start, end) for start, end in zip(starts, ends, strict=True)]
    found = [link for link in links if link is not None]
    return found if len(found) == len(links) else []


def _starts(file: BinaryIO) -> Iterator[int]:
    """Offsets at which streams start: concatenated files contain several."""
    file.seek(0)
    window, start, kept = b"", 0, len(_BEGINS) - 1
    while data := file.read(_AT_ONCE):
        window += data
        yield from (start + found.start() for found in re.finditer(_BEGINS, window))
        start, window = start + max(0, len(window) - kept), window[-kept:]


def _link(file: BinaryIO, start: int, end: int) -> Link | None:
    """The stream between two offsets, with its length corrected."""
    file.seek(start)
    head = file.read(42)
    if len(head) < 42:
        return None
    first = max(start + 42, end - _AT_ONCE)
    file.seek(first)
    tail = file.read(end - first)
    if tail[-128:-125] == b"TAG":
        tail = tail[:-128]
    total = int.from_bytes(head[_TOTAL : _TOTAL + 5], "big") & (2**36 - 1)
    for found in reversed(list(_SYNC.finditer(tail))):
        samples = _samples(tail[found.start() : found.start() + 16], head)
        if samples is None:
            continue
        begins, ends = samples
        whole = _checksum(tail[found.start() :], 0x8005, 16) == 0
        if total > ends and not whole:  # truncated, according to the header
            return Link([(start, end)])
        there = ends if whole or total >= ends else max(begins, total)
        length = (int.from_bytes(head[_TOTAL : _TOTAL + 5], "big") >> 36 << 36 | there).to_bytes(
            5, "big"
        )
        pieces: list[Piece] = [head[:_TOTAL] + length, (start + _TOTAL + 5, end)]
        return Link(pieces, lost_behind=0.0 if whole or there == total else math.inf)
    return None


def _samples(frame: bytes, head: bytes) -> tuple[int, int] | None:
    """The first sample of a frame, and the one after it; None if it is not a frame."""
    frame = frame.ljust(16, b"\0")  # the shortest are shorter than the longest header
    if frame[3] & 1 or frame[4] & 0xC0 == 0x80:
        return None
    code, ones = frame[2] >> 4, 8 - (~frame[4] & 0xFF).bit_length()
    more = max(0, ones - 1)
    number = frame[4] & (0x7F >> ones)
    for byte in frame[5 : 5 + more]:
        number = number << 6 | byte & 0x3F
    at = 5 + more
    if code in (6, 7):
        block = int.from_bytes(frame[at : at + code - 5], "big") + 1
        at += code - 5
    elif code in _BLOCKS:
        block = _BLOCKS[code]
    else:
        return None
    at += {12: 1, 13: 2, 14: 2}.get(frame[2] & 15, 0)
    if _checksum(frame[: at + 1], 0x07, 8):
        return None
    # Frames of a fixed size are numbered; others state their first sample.
    begins = number if frame[1] & 1 else number * int.from_bytes(head[10:12], "big")
    return begins, begins + block


def _checksum(data: bytes, polynomial: int, bits: int) -> int:
    top, mask, value = 1 << bits - 1, (1 << bits) - 1, 0
    for byte in data:
        value ^= byte << bits - 8
        for _ in range(8):
            value = (value << 1 ^ polynomial if value & top else value << 1) & mask
    return value
