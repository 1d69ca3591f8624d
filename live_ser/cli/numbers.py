"""Types of numeric arguments for argparse."""

from __future__ import annotations

import argparse
import math


def number(text: str) -> float:
    """A finite number."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"{text} is no number")
    return value


def amount(text: str) -> float:
    """A number from 0."""
    value = number(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"{text} is less than 0")
    return value


_LONGEST = 1e9  # seconds: thirty years


def positive(text: str) -> float:
    """A number above 0."""
    value = number(text)
    if value <= 0:
        raise argparse.ArgumentTypeError(f"{text} is not more than 0")
    if value > _LONGEST:
        raise argparse.ArgumentTypeError(f"{text} is more than {_LONGEST:.0e}")
    return value


def port(text: str) -> int:
    """The number of a port, from 0."""
    if not (text.isascii() and text.isdigit() and int(text) < 65536):
        raise argparse.ArgumentTypeError(f"{text} is not a port")
    return int(text)


def count(text: str) -> int:
    """A whole number from 1."""
    value = number(text)
    if value != int(value):
        raise argparse.ArgumentTypeError(f"{text} is no whole number")
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is less than 1")
    return int(value)
