"""The header of a WAV file that comes through a pipe."""

from __future__ import annotations

import struct
from collections.abc import Callable

from live_ser.audio.raw_sound import RawFormat

_PCM, _FLOAT, _ALAW, _MULAW, _EXTENSIBLE = 1, 3, 6, 7, 0xFFFE
_ENCODINGS = {
    (_PCM, 8): "u8",
    (_PCM, 16): "s16le",
    (_PCM, 24): "s24le",
    (_PCM, 32): "s32le",
    (_FLOAT, 32): "f32le",
    (_ALAW, 8): "alaw",
    (_MULAW, 8): "mulaw",
}

UNKNOWN_SIZE = 0x7FFF0000
"""Bytes from which a stated size means nothing: a writer to a pipe does not know the size."""

_LONGEST_CHUNK = 2**20  # bytes, before the sound


def read_wav_header(read: Callable[[int], bytes]) -> tuple[RawFormat, int | None] | None:
    """Read a WAV header, up to the start of the sound.

    Args:
        read: function that reads a number of bytes; fewer only at the end.

    Returns:
        The format, and the number of bytes of sound, None if unknown; or None if this is not a WAV
        file of PCM, float or G.711.
    """
    head = read(12)
    if head[:4] not in (b"RIFF", b"RF64") or head[8:] != b"WAVE":
        return None
    form: RawFormat | None = None
    while len(chunk := read(8)) == 8:
        name, size = struct.unpack("<4sI", chunk)
        if name == b"data":
            return (form, size if 0 < size < UNKNOWN_SIZE else None) if form else None
        if size > _LONGEST_CHUNK:
            return None
        data = read(size + size % 2)
        if name == b"fmt " and len(data) >= 16:
            form = _format(data)
    return None


def _format(data: bytes) -> RawFormat | None:
    code, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", data)
    if code == _EXTENSIBLE and len(data) >= 26:
        code = int.from_bytes(data[24:26], "little")
    encoding = _ENCODINGS.get((code, bits))
    return RawFormat(encoding, rate, channels) if encoding and rate and channels else None
