"""What is written in each format, other programs read: pandas, Arrow, Praat's and subtitles'."""

from __future__ import annotations

import codecs
import csv
import io
import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_ser.errors import InvalidArgument, LiveSerError
from live_ser.records.annotation import Annotation
from live_ser.records.audacity import label_track
from live_ser.records.bids import events
from live_ser.records.eaf import eaf
from live_ser.records.formats import ANNOTATIONS, ENDINGS, STYLES, Style, style_of
from live_ser.records.intervals import Interval, intervals
from live_ser.records.labelled import read_labelled
from live_ser.records.outputs import written
from live_ser.records.places import Places
from live_ser.records.reader import read_records
from live_ser.records.record import Record, label_record
from live_ser.records.srt import srt
from live_ser.records.textgrid import textgrid
from live_ser.records.tiers import read_tiers
from live_ser.records.webvtt import webvtt
from live_ser.text import printable
from tests.support.command import live_ser, records
from tests.support.tiny_model import LABELS

HOSTILE = 'a "b"\t<c>&amp; 1 --> 2\n\r\x1b[2J\u2028 {d} ąę😀'


def classified(label: str | None, state: str = "speech") -> Record:
    shares = {x: 0.7 if x == label else 0.1 for x in LABELS} if label else None
    return {
        "state": state, "label": label, "confidence": label and 0.7, "probabilities": shares,
        "activation": label and 0.25, "speech": 0.6, "evidence": 1.0,
    }  # fmt: skip


def segment(start: float, end: float, label: str | None, state: str = "speech") -> Record:
    named = {"type": "segment", "start": start, "end": end, "source": "a/clip.wav"}
    return {**named, **classified(label, state)}


def window(end: float, label: str | None, state: str = "speech") -> Record:
    start = max(0.0, end - 3.5)
    heard = {"since_speech": 0.0, "level_db": -20.0, "latency_ms": 1.0}
    return {"type": "window", "start": start, "end": end, **classified(label, state), **heard}


def clip(source: str = "a/clip.wav") -> Record:
    return {"type": "clip", "source": source, "duration": 9.5, **classified("happy"), "windows": 2}


SEGMENTS = [
    segment(0.5, 2.0, "happy"),
    segment(2.0, 4.25, "sad", "uncertain"),
    segment(5.0, 5.125, None, "listening"),
    segment(6.0, 9.5, "angry"),
    clip(),
]


def write(path: Path | str, style: Style, rows: list[Record], **options: Any) -> str:
    with written(str(path), style, LABELS, **options) as writer:
        for row in rows:
            writer.write(row)
    return Path(path).read_text("utf-8") if Path(path).is_file() else ""


@pytest.mark.parametrize("style", ["csv", "parquet"])
def test_pandas_reads_a_row_for_each_file_and_a_column_for_each_class(
    tiny_model: Path, speech: Path, tmp_path: Path, style: str
) -> None:
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    name = tmp_path / 'with, a comma and a "quote".flac'
    name.write_bytes(speech.read_bytes())
    out = tmp_path / f"out.{style}"
    run = live_ser("file", "--model", tiny_model, speech, name, "-o", out)
    assert (run.returncode, run.stderr) == (0, f"wrote {out}: 2 recordings\n")
    frame = pandas.read_csv(out) if style == "csv" else pandas.read_parquet(out)
    said = records(live_ser("file", "--model", tiny_model, speech, "--format", "jsonl").stdout)[0]
    first = ["file", "start", "end", "label", "guess", "state", "confidence"]
    first += [f"p_{label}" for label in LABELS]
    assert list(frame.columns[: len(first)]) == first
    assert list(frame.file) == [str(speech), str(name)]
    assert list(frame.start) == [0, 0]
    assert list(frame.end) == [said["duration"]] * 2
    assert list(frame.label) == [said["label"]] * 2
    assert frame.confidence[0] == said["confidence"]
    for label in LABELS:
        assert frame[f"p_{label}"][0] == said["probabilities"][label]


