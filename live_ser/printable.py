"""Text from outside (file names, device names, labels), made safe to show."""

from __future__ import annotations

import unicodedata

_UNSAFE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def printable(text: str) -> str:
    """One line of text in which nothing acts on the terminal or on the text beside it.

    Control codes, line breaks, direction overrides, broken surrogates and the like are replaced by
    U+FFFD; every kind of space becomes an ordinary one.
    """
    return "".join(_shown(character) for character in text)


def _shown(character: str) -> str:
    category = unicodedata.category(character)
    if category in _UNSAFE:
        return "\N{REPLACEMENT CHARACTER}"
    return " " if category == "Zs" else character
