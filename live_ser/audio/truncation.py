"""Truncation: files that end in the middle of their data, which decoders do not report."""

from __future__ import annotations

import struct
from typing import BinaryIO

from live_ser.audio.mpeg_audio import behind_tags

_ASF = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")  # the object that a file begins with
_ASF_DATA = bytes.fromhex("3626b2758e66cf11a6d900aa0062ce6c")
_ADTS_HEADER = 7  # bytes at least
_PACKETS = ((188, 0), (192, 4))  # bytes of a packet (MPEG-TS, M2TS), and those before its sync


def is_truncated(file: BinaryIO) -> bool:
    """Whether a file of ASF (WMA), ADTS (AAC) or MPEG-TS ends before its data do.

    Args:
        file: that is looked at.
    """
    size = file.seek(0, 2)
    return _asf_is(file, size) or _adts_is(file, size) or _packets_are(file, size)


def _asf_is(file: BinaryIO, size: int) -> bool:
    """ASF says how long its data are; 0 where whoever wrote it never came to its end."""
    file.seek(0)
    head = file.read(24)
    if len(head) < 24 or not head.startswith(_ASF):
        return False
    (start,) = struct.unpack_from("<Q", head, 16)
    if start + 24 > size:
        return True
    file.seek(start)
    data = file.read(24)
    return data.startswith(_ASF_DATA) and start + struct.unpack_from("<Q", data, 16)[0] > size


def _adts_is(file: BinaryIO, size: int) -> bool:
    """Each frame of ADTS says how long it is."""
    at = behind_tags(file, 0, size)
    frames = 0
    while at < size:
        file.seek(at)
        head = file.read(_ADTS_HEADER)
        if len(head) < 2 or head[0] != 0xFF or head[1] & 0xF6 != 0xF0:
            return False  # it is none, or something stands behind its frames
        if len(head) < _ADTS_HEADER:
            return frames > 0
        length = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
        if length < _ADTS_HEADER:
            return False
        at += length
        frames += 1
    return frames > 1 and at > size


def _packets_are(file: BinaryIO, size: int) -> bool:
    """Packets of MPEG-TS are all of one length."""
    for length, before in _PACKETS:
        whole, rest = divmod(size, length)
        starts = [before, length + before, whole * length + before]
        if whole > 1 and rest > before and all(_byte(file, at) == b"G" for at in starts):
            return True
    return False


def _byte(file: BinaryIO, at: int) -> bytes:
    file.seek(at)
    return file.read(1)