def test_parquet_is_written_in_groups_and_whole_after_an_interrupt(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
    path = tmp_path / "many.parquet"

    def interrupted() -> None:
        with written(str(path), "parquet", LABELS) as writer:
            for number in range(20_000):
                writer.write(clip(f"{number}.wav"))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    with parquet.ParquetFile(path) as file:
        assert file.metadata.num_rows == 20_000
        assert file.num_row_groups == 3
        assert file.read(["file"])["file"][19_999].as_py() == "19999.wav"


def test_parquet_goes_into_a_file(tiny_model: Path, speech: Path) -> None:
    run = live_ser("file", "--model", tiny_model, "--format", "parquet", speech)
    assert run.returncode == 2
    assert "-o NAME.parquet" in run.stderr


def test_a_subtitle_reader_finds_the_segments(tmp_path: Path) -> None:
    reader = pytest.importorskip("webvtt", reason="webvtt-py is not installed")
    write(tmp_path / "clip.vtt", "vtt", SEGMENTS)
    cues = reader.read(str(tmp_path / "clip.vtt"))
    assert [(cue.start, cue.end, cue.text) for cue in cues] == [
        ("00:00:00.500", "00:00:02.000", "happy 70 %"),
        ("00:00:02.000", "00:00:04.250", "uncertain (sad 70 %?)"),
        ("00:00:06.000", "00:00:09.500", "angry 70 %"),
    ]


def test_a_reader_of_textgrids_finds_the_tiers(tmp_path: Path) -> None:
    reader = pytest.importorskip("praatio.textgrid", reason="praatio is not installed")
    write(tmp_path / "clip.TextGrid", "textgrid", SEGMENTS)
    grid = reader.openTextgrid(str(tmp_path / "clip.TextGrid"), False, reportingMode="error")
    assert grid.tierNames == ("emotion", "activation")
    assert (grid.minTimestamp, grid.maxTimestamp) == (0, 9.5)
    assert [tuple(entry) for entry in grid.getTier("emotion").entries] == [
        (0.5, 2.0, "happy"),
        (2.0, 4.25, "sad?"),
        (6.0, 9.5, "angry"),
    ]
    assert [entry.label for entry in grid.getTier("activation").entries] == ["0.25"] * 3


def test_a_label_track_has_a_line_for_each_segment(tmp_path: Path) -> None:
    text = write(tmp_path / "labels.txt", "audacity", SEGMENTS)
    assert text.splitlines() == [
        "0.500000\t2.000000\thappy 70 %",
        "2.000000\t4.250000\tuncertain (sad 70 %?)",
        "6.000000\t9.500000\tangry 70 %",
    ]


def test_windows_that_sound_alike_are_one_stretch() -> None:
    said = [(0.5, None, "silence"), (1.0, "happy", "speech"), (1.5, "happy", "speech")]
    rows = [window(*row) for row in said]
    late = {**window(9.0, "happy"), "start": 8.0}  # after a gap
    found = intervals([*rows, window(2.0, "sad", "uncertain"), late])
    assert [(s.start, s.end, s.text) for s in found] == [
        (0.0, 0.5, "silence"),
        (0.5, 1.5, "happy"),
        (1.5, 2.0, "uncertain"),
        (8.0, 9.0, "happy"),
    ]
    assert found[1].confidence == pytest.approx(0.7)


def test_a_session_can_be_annotated_too(tiny_model: Path, speech: Path, tmp_path: Path) -> None:
    reader = pytest.importorskip("praatio.textgrid", reason="praatio is not installed")
    out = tmp_path / "session.TextGrid"
    words = ["--from", speech, "--speed", "0", "--model", tiny_model]
    run = live_ser("listen", *words, "-o", out)
    assert run.returncode == 0, run.stderr
    grid = reader.openTextgrid(str(out), False, reportingMode="error")
    entries = grid.getTier("emotion").entries
    assert entries
    assert {entry.label.rstrip("?") for entry in entries} <= set(LABELS)


def test_marks_are_points(tmp_path: Path) -> None:
    rows = [window(0.5, "happy"), {"type": "mark", "time": 0.25}]
    assert "0.250000\t0.250000\tmarked\n" in write(tmp_path / "x.txt", "audacity", rows)
    assert "00:00:00.250 --> 00:00:01.250\nmarked" in write(tmp_path / "x.vtt", "vtt", rows)
    reader = pytest.importorskip("praatio.textgrid", reason="praatio is not installed")
    write(tmp_path / "x.TextGrid", "textgrid", rows)
    grid = reader.openTextgrid(str(tmp_path / "x.TextGrid"), False, reportingMode="error")
    assert [tuple(entry) for entry in grid.getTier("marks").entries] == [(0.25, "marked")]


def test_labels_that_stand_are_a_tier_and_teach_again(tmp_path: Path) -> None:
    given = [
        label_record(0.0, 0.4, "sad", None),
        label_record(0.0, 0.4, "angry", "sad"),
        label_record(0.4, 0.5, "happy", "happy"),
        label_record(0.4, 0.5, None, "happy"),
    ]
    rows = [window(0.5, "happy"), *given, window(1.0, "happy")]
    assert "0.000000\t0.400000\tlabelled angry\n" in write(tmp_path / "x.txt", "audacity", rows)
    assert "00:00:00.400\nlabelled angry" in write(tmp_path / "x.vtt", "vtt", rows)
    assert "\n0\t0.4\tangry\tlabelled\t" in write(tmp_path / "x_events.tsv", "bids", rows)
    (tmp_path / "x.wav").touch()
    for name in ("x.TextGrid", "x.eaf"):
        write(tmp_path / name, style_of(None, name, "table"), rows)
        found = [one for one in read_tiers(tmp_path / name) if one.tier == "labels"]
        assert [(one.start, one.end, one.text) for one in found] == [(0.0, 0.4, "angry")]
        taught = read_labelled(tmp_path / name, LABELS)  # and not with what the model said
        assert [(one.emotion, one.end) for one in taught] == [("angry", 0.4)]


def test_several_recordings_need_a_folder_and_have_a_file_each(
    tiny_model: Path, speech: Path, tmp_path: Path
) -> None:
    clips = [tmp_path / f"clip.{ending}" for ending in ("flac", "oga")]
    for clip in clips:
        clip.write_bytes(speech.read_bytes())
    words = ["file", "--model", tiny_model, "--format", "textgrid", *clips]
    refused = live_ser(*words, "-o", tmp_path / "one.file")
    assert refused.returncode == 2
    assert "-o FOLDER/" in refused.stderr
    folder = tmp_path / "new" / "folder"
    assert live_ser(*words, "-o", f"{folder}/").returncode == 0
    names = ["clip-2.TextGrid", "clip.TextGrid"]
    assert sorted(path.name for path in folder.iterdir()) == names
    assert len({path.read_text("utf-8") for path in folder.iterdir()}) == 1
    again = live_ser(*words, "-o", folder)
    assert again.returncode == 1
    assert "is there already" in again.stderr
    assert live_ser(*words, "-o", folder, "--force").returncode == 0


def test_an_annotation_is_of_utterances_or_of_windows_where_they_are_asked_for(
    tiny_model: Path, speech: Path
) -> None:
    words = ["file", speech, "--model", tiny_model, "--format"]
    lines = records(live_ser(*words, "jsonl", "--segments", "--timeline").stdout)
    segments = [record for record in lines if record["type"] == "segment"]
    windows = [record for record in lines if record["type"] == "window"]
    said = [
        interval for interval in intervals(windows) if interval.state in ("speech", "uncertain")
    ]
    for option, expected in (
        ([], [(record["start"], record["end"]) for record in segments]),
        (["--timeline"], [(interval.start, interval.end) for interval in said]),
    ):
        rows = live_ser(*words, "audacity", *option).stdout.splitlines()
        times = [tuple(map(float, row.split("\t")[:2])) for row in rows]
        assert times == expected


@pytest.mark.parametrize("style", ANNOTATIONS)
def test_one_annotation_is_not_of_several_recordings(tmp_path: Path, style: Style) -> None:
    words = ["file", "a.wav", "b.wav", "--format", style, "-o", tmp_path / "out"]
    run = live_ser(*words)
    assert run.returncode == 2
    assert "holds one recording" in run.stderr
    assert not (tmp_path / "out").exists()


def test_a_folder_takes_records_of_every_format(tmp_path: Path) -> None:
    for style in ("jsonl", "csv"):
        write(f"{tmp_path}/{style}/", style, [*SEGMENTS, clip("b/clip.wav"), clip("b/c.flac")])
        names = [f"c.{style}", f"clip-2.{style}", f"clip.{style}"]
        assert sorted(path.name for path in (tmp_path / style).iterdir()) == names


def test_a_folder_that_cannot_be_made_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LiveSerError, match="cannot make the folder"):
        write(f"{tmp_path}/file/x/", "csv", [])


