"""The schema of records: the fields of each type, and a check that a record is valid."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import get_args

from live_ser.inference.results import State
from live_ser.spec import SCHEMA

_Check = Callable[[object], bool]
_MOST = 1e12  # limit of all numbers, far beyond any time, level or count


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_number(value: object) -> bool:
    if type(value) is float:  # the common case, for speed
        return -_MOST <= value <= _MOST
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and -_MOST <= value <= _MOST  # type: ignore[operator]


def _is_amount(value: object) -> bool:
    return _is_number(value) and value >= 0  # type: ignore[operator]


def _is_share(value: object) -> bool:
    if type(value) is float:
        return 0 <= value <= 1
    return _is_number(value) and 0 <= value <= 1  # type: ignore[operator]


def _is_valence(value: object) -> bool:
    return _is_number(value) and -1 <= value <= 1  # type: ignore[operator]


def _are_measures(value: object) -> bool:
    return isinstance(value, Mapping) and all(x is None or _is_number(x) for x in value.values())


def _are_shares(value: object) -> bool:
    return isinstance(value, Mapping) and all(map(_is_share, value.values()))


def _are_spans(value: object) -> bool:
    return isinstance(value, list) and all(
        isinstance(span, list)
        and len(span) == 2
        and _is_amount(span[0])
        and (span[1] is None or _is_amount(span[1]))
        for span in value
    )


def _are_labels(value: object) -> bool:
    return isinstance(value, list) and len(value) > 1 and all(map(_is_text, value))


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _or_none(check: _Check) -> _Check:
    return lambda value: value is None or check(value)


_DECISION: dict[str, _Check] = {
    "state": lambda value: value in get_args(State),
    "label": _or_none(_is_text),
    "confidence": _or_none(_is_share),
    "probabilities": _or_none(_are_shares),
    "activation": _or_none(_is_share),
    "speech": _is_share,
}

# Fields that older records lack.
_ADDED: dict[str, _Check] = {
    "valence": _or_none(_is_valence),
    "prosody": _or_none(_are_measures),
    "channel": _is_amount,
    "speaker": _is_text,
}

# Fields that state the source of records of a batch.
_ORIGIN: dict[str, _Check] = {"source": _is_text, "key": _is_text}

# Required fields of each type of record; OPTIONAL lists the others.
FIELDS: dict[str, dict[str, _Check]] = {
    "session": {
        "schema": lambda value: value == SCHEMA,
        "source": _is_text,
        "model": _is_text,
        "labels": _are_labels,
        "sample_rate": _is_amount,
        "window": _is_amount,
        "hop": _is_amount,
        "started": _is_text,
    },
    "window": {
        "start": _is_amount,
        "end": _is_amount,
        **_DECISION,
        "level_db": _is_number,
        "latency_ms": _is_amount,
    },
    "segment": {"start": _is_amount, "end": _is_amount, **_DECISION},
    "clip": {
        "source": _is_text,
        "duration": _is_amount,
        **_DECISION,
        "windows": _is_amount,
    },
    "mark": {"time": _is_amount},
    "label": {
        "start": _is_amount,
        "end": _is_amount,
        "label": _or_none(_is_text),
        "guess": _or_none(_is_text),
    },
    "gap": {"start": _is_amount, "end": _is_amount, "reason": _is_text},
    "end": {
        "windows": _is_amount,
        "skipped": _is_amount,
        "overflows": _is_amount,
        "seconds": _is_amount,
    },
}
OPTIONAL: dict[str, dict[str, _Check]] = {
    "window": {
        **_ORIGIN,
        "evidence": _is_amount,
        "since_speech": _or_none(_is_amount),
        "baseline": _or_none(_is_amount),
        **_ADDED,
    },
    "segment": {**_ORIGIN, "evidence": _is_amount, **_ADDED},
    "session": {
        "channel": _is_amount,
        "track": _is_amount,
        "channels": _is_amount,
        "names": _are_texts,
    },
    "clip": {
        "shares": _or_none(_are_shares),
        "missing": _are_spans,
        "taught": lambda value: isinstance(value, bool),
        **_ORIGIN,
        "judged_with": _is_text,
        "evidence": _is_amount,
        "part": _is_amount,
        "parts": _is_amount,
        "track": _is_amount,
        **_ADDED,
    },
}


def check_record(record: object) -> None:
    """Check that a record is valid.

    Raises:
        ValueError: it is not; the message says why.
    """
    if not isinstance(record, dict):
        raise ValueError("it is not an object")
    kind = record.get("type")
    if not isinstance(kind, str) or kind not in FIELDS:
        raise ValueError(f"there is no record of type {kind!r:.40}")
    for name, allowed in FIELDS[kind].items():
        if name not in record:
            raise ValueError(f"a {kind} record without {name}")
        if not allowed(record[name]):
            raise ValueError(f"{name} is {record[name]!r:.40} in a {kind} record")
    for name, allowed in OPTIONAL.get(kind, {}).items():
        if name in record and not allowed(record[name]):
            raise ValueError(f"{name} is {record[name]!r:.40} in a {kind} record")
