"""A recorder of LSL streams into an XDF file, as LabRecorder writes them.

The format is that of https://github.com/sccn/xdf/wiki/Specifications, version 1.0.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import pylsl

_HEADER, _STREAM, _SAMPLES, _OFFSET, _FOOTER = 1, 2, 3, 4, 6  # tags of chunks


class Recorder:
    """Writes streams into a file.

    Args:
        path: path of the file.
        names: names of the streams.
    """

    def __init__(self, path: Path, names: Sequence[str]) -> None:
        self._file = path.open("wb")
        self._file.write(b"XDF:")
        self._chunk(_HEADER, b"<?xml version='1.0'?><info><version>1.0</version></info>")
        self._inlets = []
        for number, name in enumerate(names, start=1):
            (found,) = pylsl.resolve_byprop("name", name, timeout=60)
            inlet = pylsl.StreamInlet(found)
            inlet.open_stream(timeout=60)
            self._inlets.append(inlet)
            self._chunk(_STREAM, struct.pack("<I", number) + inlet.info().as_xml().encode())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.write()
        for number in range(1, len(self._inlets) + 1):
            self._chunk(_FOOTER, struct.pack("<I", number) + b"<info/>")
        self._file.close()

    def write(self) -> None:
        """Write the new samples, and the offset of each stream's clock."""
        for number, inlet in enumerate(self._inlets, start=1):
            samples, stamps = inlet.pull_chunk(timeout=1.0, max_samples=1024)
            data = struct.pack("<I", number) + _length(len(stamps))
            for sample, stamp in zip(samples, stamps, strict=True):
                data += b"\x08" + struct.pack("<d", stamp) + _values(sample)
            if stamps:
                self._chunk(_SAMPLES, data)
            offset = struct.pack("<Idd", number, pylsl.local_clock(), inlet.time_correction())
            self._chunk(_OFFSET, offset)

    def _chunk(self, tag: int, content: bytes) -> None:
        self._file.write(_length(len(content) + 2) + struct.pack("<H", tag) + content)


def _length(number: int) -> bytes:
    return b"\x04" + struct.pack("<I", number)


def _values(sample: Sequence[Any]) -> bytes:
    if isinstance(sample[0], str):
        texts = [text.encode() for text in sample]
        return b"".join(_length(len(text)) + text for text in texts)
    return struct.pack(f"<{len(sample)}f", *sample)