def test_subtitles_of_every_player(tmp_path: Path) -> None:
    reader = pytest.importorskip("webvtt", reason="webvtt-py is not installed")
    write(tmp_path / "clip.srt", "srt", SEGMENTS)
    cues = reader.from_srt(str(tmp_path / "clip.srt"))
    assert [(cue.start, cue.end, cue.text) for cue in cues] == [
        ("00:00:00.500", "00:00:02.000", "happy 70 %"),
        ("00:00:02.000", "00:00:04.250", "uncertain (sad 70 %?)"),
        ("00:00:06.000", "00:00:09.500", "angry 70 %"),
    ]
    hostile = srt(labelled("<b>go</b> 1 --> 2"))
    assert not {"<", ">"} & set(hostile.replace(" --> ", " ", 1))


def test_elan_finds_a_tier_for_each_field(tmp_path: Path) -> None:
    elan = pytest.importorskip("pympi.Elan", reason="pympi-ling is not installed")
    write(tmp_path / "clip.eaf", "eaf", [{"type": "mark", "time": 1.25}, *SEGMENTS])
    document = elan.Eaf(str(tmp_path / "clip.eaf"))
    assert list(document.get_tier_names()) == [
        *("emotion", "state", "confidence", "activation", "marks")
    ]
    times = [(500, 2000), (2000, 4250), (6000, 9500)]
    for tier, values in {
        "emotion": ["happy", "sad", "angry"],
        "state": ["speech", "uncertain", "speech"],
        "confidence": ["0.7000"] * 3,
        "activation": ["0.2500"] * 3,
    }.items():
        expected = [(*time, value) for time, value in zip(times, values, strict=True)]
        assert sorted(document.get_annotation_data_for_tier(tier)) == expected
    assert document.get_annotation_data_for_tier("marks") == [(1250, 2250, "marked")]
    (media,) = document.get_linked_files()
    assert media["RELATIVE_MEDIA_URL"] == "./clip.wav"


