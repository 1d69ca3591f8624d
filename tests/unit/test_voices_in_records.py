"""Records and files of them say whose each prediction is."""

from __future__ import annotations

from pathlib import Path

import pytest

from live_ser.records.formats import Style
from live_ser.records.outputs import written
from live_ser.records.reader import read_records
from live_ser.records.record import Record, is_last
from live_ser.records.schema import check_record
from tests.support.tiny_model import LABELS

AGENT = {"channel": 1, "speaker": "agent"}
CALLER = {"channel": 2, "speaker": "caller"}
SILENT = {"channel": 3, "speaker": "<nobody>"}


def classified(label: str | None) -> Record:
    shares = {x: 0.7 if x == label else 0.1 for x in LABELS} if label else None
    return {
        "state": "speech" if label else "silence", "label": label, "confidence": label and 0.7,
        "probabilities": shares, "activation": label and 0.25, "speech": 0.5, "evidence": 1.0,
    }  # fmt: skip


def segment(start: float, end: float, label: str, voice: Record) -> Record:
    named = {"type": "segment", "start": start, "end": end, "source": "call.wav"}
    return {**named, **classified(label), **voice}


def clip(part: int, label: str | None, voice: Record) -> Record:
    named = {"type": "clip", "source": "call.wav", "duration": 9.0, "windows": 1}
    return {**named, **classified(label), "part": part, "parts": 3, **voice}


CALL = [
    segment(0.5, 2.0, "happy", AGENT),
    segment(1.0, 4.0, "angry", CALLER),
    segment(5.0, 6.0, "sad", AGENT),
    clip(1, "happy", AGENT),
    clip(2, "angry", CALLER),
    clip(3, None, SILENT),
]


def write(path: Path, style: Style, rows: list[Record] = CALL) -> Path:
    with written(str(path), style, LABELS) as writer:
        for row in rows:
            check_record(row)
            writer.write(row)
    return path


def test_only_the_last_clip_ends_a_recording() -> None:
    assert [is_last(record) for record in CALL] == [False] * 5 + [True]
    assert is_last({"type": "clip"})
    assert is_last({"type": "end"})


def test_each_voice_has_its_tiers_in_praat(tmp_path: Path) -> None:
    reader = pytest.importorskip("praatio.textgrid", reason="praatio is not installed")
    path = write(tmp_path / "call.TextGrid", "textgrid")
    grid = reader.openTextgrid(str(path), False, reportingMode="error")
    voices = ("agent", "caller", "<nobody>")
    measures = ("emotion", "activation")
    assert grid.tierNames == tuple(f"{voice} {name}" for voice in voices for name in measures)
    assert [tuple(entry) for entry in grid.getTier("agent emotion").entries] == [
        (0.5, 2.0, "happy"),
        (5.0, 6.0, "sad"),
    ]
    assert [tuple(entry) for entry in grid.getTier("caller emotion").entries] == [
        (1.0, 4.0, "angry")
    ]
    assert not grid.getTier("<nobody> emotion").entries


def test_each_voice_is_a_participant_in_elan(tmp_path: Path) -> None:
    reader = pytest.importorskip("pympi", reason="pympi-ling is not installed")
    eaf = reader.Eaf(str(write(tmp_path / "call.eaf", "eaf")))
    assert [a[:3] for a in eaf.get_annotation_data_for_tier("agent emotion")] == [
        (500, 2000, "happy"),
        (5000, 6000, "sad"),
    ]
    assert eaf.get_parameters_for_tier("caller emotion")["PARTICIPANT"] == "caller"


def test_subtitles_and_labels_say_who_speaks(tmp_path: Path) -> None:
    webvtt = pytest.importorskip("webvtt")
    cues = [
        ("00:00:00.500", "00:00:02.000", "agent: happy 70 %"),
        ("00:00:01.000", "00:00:04.000", "caller: angry 70 %"),
        ("00:00:05.000", "00:00:06.000", "agent: sad 70 %"),
    ]
    vtt = webvtt.read(str(write(tmp_path / "call.vtt", "vtt")))
    assert [(cue.start, cue.end, cue.text) for cue in vtt] == cues
    subtitles = webvtt.from_srt(str(write(tmp_path / "again.srt", "srt")))
    assert [(cue.start, cue.end, cue.text) for cue in subtitles] == cues
    labels = write(tmp_path / "call.txt", "audacity").read_text("utf-8")
    assert labels.splitlines()[1] == "1.000000\t4.000000\tcaller: angry 70 %"
    rows = write(tmp_path / "call_events.tsv", "bids").read_text("utf-8").splitlines()
    assert [row.split("\t")[-1] for row in rows] == ["speaker", "agent", "caller", "agent"]


@pytest.mark.parametrize("style", ["jsonl", "csv", "tsv", "parquet"])
def test_tables_keep_channel_and_speaker(tmp_path: Path, style: Style) -> None:
    if style == "parquet":
        pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    again = [*read_records(write(tmp_path / f"call.{style}", style))]
    keys = ("type", "channel", "speaker", "part", "parts")
    assert [[one.get(key) for key in keys] for one in again] == [
        [one.get(key) for key in keys] for one in CALL
    ]


@pytest.mark.parametrize("style", ["jsonl", "csv", "tsv", "parquet"])
@pytest.mark.parametrize("name", ["\x1b[2Janna", "=anna\r\nben", "an\\u001bna", "\x9b31manna"])
def test_no_speaker_acts_on_a_terminal_or_is_lost(tmp_path: Path, style: Style, name: str) -> None:
    if style == "parquet":
        pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    voice = {"channel": 1, "speaker": name}
    how = {"judged_with": f"profile {name}"}
    rows = [segment(0.5, 2.0, "happy", voice), {**clip(1, "happy", voice), "parts": 1, **how}]
    path = write(tmp_path / f"call.{style}", style, rows)
    if style != "parquet":
        assert not {"\x1b", "\x9b", "\r"} & set(path.read_text("utf-8"))
    again = [*read_records(path)]
    assert [one["speaker"] for one in again] == [name, name]
    assert again[1]["judged_with"] == how["judged_with"]


def test_a_table_for_people_has_a_line_for_each_voice(tmp_path: Path) -> None:
    lines = write(tmp_path / "call.txt", "table").read_text("utf-8").splitlines()
    assert [line.split("  ")[0] for line in lines[1:]] == [
        *("call.wav, agent", "", "", "call.wav, caller", "", "call.wav, <nobody>"),
    ]
    assert lines[-1].rstrip().endswith("silence")


def test_a_folder_has_one_file_for_the_voices_of_a_recording(tmp_path: Path) -> None:
    with written(f"{tmp_path}/grids/", "textgrid", LABELS) as writer:
        for row in [*CALL, *({**row, "source": "other.wav"} for row in CALL)]:
            writer.write(row)
    names = sorted(path.name for path in (tmp_path / "grids").iterdir())
    assert names == ["call.TextGrid", "other.TextGrid"]
