"""Records are written, read back the same, and checked."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_ser.audio.sources import Gap
from live_ser.errors import LiveSerError
from live_ser.inference.results import Prediction, Segment, Verdict
from live_ser.records.jsonl import JsonLines
from live_ser.records.outputs import written
from live_ser.records.reader import read_records
from live_ser.records.record import (
    Record,
    clip_record,
    end_record,
    gap_record,
    mark_record,
    segment_record,
    session_record,
    window_record,
)
from live_ser.records.schema import OPTIONAL, check_record
from tests.support.tiny_model import LABELS, tiny_info


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
    classified = dict(zip(LABELS, (0.1, 0.1, 0.1, 0.7), strict=True))
    angry: dict[str, Any] = {
        "label": "angry",
        "confidence": 0.7,
        "probabilities": classified,
        "activation": 0.9,
    }
    verdict = Verdict(**angry, state="uncertain", evidence=1.8, duration=3.6, speech=0.5, windows=1)
    spoken = Segment(**angry, state="speech", evidence=1.5, start=0.5, end=2.5)
    return [
        session_record(tiny_info(), source, 0.5, started),
        window_record(prediction()),
        window_record(prediction(**SILENT)),
        mark_record(4.6),
        gap_record(5.0, Gap(2.5, "microphone gone")),
        segment_record(spoken),
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


@pytest.mark.parametrize("style", ["csv", "parquet"])
def test_tables_are_read_back_but_for_sessions_and_their_ends(
    tmp_path: Path, style: Literal["csv", "parquet"]
) -> None:
    pytest.importorskip("pyarrow", reason="pyarrow, which reads Parquet, is not installed")
    path = tmp_path / f"session.{style}"
    with written(str(path), style, LABELS) as writer:
        for record in every_kind():
            writer.write(record)
    kept = [
        {**record, "source": "clip.wav"} if record["type"] in ("window", "segment") else record
        for record in every_kind()
        if record["type"] not in ("session", "end")
    ]
    read = list(read_records(path))
    assert [{k: v for k, v in r.items() if v is not None} for r in read] == [
        {k: v for k, v in r.items() if v is not None} for r in kept
    ]


def test_a_guess_is_no_label_in_a_table(tmp_path: Path) -> None:
    path = tmp_path / "session.csv"
    with written(str(path), "csv", LABELS) as writer:
        for record in every_kind():
            writer.write(record)
    lines = path.read_text().splitlines()
    rows = [row for row in csv.DictReader(lines) if row["state"] in ("speech", "uncertain")]
    assert {(row["type"], row["state"], row["label"], row["guess"]) for row in rows} == {
        ("window", "speech", "neutral", ""),
        ("segment", "speech", "angry", ""),
        ("clip", "uncertain", "", "angry"),
    }


@pytest.mark.parametrize("style", ["jsonl", "csv"])
def test_what_a_killed_process_leaves_is_read_up_to_its_last_whole_line(
    tmp_path: Path, style: Literal["jsonl", "csv"]
) -> None:
    path = tmp_path / f"whole.{style}"
    with written(str(path), style, LABELS) as writer:
        for record in every_kind():
            writer.write(record)
    whole = path.read_bytes()
    records = list(read_records(path))
    ends = [place + 1 for place, byte in enumerate(whole) if byte == ord("\n")]
    killed = tmp_path / f"killed.{style}"
    for cut in range(ends[0], len(whole), 7):
        killed.write_bytes(whole[:cut])
        read = list(read_records(killed))
        assert read == records[: len(read)]
        assert len(read) >= sum(end <= cut for end in ends) - (style == "csv")  # its header


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
        ("window", {"level_db": -1e308}, "level_db"),
        ("window", {"end": 1e308}, "end"),
        ("clip", {"duration": 10**400}, "duration"),
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


@pytest.mark.parametrize("kind", ["session", "window", "segment", "clip", "mark", "gap", "end"])
def test_a_field_that_is_missing_is_named(kind: str) -> None:
    record = next(r for r in every_kind() if r["type"] == kind)
    last = [name for name in record if name not in OPTIONAL.get(kind, {})][-1]
    with pytest.raises(ValueError, match=last):
        check_record({name: value for name, value in record.items() if name != last})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"type":"mark","time":1}\nnot json\n{"type":"mark","time":2}\n', "line 2"),
        ('{"type":"song"}\n', "song"),
        ("[1, 2]\n", "not an object"),
        ("file,type\nx.wav\n", "line 2"),
        ("file,type\nx.wav,window,3\nwindow,1\n", "line 2"),
        ("file,type\nx.wav,window\n", "line 2: a window record|line 2: start"),
        (f"file,type\n{200_000 * 'x'},clip\n", "line 2"),
        ('{"type":"mark","time":1,"x":' + 100_000 * "[" + "\n{}\n", "line 1"),
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
    pytest.importorskip("pyarrow", reason="pyarrow, which reads Parquet, is not installed")
    (tmp_path / "cut.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(LiveSerError, match="no whole Parquet"):
        list(read_records(tmp_path / "cut.parquet"))
