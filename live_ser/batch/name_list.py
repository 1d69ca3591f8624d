"""A list of file names on standard input, one per line or separated by zero bytes."""

from __future__ import annotations

import codecs
import os
import re
from typing import BinaryIO

from live_ser.errors import LiveSerError

_PIECE_BYTES = 8192  # per read
_LONGEST_NAME = 4096 * 4  # bytes: no system has longer paths
_SEEN_BYTES = 2 * _LONGEST_NAME  # of the newest, that are examined together
_BOMS = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_CONTROL = re.compile(rb"[\x01-\x08\x0b\x0c\x0e-\x1f\x7f]")
_ANY_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")


def read_names(listing: BinaryIO) -> list[str]:
    """The names in a list: one per line, or separated by zero bytes.

    With a byte order mark it may be UTF-8 or UTF-16; without one, names are bytes that need not be
    text. Data that are not a list are refused early.

    Raises:
        LiveSerError: it is not a list of names, or empty.
    """
    data = bytearray()
    encoding = None
    while piece := listing.read(_PIECE_BYTES):
        encoding = _BOMS.get(bytes(piece[:2])) if not data else encoding
        data += piece
        newest = bytes(data[-_SEEN_BYTES:])
        if encoding:
            newest = newest.decode(encoding, "ignore").encode("utf-8", "replace")
        if not _looks_like_names(newest) or (encoding and b"\0" in newest):
            raise _no_list()
    if encoding:
        try:
            data = bytearray(os.fsencode(data[2:].decode(encoding)))
        except ValueError as error:  # truncated or invalid UTF-16
            raise _no_list() from error
    data = data.removeprefix(codecs.BOM_UTF8)
    found = data.split(b"\0") if b"\0" in data else data.splitlines()
    names = [os.fsdecode(bytes(name)) for name in found if name.strip()]
    if not names:
        raise LiveSerError("the list on standard input names no files", "see what writes it")
    return names


def is_plain(name: str) -> bool:
    """Whether a name has no control characters; one that does is never a folder or pattern."""
    return _ANY_CONTROL.search(name) is None


def _looks_like_names(data: bytes) -> bool:
    """Whether bytes, from anywhere in the data, can be part of a list."""
    separator = b"\0" if b"\0" in data else b"\n"
    if separator == b"\n" and _CONTROL.search(data):
        return False
    names = data.split(separator)
    if max(map(len, names)) > _LONGEST_NAME:
        return False
    if separator == b"\n":
        return True
    # There are no empty names, and UTF-16 is not a list of single letters.
    between = names[len(data) >= _SEEN_BYTES : -1]
    return all(between) and not (len(between) > 2 and all(len(name) == 1 for name in between))


def _no_list() -> LiveSerError:
    return LiveSerError(
        "what comes in on standard input is no list of names",
        "one name a line, or find -print0; sound itself: `sounds=-`",
    )