@given(st.text() | st.just(HOSTILE))
def test_an_eaf_is_xml_whatever_the_label_is(label: str) -> None:
    (value,) = (
        tier.findtext(".//ANNOTATION_VALUE") or ""
        for tier in ElementTree.fromstring(eaf(labelled(label, f"{label}.wav"))).iter("TIER")
        if tier.get("TIER_ID") == "emotion"
    )
    assert value == printable(label)


def test_bids_has_events_and_says_what_they_are(
    tiny_model: Path, speech: Path, tmp_path: Path
) -> None:
    out = tmp_path / "sub-01_task-talk_events.tsv"
    run = live_ser("file", speech, "--model", tiny_model, "-o", out)
    assert (run.returncode, run.stderr) == (0, f"wrote {out}: 1 recording\n")
    with out.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream, delimiter="\t"))
    columns = list(rows[0])
    assert columns[:3] == ["onset", "duration", "trial_type"]
    segments = [
        record
        for record in records(
            live_ser("file", speech, "--model", tiny_model, "--segments", "--format=jsonl").stdout
        )
        if record["type"] == "segment" and record["label"]
    ]
    assert [row["trial_type"] for row in rows] == [segment["label"] for segment in segments]
    for row, segment in zip(rows, segments, strict=True):
        assert float(row["onset"]) == pytest.approx(segment["start"], abs=1e-4)
        assert float(row["duration"]) == pytest.approx(segment["end"] - segment["start"], abs=2e-4)
    said = json.loads((tmp_path / "sub-01_task-talk_events.json").read_text("utf-8"))
    assert list(said) == columns
    assert set(LABELS) < set(said["trial_type"]["Levels"])
    again = live_ser("file", speech, "--model", tiny_model, "-o", out)
    assert again.returncode == 1
    assert "is there already" in again.stderr


