"""Records are written, read back the same, and checked."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from conftest import LABELS, tiny_info
from hypothesis import given
from hypothesis import strategies as st

from live_ser.archive import Verdict
from live_ser.errors import LiveSerError
from live_ser.monitor import Prediction
from live_ser.records import (
    Csv,
    JsonLines,
    Record,
    check_record,
    clip_record,
    end_record,
    gap_record,
    mark_record,
    read_records,
    session_record,
    window_record,
)
from live_ser.sources import Gap


def prediction(**changes: Any) -> Prediction:
    probabilities = dict(zip(LABELS, (0.7, 0.1, 0.1, 0.1), strict=True))
    values: dict[str, Any] = {
        "start": 1.0,
        "end": 4.5,
        "state": "speech",
        "label": "neutral",
        "confidence": 0.7,
        "probabilities": probabilities,
        "raw": probabilities,
        "activation": 0.25,
        "speech": 0.74,
        "evidence": 2.59,
        "since_speech": 0.012,
        "level_db": -23.1,
        "latency_ms": 2.9,
    }
    return Prediction(**{**values, **changes})


SILENT = {
    "state": "silence",
    "label": None,
    "confidence": None,
    "probabilities": None,
    "raw": None,
    "activation": None,
    "since_speech": None,
}


def every_kind(source: str = "clip.wav") -> list[Record]:
    started = datetime(2026, 1, 31, 12, tzinfo=UTC)
    judged = dict(zip(LABELS, (0.1, 0.1, 0.1, 0.7), strict=True))
    verdict = Verdict(3.6, "uncertain", "angry", 0.7, judged, 0.9, 0.5, 1.8, 1)
    return [
        session_record(tiny_info(), source, 0.5, started),
        window_record(prediction()),
        window_record(prediction(**SILENT)),
        mark_record(4.6),
        gap_record(5.0, Gap(2.5, "microphone gone")),
        clip_record(source, verdict),
        end_record(2, 0, 1, 7.5),
    ]


def test_json_lines_are_read_back_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "session.jsonl"
    with path.open("w", encoding="utf-8") as stream:
        writer = JsonLines(stream)
        for record in every_kind():
            writer.write(record)
    assert list(read_records(path)) == every_kind()


def test_csv_is_read_back_but_for_sessions_and_their_ends(tmp_path: Path) -> None:
    path = tmp_path / "session.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = Csv(stream, LABELS)
        for record in every_kind():
            writer.write(record)
    kept = [r for r in every_kind() if r["type"] not in ("session", "end")]
    read = list(read_records(path))
    assert [{k: v for k, v in r.items() if v is not None} for r in read] == [
        {k: v for k, v in r.items() if v is not None} for r in kept
    ]


def test_a_session_that_was_killed_is_read_up_to_its_last_whole_line(tmp_path: Path) -> None:
    path = tmp_path / "killed.jsonl"
    lines = [json.dumps(record) for record in every_kind()]
    path.write_text("\n".join(lines[:3]) + "\n" + lines[3][:-5])
    assert list(read_records(path)) == every_kind()[:3]


@given(st.text())
def test_no_source_name_breaks_a_line_or_acts_on_the_terminal(name: str) -> None:
    stream = io.StringIO()
    JsonLines(stream).write(every_kind(name)[0])
    text = stream.getvalue()
    assert text.count("\n") == 1
    assert not [c for c in text[:-1] if ord(c) < 32 or 127 <= ord(c) < 160]
    text.encode("utf-8")
    assert json.loads(text)["source"] == name


@pytest.mark.parametrize(
    ("kind", "change", "said"),
    [
        ("window", {"state": "happy"}, "state"),
        ("window", {"confidence": 1.5}, "confidence"),
        ("window", {"start": "soon"}, "start"),
        ("window", {"probabilities": {"happy": -1}}, "probabilities"),
        ("window", {"level_db": float("nan")}, "level_db"),
        ("session", {"schema": 2}, "schema"),
        ("session", {"labels": []}, "labels"),
        ("end", {"windows": None}, "windows"),
        ("end", {"windows": True}, "windows"),
    ],
)
def test_what_cannot_be_is_named(kind: str, change: Record, said: str) -> None:
    record = next(r for r in every_kind() if r["type"] == kind)
    check_record(record)
    with pytest.raises(ValueError, match=said):
        check_record({**record, **change})


@pytest.mark.parametrize("kind", ["session", "window", "clip", "mark", "gap", "end"])
def test_a_field_that_is_missing_is_named(kind: str) -> None:
    record = next(r for r in every_kind() if r["type"] == kind)
    last = [name for name in record if name not in ("evidence", "since_speech")][-1]
    with pytest.raises(ValueError, match=last):
        check_record({name: value for name, value in record.items() if name != last})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"type":"mark","time":1}\nnot json\n{"type":"mark","time":2}\n', "line 2"),
        ('{"type":"song"}\n', "song"),
        ("[1, 2]\n", "not an object"),
        ("type,start\nwindow,1\n", "line 2"),
        ("type,start\nwindow,1,2,3\nwindow,1\n", "line 2"),
    ],
)
def test_a_file_that_is_not_ours_is_refused_by_line(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "other.jsonl"
    path.write_text(text)
    with pytest.raises(LiveSerError, match=said):
        list(read_records(path))


def test_a_file_that_is_missing_or_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LiveSerError, match="cannot read"):
        list(read_records(tmp_path / "missing.jsonl"))
    (tmp_path / "binary.jsonl").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(LiveSerError, match="is not text"):
        list(read_records(tmp_path / "binary.jsonl"))
