"""Truncation: files that end in the middle of their data, which decoders do not report."""

from __future__ import annotations

import struct
from typing import BinaryIO

from live_ser.audio.adts import begins_adts
from live_ser.audio.mpeg_audio import behind_tags

_ASF = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")  # the object that a file begins with
_ASF_DATA = bytes.fromhex("3626b2758e66cf11a6d900aa0062ce6c")
_ADTS_HEADER = 7  # bytes at least
_PACKETS = ((188, 0), (192, 4))  # bytes of a packet (MPEG-TS, M2TS), and those before its sync


def is_truncated(file: BinaryIO) -> bool:
    """Whether a file of ASF (WMA), ADTS (AAC) or MPEG-TS ends before its data; False for others.

    Args:
        file: the file.
    """
    size = file.seek(0, 2)
    return (
        _is_truncated_asf(file, size)
        or _is_truncated_adts(file, size)
        or _is_truncated_mpegts(file, size)
    )


def _is_truncated_asf(file: BinaryIO, size: int) -> bool:
    """Whether a file of ASF is shorter than the size of its data, which is 0 if it is unknown."""
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


def _is_truncated_adts(file: BinaryIO, size: int) -> bool:
    """Whether a file of ADTS ends within a frame, each of which states its length."""
    at = behind_tags(file, 0, size)
    frames = 0
    while at < size:
        file.seek(at)
        head = file.read(_ADTS_HEADER)
        if not begins_adts(head):
            return False  # it is another format, or something else follows the frames
        if len(head) < _ADTS_HEADER:
            return frames > 0
        length = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
        if length < _ADTS_HEADER:
            return False
        at += length
        frames += 1
    return frames > 1 and at > size


def _is_truncated_mpegts(file: BinaryIO, size: int) -> bool:
    """Whether a file of MPEG-TS ends within a packet, all of which have the same length."""
    for length, before in _PACKETS:
        whole, rest = divmod(size, length)
        starts = [before, length + before, whole * length + before]
        if whole > 1 and rest > before and all(_byte(file, at) == b"G" for at in starts):
            return True
    return False


def _byte(file: BinaryIO, at: int) -> bytes:
    file.seek(at)
    return file.read(1)