def test_what_bids_lacks_is_not_available() -> None:
    text = events(Annotation("x", 9.0, (Interval(1.0, 2.0, "speech", "sad", 0.5, None),), (0.5,)))
    assert text.splitlines()[1:] == [
        "0.5\t0\tmark\tn/a\tn/a\tn/a\tn/a\tn/a",
        "1\t1\tsad\tspeech\t0.5\tn/a\tn/a\tn/a",
    ]


@pytest.mark.parametrize(("ending", "delimiter"), [("csv", ","), ("tsv", "\t")])
def test_no_cell_acts_as_a_formula_and_all_are_read_back(
    tmp_path: Path, ending: str, delimiter: str
) -> None:
    hostile = ["=1+1", "+1", "-1", "@SUM(1)", "'=1", "''-x", "'quoted", "\uff1dx", "plain.wav"]
    path = tmp_path / f"out.{ending}"
    write(path, style_of(None, str(path), "table"), [clip(name) for name in hostile], bom=True)
    data = path.read_bytes()
    assert data.startswith(codecs.BOM_UTF8 + b"file")
    with path.open(encoding="utf-8-sig", newline="") as stream:
        cells = [row["file"] for row in csv.DictReader(stream, delimiter=delimiter)]
    assert not any(cell.startswith(tuple("=+-@\uff1d")) for cell in cells)
    assert [record["source"] for record in read_records(path)] == hostile


def test_a_byte_order_mark_is_for_spreadsheets() -> None:
    run = live_ser("file", "x.wav", "--bom", "--format", "jsonl")
    assert run.returncode == 2
    assert "--bom" in run.stderr


@pytest.mark.parametrize("name", ["out.mp3", "out.xlsx", "clip.wav", "out.jsonl.bak"])
@pytest.mark.parametrize("command", [["file", "x.wav"], ["listen", "--from", "x.wav"]])
def test_an_unknown_ending_is_refused_with_those_that_are_known(
    tmp_path: Path, name: str, command: list[str]
) -> None:
    with pytest.raises(LiveSerError) as raised:
        style_of(None, str(tmp_path / name), "table")
    assert isinstance(raised.value, InvalidArgument)
    assert all(ending in raised.value.hint for ending in ENDINGS.values())
    if name == "out.mp3":
        run = live_ser(*command, "-o", tmp_path / name)
        assert run.returncode == 2
        assert ".srt" in run.stderr
    assert not (tmp_path / name).exists()


def test_each_ending_stands_for_its_format() -> None:
    for style in STYLES:
        if style != "audacity":
            assert style_of(None, f"name{ENDINGS[style].upper()}", "table") == style
    assert style_of(None, "no ending", "csv") == "csv"


