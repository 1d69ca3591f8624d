"""AMR: the length of a file, which may end with silent frames that decoders drop."""

from __future__ import annotations

from typing import BinaryIO

_FRAME_SECONDS = 0.02
_NARROW, _WIDE = b"#!AMR\n", b"#!AMR-WB\n"
# Bytes of a frame by the type in its first byte; the last types hold no sound.
_BYTES = {
    _NARROW: (13, 14, 16, 18, 20, 21, 27, 32, 6, 1, 1, 1, 1, 1, 1, 1),
    _WIDE: (18, 24, 33, 37, 41, 47, 51, 59, 61, 6, 1, 1, 1, 1, 1, 1),
}


def amr_seconds(file: BinaryIO) -> float:
    """The length of an AMR file in seconds; 0 for any other file.

    Args:
        file: the file.
    """
    file.seek(0)
    head = file.read(len(_WIDE))
    magic = next((magic for magic in _BYTES if head.startswith(magic)), None)
    if magic is None:
        return 0.0
    file.seek(len(magic))
    frames, at, sizes = 0, 0, _BYTES[magic]
    while data := file.read(2**16):
        while at < len(data):
            at += sizes[data[at] >> 3 & 15]
            frames += 1
        at -= len(data)
    return frames * _FRAME_SECONDS
