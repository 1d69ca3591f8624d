"""Messages of protocol buffers, read without what their types are called."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

_WIDTHS = {1: 8, 5: 4}  # bytes of the wire types whose length is fixed


def fields(message: memoryview) -> dict[int, list[Any]]:
    """The values of each field, by its number; none of those that are not there.

    A value is an int, or a memoryview of bytes: text, numbers or a message, whatever its type says.
    See https://protobuf.dev/programming-guides/encoding/.

    Raises:
        IndexError: it ends too soon.
        ValueError: it is no such message.
    """
    found: dict[int, list[Any]] = defaultdict(list)
    at = 0
    while at < len(message):
        key, at = _number(message, at)
        wire_type = key & 7
        if wire_type == 0:
            value, at = _number(message, at)
            found[key >> 3].append(value)
            continue
        if wire_type == 2:
            length, at = _number(message, at)
        elif wire_type in _WIDTHS:
            length = _WIDTHS[wire_type]
        else:
            raise ValueError(f"wire type {wire_type}")
        found[key >> 3].append(message[at : at + length])
        at += length
    return found


def _number(message: memoryview, at: int) -> tuple[int, int]:
    """A number of seven bits a byte, and where it ends."""
    number = shift = 0
    while True:
        byte = message[at]
        number |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return number, at
