"""The records of sessions and clips: constructors and checks.

Times are seconds from the start of the source; decibels are re full scale.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol, get_args

from live_ser.audio.blocks import Gap, Voice
from live_ser.inference.prosody import MEASURES, Prosody
from live_ser.inference.results import Decision, Prediction, Segment, State, Verdict
from live_ser.spec import SCHEMA, ModelInfo

Record = dict[str, Any]


def session_record(
    info: ModelInfo,
    source: str,
    hop: float,
    started: datetime,
    *,
    channel: int | None = None,
    track: int | None = None,
    voices: Sequence[Voice] = (),
) -> Record:
    """The start of a session, with the chosen channel and track, if any.

    If each channel is classified separately, it states their number and speakers.
    """
    names = [voice.speaker for voice in voices if voice.speaker]
    each = {"channels": len(voices), **({"names": names} if names else {})}
    return {
        "type": "session",
        "schema": SCHEMA,
        "source": source,
        "model": info.name,
        "labels": list(info.labels),
        "sample_rate": info.features.sample_rate,
        "window": info.window,
        "hop": hop,
        "started": started.isoformat(timespec="seconds"),
        **_selection(channel, track),
        **(each if voices else {}),
    }


def _selection(channel: int | None, track: int | None) -> Record:
    """The channel and track that are used, if there are several."""
    selection = {"channel": channel, "track": track}
    return {name: number for name, number in selection.items() if number is not None}


def window_record(prediction: Prediction) -> Record:
    """The prediction for a window."""
    return {
        "type": "window",
        "start": round(prediction.start, 4),
        "end": round(prediction.end, 4),
        **_decision_fields(prediction, prediction.speech),
        "since_speech": _rounded(prediction.since_speech, 3),
        "level_db": round(prediction.level_db, 1),
        "latency_ms": round(prediction.latency_ms, 2),
        "baseline": _rounded(prediction.baseline, 1),
    }


def segment_record(segment: Segment) -> Record:
    """The result for an utterance."""
    seconds = segment.end - segment.start
    return {
        "type": "segment",
        "start": round(segment.start, 4),
        "end": round(segment.end, 4),
        **_decision_fields(segment, min(1.0, segment.evidence / seconds) if seconds > 0 else 0.0),
    }


def clip_record(
    source: str,
    verdict: Verdict,
    *,
    channel: int | None = None,
    track: int | None = None,
    part: tuple[int, int] = (1, 1),
) -> Record:
    """The verdict on a clip, with its channel and track, if there are several.

    Args:
        source: name of the clip.
        verdict: the verdict.
        channel: the channel in use, from 1; None for all.
        track: the track in use, from 1; None if there is only one.
        part: number of this verdict, from 1, and number of verdicts on the clip.
    """
    record = {
        "type": "clip",
        "source": source,
        "duration": round(verdict.duration, 4),
        **_decision_fields(verdict, verdict.speech),
        "windows": verdict.windows,
        **(dict(zip(("part", "parts"), part, strict=True)) if part[1] > 1 else {}),
        "shares": verdict.shares and {k: round(v, 4) for k, v in verdict.shares.items()},
        **_selection(verdict.channel or channel, track),
        **({"taught": True} if verdict.taught else {}),
    }
    return {**record, "missing": list(map(list, verdict.missing))} if verdict.missing else record


def is_last(record: Record) -> bool:
    """Whether a record is the last of its recording or session."""
    return record["type"] in ("clip", "end") and record.get("part") == record.get("parts")


def is_first(record: Record) -> bool:
    """Whether a clip is the first of its recording, or the only one."""
    return int(record.get("part", 1)) == 1


def voice_of(record: Record) -> Voice:
    """The voice of a record, if channels or speakers are classified separately."""
    # A clip also states the channel if it was the only one in use.
    channel = record.get("channel") if record["type"] != "clip" or "parts" in record else None
    return Voice(None if channel is None else int(channel), record.get("speaker"))


def mark_record(time: float) -> Record:
    """A mark of the user."""
    return {"type": "mark", "time": round(time, 3)}


def label_record(start: float, end: float, label: str | None, guess: str | None) -> Record:
    """The user's label of an utterance, with the model's prediction.

    Args:
        start: start of its speech, in seconds from the start of the source.
        end: end of its speech, in seconds from the start of the source.
        label: the label; None if an earlier one was taken back.
        guess: the model's prediction; None if there was none.
    """
    return {
        "type": "label",
        "start": round(start, 3),
        "end": round(end, 3),
        "label": label,
        "guess": guess,
    }


def standing_labels(records: Iterable[Record]) -> list[Record]:
    """The labels in effect after a list of label records.

    A label replaces earlier ones of the same speech; a record without a label takes them back.
    """
    standing: list[Record] = []
    for record in records:
        start, end = record["start"], record["end"]
        standing = [one for one in standing if one["end"] <= start or end <= one["start"]]
        if record["label"] is not None:
            standing.append(record)
    return standing


def gap_record(start: float, gap: Gap) -> Record:
    """A gap in the sound."""
    return {
        "type": "gap",
        "start": round(start, 3),
        "end": round(start + gap.seconds, 3),
        "reason": gap.reason,
    }


def end_record(windows: int, skipped: int, overflows: int, seconds: float) -> Record:
    """The end of a session."""
    return {
        "type": "end",
        "windows": windows,
        "skipped": skipped,
        "overflows": overflows,
        "seconds": round(seconds, 3),
    }


class Writer(Protocol):
    """Writes records."""

    def write(self, record: Record) -> None:
        """Write a record, perhaps later.

        Raises:
            OSError: it cannot be written.
        """

    def close(self) -> None:
        """Write the rest; also after an interrupt, so that the output is valid."""


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


def _decision_fields(decision: Decision, speech: float) -> Record:
    probabilities = decision.probabilities
    return {
        "state": decision.state,
        "label": decision.label,
        "confidence": _rounded(decision.confidence, 6),
        "probabilities": probabilities and {k: round(v, 6) for k, v in probabilities.items()},
        "activation": _rounded(decision.activation, 6),
        "valence": _rounded(decision.valence, 6),
        "speech": round(speech, 4),
        "evidence": round(decision.evidence, 3),
        "prosody": decision.prosody and _measured(decision.prosody),
        **({} if decision.channel is None else {"channel": decision.channel}),
        **({} if decision.speaker is None else {"speaker": decision.speaker}),
    }


_DIGITS = {"pitch": 1, "pitch_low": 1, "pitch_high": 1, "loudness": 1, "loudness_change": 1}


def _measured(prosody: Prosody) -> Record:
    return {name: _rounded(getattr(prosody, name), _DIGITS.get(name, 2)) for name in MEASURES}


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


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
