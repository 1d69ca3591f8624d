"""Raw samples without a header, in a format that the user states."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from numbers import Real
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from live_ser.audio.blocks import Interleaved
from live_ser.audio.counts import checked_count
from live_ser.audio.decoder import Decoder
from live_ser.errors import AudioError, InvalidArgument
from live_ser.text import counted

RAW_EXAMPLE = "`raw=RawFormat('s16le', rate=8000, channels=1)`"
_BYTES = {"s16le": 2, "s24le": 3, "s32le": 4, "f32le": 4, "u8": 1, "mulaw": 1, "alaw": 1}
ENCODINGS = tuple(_BYTES)
TELEPHONE, TELEPHONE_RATE = ("mulaw", "alaw"), 8000  # G.711
_G711 = {".ul": "mulaw", ".ulaw": "mulaw", ".al": "alaw", ".alaw": "alaw"}
_HEADERLESS = (
    *(".pcm", ".raw", ".l16", ".s8", ".u8", ".sb", ".ub", ".sw", ".uw", ".vox"),
    *(".s16", ".s16le", ".s24le", ".s32", ".s32le", ".f32", ".f32le"),
)


@dataclass(frozen=True)
class RawFormat:
    """The format of raw samples.

    Attributes:
        encoding: encoding of a sample: ``s16le``, ``s24le``, ``s32le``, ``f32le``, ``u8``,
            ``mulaw`` or ``alaw``.
        rate: sample rate in Hz.
        channels: number of interleaved channels.

    Raises:
        InvalidArgument: there is no such encoding, rate or number of channels.
    """

    encoding: str
    rate: int = TELEPHONE_RATE
    channels: int = 1

    def __post_init__(self) -> None:
        if self.encoding not in _BYTES:
            raise InvalidArgument(
                f"raw sound of {self.encoding!r} is not known", f"one of {', '.join(ENCODINGS)}"
            )
        object.__setattr__(self, "channels", checked_count("channels", self.channels))
        is_rate = isinstance(self.rate, Real) and not isinstance(self.rate, bool)
        if not is_rate or self.rate < 1 or self.channels > 1024:
            raise InvalidArgument(
                f"there is no sound at {self.rate!r} Hz with {counted(self.channels, 'channel')}",
                "give the rate in Hz, and how many channels there are",
            )

    @property
    def frame_bytes(self) -> int:
        """Bytes of one frame: a sample of each channel."""
        return _BYTES[self.encoding] * self.channels

    @property
    def is_bounded(self) -> bool:
        """Whether no sample can be beyond full scale."""
        return self.encoding != "f32le"

    def decoded(self, data: bytes) -> Interleaved:
        """Decode whole frames to float32 ``[n, channels]``, full scale at 1."""
        whole = len(data) // self.frame_bytes * self.frame_bytes
        return _DECODERS[self.encoding](data[:whole]).reshape(-1, self.channels)


def format_of_name(path: Path) -> RawFormat | None:
    """The format of a raw file by its extension, for G.711; else None."""
    encoding = _G711.get(path.suffix.lower())
    return RawFormat(encoding) if encoding else None


def check_has_header(path: Path) -> None:
    """Refuse a file whose extension says that it has no header.

    Raises:
        AudioError: the extension is one of raw samples.
    """
    if path.suffix.lower() in _HEADERLESS:
        raise AudioError(
            f"{path} has no header: nothing says what its bytes mean", f"say it: {RAW_EXAMPLE}"
        )


class RawDecoder(Decoder):
    """Decodes a file of raw samples.

    Args:
        file: the file, which stays open.
        form: format of its samples.
    """

    def __init__(self, file: BinaryIO, form: RawFormat) -> None:
        self._file, self._form = file, form
        self.rate, self.channels = form.rate, form.channels
        self.frames = file.seek(0, 2) // form.frame_bytes
        file.seek(0)

    def read(self, frames: int) -> Interleaved:
        """Read frames."""
        return self._form.decoded(self._file.read(frames * self._form.frame_bytes))

    def rewind(self) -> None:
        """Start over."""
        self._file.seek(0)

    def close(self) -> None:
        """Does nothing: the file stays open."""


def _integers(kind: str) -> Callable[[bytes], NDArray[np.float32]]:
    full_scale = np.float32(2.0 ** (8 * np.dtype(kind).itemsize - 1))
    return lambda data: np.frombuffer(data, kind).astype(np.float32) / full_scale


def _s24le(data: bytes) -> NDArray[np.float32]:
    wide = np.zeros((len(data) // 3, 4), np.uint8)
    wide[:, 1:] = np.frombuffer(data, np.uint8).reshape(-1, 3)
    return _integers("<i4")(wide.tobytes())


def _g711(law: str) -> Callable[[bytes], NDArray[np.float32]]:
    return lambda data: _g711_values(law)[np.frombuffer(data, np.uint8)]


@cache
def _g711_values(law: str) -> NDArray[np.float32]:
    """The values of the 256 codes of G.711, full scale at 1."""
    code = np.arange(256) ^ (0xFF if law == "mulaw" else 0x55)
    exponent, mantissa = code >> 4 & 7, code & 15
    if law == "mulaw":
        size = ((mantissa * 8 + 132) << exponent) - 132
        negative = code & 0x80 > 0
    else:
        size = np.where(
            exponent, (mantissa * 16 + 264) << np.maximum(exponent - 1, 0), mantissa * 16 + 8
        )
        negative = code & 0x80 == 0
    return (np.where(negative, -size, size) / 32768).astype(np.float32)


_DECODERS: dict[str, Callable[[bytes], NDArray[np.float32]]] = {
    "s16le": _integers("<i2"),
    "s24le": _s24le,
    "s32le": _integers("<i4"),
    "f32le": lambda data: np.frombuffer(data, "<f4").astype(np.float32),
    "u8": lambda data: (np.frombuffer(data, np.uint8) - np.float32(128)) / np.float32(128),
    "mulaw": _g711("mulaw"),
    "alaw": _g711("alaw"),
}
