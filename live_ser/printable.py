"""Text from outside (file names, device names, labels), made safe to show."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

# What acts on a terminal even in data for programs, which keep the rest of a name as it is: control
# codes, line breaks, direction overrides, and bytes that are no text.
_ACTING = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
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


def disarmed(text: str, instead: Callable[[str], str]) -> str:
    """Text for programs, in which nothing acts on a terminal that it is shown on.

    Args:
        text: to be written.
        instead: gives what stands for a character that would act.
    """
    return _ACTING.sub(lambda found: instead(found[0]), text)
