"""Text for people: made safe to show, and results in words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

# Characters that affect a terminal: control codes, line breaks, direction overrides, and bytes that
# are not text.
_ACTING = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
_ESCAPE = re.compile(r"\\(u[0-9a-f]{4})")
_UNSAFE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def printable(text: str) -> str:
    """Text as one line, without characters that affect the terminal or the text around it.

    Control codes, line breaks, direction overrides, broken surrogates and the like are replaced by
    U+FFFD; every kind of space becomes an ordinary one.
    """
    return "".join(_shown(character) for character in text)


def in_html(text: str) -> str:
    """Printable text, escaped for HTML."""
    import html  # only for pages

    return html.escape(printable(text))


def _shown(character: str) -> str:
    category = unicodedata.category(character)
    if category in _UNSAFE:
        return "\N{REPLACEMENT CHARACTER}"
    return " " if category == "Zs" else character


def disarmed(text: str) -> str:
    r"""Text for programs, in which characters that affect a terminal are escaped.

    They become ``\uXXXX``, as in JSON.
    """
    if text.isascii() and text.isprintable():  # nearly every text, at a tenth of the cost
        return text
    return _ACTING.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def escaped(name: str) -> str:
    r"""A name for tables, escaped reversibly: :func:`unescaped` gives the name back.

    The backslash of a name that contains ``\uXXXX`` is escaped, too.
    """
    return disarmed(_ESCAPE.sub(r"\\u005c\1", name))


def unescaped(text: str) -> str:
    """The name that :func:`escaped` wrote."""
    return _ESCAPE.sub(lambda found: chr(int(found[1][1:], 16)), text)


def in_words(record: Mapping[str, Any]) -> str:
    """A result in words, such as ``happy 81 %``."""
    # Only a window waits for more speech; a clip or a segment is over.
    if record["state"] == "listening" and "since_speech" not in record:
        return "too little speech"
    if record["label"] is None:
        return str(record["state"])
    guess = f"{record['label']} {percent(record['confidence'])}"
    return f"uncertain ({guess}?)" if record["state"] == "uncertain" else guess


def prosody_words(prosody: Mapping[str, Any] | None) -> tuple[str, ...]:
    """The prosody, and how it differs from the usual, as lines; empty without prosody.

    The first is the fullest, such as ``5 dB louder, 20 % faster than usual (182 Hz, -23 dB, 4.6
    syllables/s)``; each of the others leaves out one thing more, for narrower terminals.

    Args:
        prosody: the field of a record.
    """
    if not prosody:
        return ()
    units = (("pitch", "{:.0f} Hz"), ("loudness", "{:.0f} dB"), ("rate", "{:.1f} syllables/s"))
    measures = _fewer(
        [form.format(prosody[name]) for name, form in units if prosody[name] is not None]
    )
    if prosody["loudness_change"] is None:
        return tuple(measures)
    changes = [f"{words} than usual" for words in _fewer(_changes(prosody))] or ["as usual"]
    return (*(f"{changes[0]} ({measure})" for measure in measures), *changes)


def _fewer(parts: Sequence[str]) -> list[str]:
    """All parts in a line, then without the last one, and so on to the first alone."""
    return [", ".join(parts[:count]) for count in range(len(parts), 0, -1)]


def _changes(prosody: Mapping[str, Any]) -> list[str]:
    """Audible changes: from 2 dB, 1 semitone, and a tenth of the rate on."""
    loudness, pitch = prosody["loudness_change"], prosody["pitch_change"] or 0.0
    changes = []
    if abs(loudness) >= 2:
        changes.append(f"{abs(loudness):.0f} dB {'louder' if loudness > 0 else 'softer'}")
    if abs(pitch) >= 1:
        semitones = counted(round(abs(pitch)), "semitone")
        changes.append(f"{semitones} {'higher' if pitch > 0 else 'lower'}")
    rate = prosody["rate_change"] or 1.0
    if abs(rate - 1) >= 0.1:
        share = round(10 * abs(rate - 1)) / 10  # it is not known more exactly
        changes.append(f"{percent(share)} {'faster' if rate > 1 else 'slower'}")
    return changes


def abbreviations(labels: Sequence[str], min_length: int = 1) -> dict[str, str]:
    """The shortest unique prefix of each label.

    Args:
        labels: the labels.
        min_length: minimum length of a prefix.
    """
    short = {}
    for label in labels:
        others = [other for other in labels if other != label]
        size = min_length
        while size < len(label) and any(other.startswith(label[:size]) for other in others):
            size += 1
        short[label] = label[:size]
    return short


def counted(count: int, thing: str) -> str:
    """A count with its noun, such as ``1 take`` or ``21 takes``."""
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


def percent(share: float) -> str:
    """A share in whole percent, such as ``81 %``.

    Probabilities are rounded one by one, so that the same one reads the same everywhere; those of
    all labels may add up to 99 or 101 %. See :func:`percentages` for shares of a whole.

    Args:
        share: share, 0 to 1.
    """
    return f"{100 * share:.0f} %"


def percentages(amounts: Mapping[str, float]) -> dict[str, int]:
    """The share of each amount in their sum, in whole percent that add up to 100.

    They are rounded by the method of the largest remainder.

    Args:
        amounts: amounts by name, not negative.

    Returns:
        Percentages by name; zeros if there is nothing to share.
    """
    total = sum(amounts.values())
    if not total:
        return dict.fromkeys(amounts, 0)
    exact = {name: 100 * amount / total for name, amount in amounts.items()}
    whole = {name: int(share) for name, share in exact.items()}
    left = 100 - sum(whole.values())
    for name in sorted(exact, key=lambda name: whole[name] - exact[name])[:left]:
        whole[name] += 1
    return whole


def clock(seconds: float) -> str:
    """Hours, minutes and seconds, 0:07:09."""
    whole = int(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"


def clock_ticks(first: float, last: float, max_ticks: int = 8) -> list[int]:
    """Round times between two times, in seconds, for a time axis.

    Args:
        first: start of the axis in seconds.
        last: end of the axis in seconds.
        max_ticks: maximum number of steps between them.
    """
    step = next((step for step in _STEPS if (last - first) / step <= max_ticks), _STEPS[-1])
    while (last - first) / step > max_ticks:
        step *= 2
    return list(range(-int(-first // step) * step, int(last) + 1, step))


_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600)  # seconds
