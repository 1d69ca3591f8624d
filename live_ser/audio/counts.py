"""Whole numbers that count from 1: of channels, of tracks."""

from __future__ import annotations

from numbers import Integral

from live_ser.errors import InvalidArgument


def checked_count(name: str, value: object) -> int:
    """A whole number from 1 on.

    Args:
        name: name of the argument.
        value: the argument.

    Raises:
        InvalidArgument: it is something else.
    """
    if isinstance(value, bool) or not isinstance(value, Integral) or value < 1:
        raise InvalidArgument(f"{name}: {value!r:.60} is no number from 1 on", "count from 1")
    return int(value)
