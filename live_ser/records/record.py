"""The records of sessions and clips.

Times are seconds from the start of the source; decibels are re full scale.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Protocol

from live_ser.audio.blocks import Gap, Voice
from live_ser.inference.prosody import MEASURES, Prosody
from live_ser.inference.results import Decision, Prediction, Segment, Verdict
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
