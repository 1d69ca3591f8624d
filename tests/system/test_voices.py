"""``--each-channel``: what commands write and show of several voices."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from live_ser.audio.blocks import Samples
from live_ser.errors import LiveSerError
from live_ser.records.labelled import read_labelled
from live_ser.report.session_log import read_session
from tests.support.command import Completed, live_ser, records

Record = dict[str, Any]


@pytest.fixture
def two(speech: Path) -> Samples:
    samples, _ = soundfile.read(speech, dtype="float32")
    return np.stack([samples, np.roll(samples[::-1], 30000)], axis=1)


@pytest.fixture
def call(two: Samples, tmp_path: Path) -> Path:
    path = tmp_path / "call.wav"
    soundfile.write(path, two, 48000)
    return path


def told(run: Completed) -> list[Record]:
    assert run.returncode == 0, run.stderr
    return records(run.stdout)


def alike(record: Record) -> Record:
    """What a record says that does not depend on how it was asked for."""
    other = ("latency_ms", "judged_with", "channel", "speaker", "part", "parts")
    return {name: value for name, value in record.items() if name not in other}


def test_records_of_a_channel_are_those_that_it_has_alone(call: Path, against_model: Path) -> None:
    words = ["file", call, "--model", against_model, "--timeline", "--segments", "--format=jsonl"]
    together = told(live_ser(*words, "--each-channel", "--names", "agent,caller"))
    for number, name in enumerate(("agent", "caller"), start=1):
        mine = [record for record in together if record["channel"] == number]
        assert {record["speaker"] for record in mine} == {name}
        alone = told(live_ser(*words, "--channel", str(number)))
        assert [alike(record) for record in mine] == [alike(record) for record in alone]


def test_live_and_file_agree(call: Path, against_model: Path) -> None:
    words = ["--model", against_model, "--each-channel"]
    live = told(live_ser("listen", "--from", call, "--speed", "0", *words))
    assert live[0]["channels"] == 2
    windows = [alike(record) for record in live if record["type"] == "window"]
    file = told(live_ser("file", call, "--timeline", "--format=jsonl", *words))
    classified = [alike(record) for record in file if record["type"] == "window"]
    assert [{**one, "source": None, "key": None} for one in windows] == [
        {**one, "source": None, "key": None} for one in classified
    ]


def test_a_broken_off_output_is_gone_on_with_whole_recordings_only(
    call: Path, tmp_path: Path, tiny_model: Path
) -> None:
    other = tmp_path / "other.wav"
    other.write_bytes(call.read_bytes())
    out = tmp_path / "out.jsonl"
    words = ["file", call, other, "--model", tiny_model, "--each-channel", "-o", out]
    assert live_ser(*words).returncode == 0
    whole = out.read_text("utf-8")
    lines = whole.splitlines(keepends=True)
    assert len(lines) == 4
    out.write_text("".join(lines[:3]), "utf-8")  # the second verdict on the other is missing
    run = live_ser(*words, "--resume")
    assert (run.returncode, "1 of 2 files are already done" in run.stderr) == (0, True)
    assert out.read_text("utf-8") == whole
    run = live_ser(*words[:-3], "-o", out, "--resume")
    assert run.returncode == 1
    assert "begun with other options" in run.stderr


def test_a_silent_channel_says_so_and_is_in_every_output(
    two: Samples, tmp_path: Path, tiny_model: Path
) -> None:
    two[:, 1] = 0
    path = tmp_path / "call.wav"
    soundfile.write(path, two, 48000)
    words = ["file", path, "--model", tiny_model, "--each-channel"]
    lines = live_ser(*words).stdout.splitlines()
    assert "channel 1" in lines[1]
    assert "channel 2" in lines[2]
    assert lines[2].rstrip().endswith("silence")
    grid = live_ser(*words, "--format", "textgrid").stdout
    assert '"channel 2 emotion"' in grid


def test_the_sound_of_each_channel_is_recorded_and_lines_say_who_speaks(
    call: Path, tmp_path: Path, tiny_model: Path
) -> None:
    kept = tmp_path / "kept.wav"
    words = ["--model", tiny_model, "--each-channel", "--names", "agent,caller", "--lines"]
    run = live_ser("listen", "--from", call, "--speed", "0", *words, "--record", kept)
    assert run.returncode == 0, run.stderr
    sound, rate = soundfile.read(kept)
    assert (rate, sound.shape[1]) == (16000, 2)
    assert sound[:, 0].any()
    assert sound[:, 1].any()
    whose = {line.split()[1] for line in run.stdout.splitlines()}
    assert whose == {"agent:", "caller:"}
    assert "agent: " in run.stderr
    assert "of speech" in run.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--names", "a,b"), "who speaks in each channel"),
        (("--each-channel", "--channel", "1"), "each is classified separately"),
        (("--each-channel", "--profile", "anna"), "--profile is for one speaker"),
        (("--each-channel", "--names", "a,,b"), "one of them is empty"),
    ],
)
def test_wrong_usage_is_refused_in_a_line(call: Path, words: tuple[str, ...], said: str) -> None:
    run = live_ser("file", call, *words)
    assert run.returncode == 2
    assert said in run.stderr.splitlines()[0]


def test_as_many_names_as_channels(call: Path, speech: Path, tiny_model: Path) -> None:
    words = ["--each-channel", "--names", "agent,caller", "--format", "jsonl"]
    run = live_ser("file", call, speech, "--model", tiny_model, *words)
    assert run.returncode == 1
    assert [json.loads(line)["speaker"] for line in run.stdout.splitlines()] == ["agent", "caller"]
    (line,) = run.stderr.splitlines()
    assert "1 channel, and 2 names" in line


RTTM = """SPEAKER call 1 0.4 2.5 <NA> <NA> anna <NA> <NA>
SPEAKER call 1 2.9 4 <NA> <NA> ben <NA> <NA>
"""


def test_intervals_of_a_diariser_are_classified(
    call: Path, tmp_path: Path, against_model: Path
) -> None:
    turns = tmp_path / "call.rttm"
    turns.write_text(RTTM, "utf-8")
    words = ["file", call, "--model", against_model, "--at", turns]
    found = told(live_ser(*words, "--format", "jsonl"))
    assert [(one["type"], one["speaker"]) for one in found] == [
        *(("segment", "anna"), ("segment", "ben"), ("clip", "anna"), ("clip", "ben"))
    ]
    assert [(one["start"], one["end"]) for one in found[:2]] == [(0.4, 2.9), (2.9, 6.9)]
    out = tmp_path / "out.csv"
    assert live_ser(*words, "-o", out).returncode == 0
    run = live_ser(*words, "-o", out, "--resume")
    assert "1 of 1 files are already done" in run.stderr
    grid = live_ser(*words, "--format", "textgrid").stdout
    assert '"anna emotion"' in grid
    assert '"ben emotion"' in grid


def test_a_folder_has_intervals_for_each_recording(
    call: Path, speech: Path, tmp_path: Path, tiny_model: Path
) -> None:
    labels = tmp_path / "labels"
    labels.mkdir()
    (labels / "call.rttm").write_text(RTTM, "utf-8")
    words = ["file", call, speech, "--model", tiny_model, "--at", labels, "--format", "jsonl"]
    run = live_ser(*words)
    assert run.returncode == 1
    assert {record["source"] for record in records(run.stdout)} == {str(call)}
    (line,) = run.stderr.splitlines()
    assert f"{labels} has no intervals of {speech}" in line
    run = live_ser(*words[:-2], "-o", labels / "call.rttm", "--format", "jsonl", "--force")
    assert run.returncode == 2
    assert "is read" in run.stderr


def test_an_empty_tier_is_refused_by_its_own_name(tmp_path: Path) -> None:
    result = live_ser("file", tmp_path / "a.wav", "--at", tmp_path / "a.csv", "--tiers", "")
    assert result.returncode == 2
    assert "--tiers: it is empty" in result.stderr


def test_records_may_lie_in_the_folder_of_intervals(
    call: Path, tmp_path: Path, tiny_model: Path
) -> None:
    labels = tmp_path / "labels"
    labels.mkdir()
    (labels / "call.rttm").write_text(RTTM, "utf-8")
    words = ["file", call, "--model", tiny_model, "--at", labels, "-o", labels / "out.jsonl"]
    for more in ((), ("--resume",), ("--force",)):
        assert live_ser(*words, *more).returncode == 0
    for name in ("call.rttm", "call.eaf"):  # which would be read in its place
        run = live_ser(*words[:-1], labels / name, "--format", "jsonl", "--force")
        assert run.returncode == 2
        assert "is read" in run.stderr


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_intervals_are_read_from_a_file_only(call: Path, tmp_path: Path, tiny_model: Path) -> None:
    pipe = tmp_path / "call.csv"
    os.mkfifo(pipe)
    run = live_ser("file", call, "--model", tiny_model, "--at", pipe)
    assert run.returncode == 1
    assert f"cannot read {pipe}: it is no file" in run.stderr.splitlines()[0]
    with pytest.raises(LiveSerError, match="it is no file"):
        read_labelled(pipe, ("happy",))


@pytest.mark.parametrize("words", [("--timeline",), ("--each-channel",), ("--tiers", "a")])
def test_what_does_not_go_with_intervals_is_refused(call: Path, words: tuple[str, ...]) -> None:
    at = () if words[0] == "--tiers" else ("--at", "x.csv")
    run = live_ser("file", call, *at, *words)
    assert run.returncode == 2
    assert "interval" in run.stderr.splitlines()[0]


def test_a_report_has_a_timeline_for_each_voice(
    call: Path, tmp_path: Path, tiny_model: Path
) -> None:
    out = tmp_path / "session.jsonl"
    words = ["--model", tiny_model, "--each-channel", "--names", "agent,<b>ca</b>", "-o", out]
    assert live_ser("listen", "--from", call, "--speed", "0", *words).returncode == 0
    assert live_ser("report", out).returncode == 0
    page = out.with_suffix(".html").read_text("utf-8")
    data = json.loads(page.split('id="data">')[1].split("</script>")[0])
    assert len(data["windows"]) == len(data["others"][0]["windows"]) > 10
    assert 'id="timeline"' in page
    assert 'id="timeline-1"' in page
    assert page.index("<h3>agent</h3>") < page.index("<h3>&lt;b&gt;ca&lt;/b&gt;</h3>")
    with pytest.raises(LiveSerError, match="holds 2 voices"):
        read_session(out)


def test_a_report_says_how_the_voice_differs_from_its_usual(tmp_path: Path) -> None:
    prosody = {"pitch": 182.0, "pitch_change": 3.0, "loudness": -21.0, "loudness_change": 5.0}
    prosody |= {"rate": 4.8, "rate_change": 1.2, "pauses": 0.1}
    classified = {"state": "speech", "label": "happy", "confidence": 0.8, "activation": 0.7}
    shares = {"neutral": 0.2, "happy": 0.8}
    heard = {"speech": 0.9, "level_db": -20.0, "latency_ms": 2.0, "since_speech": 0.0}
    window = {"type": "window", "start": 0.0, "end": 0.5, **classified, **heard, "source": "a.wav"}
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({**window, "probabilities": shares, "prosody": prosody}), "utf-8")
    path.write_text(path.read_text("utf-8") + "\n", "utf-8")
    page = live_ser("report", path, "-o", "-").stdout
    table = page[page.index("<h2>Prosody</h2>") :]
    for said in ("182 Hz", "+3.0 semitones", "-21 dB", "+5.0 dB", "4.8 syllables/s", "1.20 times"):
        assert said in table
    assert '"loudness_change":5.0' in page