def test_a_folder_keeps_the_tree_of_what_was_classified(
    tiny_model: Path, speech: Path, tmp_path: Path
) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    calls = tmp_path / "calls"
    for name in ("d1/a.flac", "d2/a.flac", "d2/deep/a.flac"):
        (calls / name).parent.mkdir(parents=True, exist_ok=True)
        (calls / name).write_bytes(speech.read_bytes())
    out = tmp_path / "out"
    words = ["-o", f"{out}/", "--format", "jsonl", "--plot", f"{out}/"]
    run = live_ser(
        "file", calls, calls / "d1" / ".." / "d1" / "a.flac", "--model", tiny_model, *words
    )
    said = f"wrote {out}/: 4 recordings\ndrew {out}/: 4 pictures\n"
    assert (run.returncode, run.stderr) == (0, said)
    made = sorted(str(path.relative_to(out)) for path in out.rglob("*") if path.is_file())
    stems = ["d1/a-2", "d1/a", "d2/a", "d2/deep/a"]
    assert made == sorted(f"{stem}{ending}" for stem in stems for ending in (".jsonl", ".png"))
    source = records((out / "d2/deep/a.jsonl").read_text("utf-8"))[0]["source"]
    assert source == str(calls / "d2/deep/a.flac")


@given(st.lists(st.text(alphabet="./a\\:b", min_size=1, max_size=12), min_size=1, max_size=5))
def test_no_name_leads_out_of_the_folder(names: list[str]) -> None:
    places = Places("out/", ".csv", names).all()
    assert len({str(place).lower() for place in places}) == len(names)
    for place in places:
        assert place.parts[0] == "out"
        assert ".." not in place.parts
        assert place.name.endswith(".csv")


def labelled(label: str, source: str = "clip.wav") -> Annotation:
    return Annotation(source, 4.0, (Interval(0.5, 2.0, "speech", label, 0.7, 0.5),))


@given(st.text() | st.just(HOSTILE))
def test_no_label_and_no_name_breaks_a_format(label: str) -> None:
    annotation = labelled(label, label)
    (line,) = label_track(annotation).splitlines()
    assert line.count("\t") == 2
    head, cue = webvtt(annotation).rstrip("\n").split("\n\n")
    assert "\n" not in head
    assert "-->" not in head
    timing, text = cue.split("\n")
    assert timing == "00:00:00.500 --> 00:00:02.000"
    assert not {"<", ">"} & set(text)
    rows = [row for row in textgrid(annotation).splitlines() if " text = " in row]
    assert len(rows) == 6
    for row in rows:
        inner = row.partition(' text = "')[2][:-1]
        assert inner.count('"') == 2 * inner.count('""')


def test_readers_give_hostile_labels_back() -> None:
    webvtt_reader = pytest.importorskip("webvtt", reason="webvtt-py is not installed")
    annotation = labelled('say "no" & <b>go</b> 1 --> 2')
    (cue,) = webvtt_reader.from_buffer(io.StringIO(webvtt(annotation)))
    assert cue.raw_text == 'say "no" &amp; &lt;b&gt;go&lt;/b&gt; 1 --&gt; 2 70 %'


def test_a_textgrid_reader_gives_quotes_back(tmp_path: Path) -> None:
    reader = pytest.importorskip("praatio.textgrid", reason="praatio is not installed")
    path = tmp_path / "quotes.TextGrid"
    path.write_text(textgrid(labelled('say "no"')), "utf-8")
    tier = reader.openTextgrid(str(path), True, reportingMode="error").getTier("emotion")
    assert [entry.label.replace('""', '"') for entry in tier.entries] == ["", 'say "no"', ""]


@pytest.mark.parametrize("style", ANNOTATIONS)
def test_a_recording_without_speech_has_an_empty_annotation(tmp_path: Path, style: Style) -> None:
    silent = {**clip(), **classified(None, "silence")}
    text = write(tmp_path / "x", style, [silent])
    assert "happy" not in text
    begins = {"vtt": "WEBVTT", "textgrid": "File type", "eaf": "<?xml", "bids": "onset\tduration"}
    assert text.startswith(begins.get(style, ""))
