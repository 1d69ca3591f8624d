"""A minimal reader and writer of protocol buffer messages, without their schema."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

Value = int | str | bytes
"""A number of at least 0, or what a string or message consists of."""

_LONGEST = 63  # bits of a number
_WIDTHS = {1: 8, 5: 4}  # bytes of the wire types whose length is fixed


def fields(message: memoryview) -> dict[int, list[Any]]:
    """The values of each field, by its number; an empty list for an absent one.

    A value is an int, or a memoryview of the bytes of a string, packed numbers or a message.
    See https://protobuf.dev/programming-guides/encoding/.

    Raises:
        IndexError: the message is truncated.
        ValueError: it is not a message.
    """
    found: dict[int, list[Any]] = defaultdict(list)
    for number, value in each_field(message):
        found[number].append(value)
    return found


def each_field(message: memoryview) -> Iterator[tuple[int, Any]]:
    """Yield the number and the value of each field, see :func:`fields`."""
    at = 0
    while at < len(message):
        key, at = _number(message, at)
        wire_type = key & 7
        if wire_type == 0:
            value, at = _number(message, at)
            yield key >> 3, value
            continue
        if wire_type == 2:
            length, at = _number(message, at)
        elif wire_type in _WIDTHS:
            length = _WIDTHS[wire_type]
        else:
            raise ValueError(f"wire type {wire_type}")
        yield key >> 3, message[at : at + length]
        at += length


def _number(message: memoryview, at: int) -> tuple[int, int]:
    """A varint, and the offset after it."""
    number = shift = 0
    while True:
        byte = message[at]
        number |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return number, at
        if shift > _LONGEST:
            raise ValueError("a number without an end")


def message(*numbered: tuple[int, Value]) -> bytes:
    """A message of fields with their numbers, in this order."""
    parts = []
    for number, value in numbered:
        if isinstance(value, int):
            parts += [_varint(number << 3), _varint(value)]
        else:
            data = value.encode() if isinstance(value, str) else value
            parts += [_varint(number << 3 | 2), _varint(len(data)), data]
    return b"".join(parts)


def _varint(number: int) -> bytes:
    groups = [number & 0x7F]
    while number := number >> 7:
        groups.append(number & 0x7F)
    return bytes([*(group | 0x80 for group in groups[:-1]), groups[-1]])
