"""Intervals that somebody else found are classified as they lie, speaker by speaker."""

from __future__ import annotations

import re
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import soxr

import live_ser
from live_ser.audio.blocks import Samples
from live_ser.errors import InvalidArgument, LiveSerError
from live_ser.inference.turns import Turn, classify_turns
from live_ser.records.tiers import read_tiers
from live_ser.records.turn_files import TurnFiles, turns_of

RATE = 16000


@pytest.fixture(scope="module")
def sound(speech: Path) -> Samples:
    samples, rate = soundfile.read(speech, dtype="float32")
    return np.asarray(soxr.resample(samples, rate, RATE), np.float32)


@pytest.fixture(scope="module")
def model(against_model: Path) -> live_ser.Model:
    return live_ser.load(against_model)


def test_one_interval_over_all_of_it_is_the_recording(
    model: live_ser.Model, sound: Samples
) -> None:
    seconds = len(sound) / RATE
    (verdict,) = model.predict_at(sound, [(0.0, seconds)], RATE)
    assert verdict == model.predict(sound, RATE)


def test_an_interval_is_heard_as_a_recording_of_its_own(
    model: live_ser.Model, sound: Samples
) -> None:
    (turn,) = model.at(sound, [(0.4, 2.9, "anna")], RATE)
    alone = model.predict(sound[round(0.4 * RATE) : round(2.9 * RATE)], RATE)
    assert (turn.start, turn.end, turn.speaker) == (0.4, 2.9, "anna")
    assert (turn.state, turn.label, turn.evidence) == (alone.state, alone.label, alone.evidence)
    assert turn.probabilities == alone.probabilities


def test_each_speaker_has_a_baseline_of_their_own(model: live_ser.Model, sound: Samples) -> None:
    """What another speaker says changes nothing."""
    turns = [(0.4, 2.9, "anna"), (2.9, 6.0, "ben"), (6.0, 7.9, "anna")]
    both = model.at(sound, turns, RATE)
    alone = model.at(sound, [turns[0], turns[2]], RATE)
    assert [one for one in both if one.speaker == "anna"] == list(alone)
    as_one = model.at(sound, [(start, end) for start, end, _ in turns], RATE)
    assert [one.probabilities for one in as_one] != [one.probabilities for one in both]
    names = [verdict.speaker for verdict in model.predict_at(sound, turns, RATE)]
    assert names == ["anna", "ben"]


def test_order_and_overlap_do_not_matter(model: live_ser.Model, sound: Samples) -> None:
    turns = [Turn(0.4, 2.9, "anna"), Turn(2.0, 6.0, "ben"), Turn(5.0, 7.9, "anna")]
    with pytest.warns(UserWarning, match="2 intervals on top of another speaker's"):
        forth, back = (model.at(sound, given, RATE) for given in (turns, turns[::-1]))
    assert list(back) == list(forth)[::-1]


def test_it_can_be_ended_between_turns_that_overlap(model: live_ser.Model, sound: Samples) -> None:
    """Thousands may be open at once: a block of sound then takes seconds."""
    looks = 0

    def look() -> None:
        nonlocal looks
        looks += 1
        if looks == 5:
            raise KeyboardInterrupt

    blocks = iter([sound, sound])
    with pytest.raises(KeyboardInterrupt):
        list(classify_turns(model.network, blocks, [Turn(0.0, 9.0)] * 10, look))
    assert len(list(blocks)) == 1


def test_long_turns_are_cut_at_their_pauses(model: live_ser.Model, sound: Samples) -> None:
    long = np.concatenate([sound, sound, sound])
    (turn,) = model.at(long, [(0.0, len(long) / RATE, "anna")], RATE)
    segments = model.segments(long, RATE)
    assert turn.evidence == pytest.approx(sum(one.evidence for one in segments), abs=0.2)
    assert turn.state in ("speech", "uncertain")


@pytest.mark.parametrize(
    ("turns", "told", "states"),
    [
        ([(100.0, 101.0)], "1 interval outside the sound, which is", ["silence"]),
        ([(0.4, 99.0)], "1 interval longer than the sound", ["speech"]),
        ([(0.0, 0.2)], "1 interval without speech: 0.00 to 0.20 s", ["silence"]),
        (
            [(0.4, 2.9, "a"), (0.5, 2.9, "a")],
            "on top of another one of the same speaker: 0.50 to 2.90",
            ["speech", "speech"],
        ),
    ],
)
def test_what_is_odd_is_told_in_a_line(
    model: live_ser.Model, sound: Samples, turns: list[Any], told: str, states: list[str]
) -> None:
    with pytest.warns(UserWarning, match=re.escape(told)) as caught:
        found = model.at(sound, turns, RATE)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert [one.state.replace("uncertain", "speech") for one in found] == states


def test_nothing_is_told_where_all_is_well(model: live_ser.Model, sound: Samples) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(model.at(sound, [(0.4, 2.9), (2.9, 6.0)], RATE)) == 2
        assert len(model.at(sound, [], RATE)) == 0


@pytest.mark.parametrize("bad", [(2.0, 1.0), (-1.0, 1.0), (0.0, float("nan")), (1.0,), "ab"])
def test_what_is_no_interval_is_refused(
    model: live_ser.Model, sound: Samples, bad: tuple[float, ...]
) -> None:
    with pytest.raises(InvalidArgument, match="intervals: "):
        model.at(sound, [bad], RATE)


TEXTGRID = """File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0
xmax = 8
tiers? <exists>
size = 3
item []:
    item [1]:
        class = "IntervalTier"
        name = "anna"
        xmin = 0
        xmax = 8
        intervals: size = 2
        intervals [1]:
            xmin = 0
            xmax = 0.4
            text = ""
        intervals [2]:
            xmin = 0.4
            xmax = 2.9
            text = "she said ""hm"" 3.5 [sic]"
    item [2]:
        class = "TextTier"
        name = "marks"
        xmin = 0
        xmax = 8
        points: size = 1
        points [1]:
            number = 1.5
            mark = "x"
    item [3]:
        class = "IntervalTier"
        name = "ben"
        xmin = 0
        xmax = 8
        intervals: size = 1
        intervals [1]:
            xmin = 2.9
            xmax = 6
            text = "yes"
"""
SHORT = """File type = "ooTextFile"
Object class = "TextGrid"

0
8
<exists>
2
"IntervalTier"
"anna"
0
8
1
0.4
2.9
"she"
"IntervalTier"
"ben"
0
8
1
2.9
6
"yes"
"""
EAF = """<?xml version="1.0" encoding="UTF-8"?>
<ANNOTATION_DOCUMENT><TIME_ORDER>
<TIME_SLOT TIME_SLOT_ID="ts1" TIME_VALUE="400"/><TIME_SLOT TIME_SLOT_ID="ts2" TIME_VALUE="2900"/>
<TIME_SLOT TIME_SLOT_ID="ts3" TIME_VALUE="6000"/></TIME_ORDER>
<TIER TIER_ID="A" PARTICIPANT="anna"><ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a1"
TIME_SLOT_REF1="ts1" TIME_SLOT_REF2="ts2"><ANNOTATION_VALUE>hm</ANNOTATION_VALUE>
</ALIGNABLE_ANNOTATION></ANNOTATION></TIER>
<TIER TIER_ID="ben"><ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a2"
TIME_SLOT_REF1="ts2" TIME_SLOT_REF2="ts3"><ANNOTATION_VALUE/></ALIGNABLE_ANNOTATION></ANNOTATION>
</TIER></ANNOTATION_DOCUMENT>
"""
RTTM = """;; a comment
SPKR-INFO call 1 <NA> <NA> <NA> unknown anna <NA> <NA>
SPEAKER call 1 0.400 2.500 <NA> <NA> anna <NA> <NA>
SPEAKER call 1 2.900 3.100 <NA> <NA> ben <NA> <NA>
"""
FILES = {
    "long.TextGrid": TEXTGRID,
    "short.TextGrid": SHORT,
    "call.eaf": EAF,
    "call.rttm": RTTM,
    "call.csv": "start,end,speaker\n0.4,2.9,anna\n2.9,6.0,ben\n",
    "semicolons.csv": "\ufeffStart;End;Speaker\r\n0,4;2,9;anna\r\n2,9;6,0;ben\r\n",
    "call.tsv": "speaker\tstart\tend\nanna\t0.4\t2.9\nben\t2.9\t6.0\n",
}


@pytest.mark.parametrize("name", FILES)
def test_every_kind_of_file_gives_the_same(
    model: live_ser.Model, sound: Samples, tmp_path: Path, name: str
) -> None:
    path = tmp_path / name
    encoding = "utf-16" if name == "long.TextGrid" else "utf-8"
    path.write_text(FILES[name], encoding)
    turns = [(0.4, 2.9, "anna"), (2.9, 6.0, "ben")]
    assert model.at(sound, path, RATE) == model.at(sound, turns, RATE)
    (ben,) = model.at(sound, path, RATE, tiers=["ben"])
    assert (ben.start, ben.end, ben.speaker) == (2.9, 6.0, "ben")
    with pytest.raises(LiveSerError, match="has no tier carl"):
        model.at(sound, path, RATE, tiers=["carl"])


@pytest.mark.parametrize(
    ("file", "said"),
    [
        (("a.csv", "start,end\n1,0.5\n"), "line 2: from 1 to 0.5 s is no interval"),
        (("a.csv", "start,end\none,two\n"), "line 2: from one to two s is no interval"),
        (("a.csv", 'start,end,speaker\n0,1,"anna\n2,3,ben\n'), "line 2 is no row of a table"),
        (("a.csv", 'start,end,speaker\n0,1,a\n2,3,"a\n5,6,b"\n'), "line 3 is no row of a table"),
        (("a.csv", 'start,end,"speaker\n0,1,a\n'), "line 1 is no row of a table"),
        (("a.csv", "start,end,Start\n0,1,2\n"), "has two columns start"),
        (("a.csv", "from,to\n0,1\n"), "does not begin with the columns start,end"),
        (("a.csv", "start,end\n"), "marks no interval"),
        (("a.rttm", "SPEAKER call 1 0.4 -1 <NA> <NA> anna\n"), "line 1: from 0.4"),
        (("a.rttm", "SPEAKER call 1 0.4\n"), "a SPEAKER line has 10 fields"),
        (("a.TextGrid", TEXTGRID[:400]), "is no whole TextGrid"),
        (("a.TextGrid", "nothing"), "is no whole TextGrid"),
        (("a.TextGrid", TEXTGRID.replace("size = 3", "size = 1e400")), "is no whole TextGrid"),
        (("a.TextGrid", TEXTGRID.replace("size = 2", "size = 9e9")), "is no whole TextGrid"),
        (("a.TextGrid", TEXTGRID.replace("size = 2", "size = -2")), "is no whole TextGrid"),
        (("a.eaf", "<a"), "is no ELAN file"),
        (("a.eaf", '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'), "is no ELAN file"),
        (("a.doc", "x"), "holds no intervals that can be read"),
    ],
)
def test_a_file_that_cannot_be_is_refused_in_a_line(
    model: live_ser.Model, sound: Samples, tmp_path: Path, file: tuple[str, str], said: str
) -> None:
    path = tmp_path / file[0]
    path.write_text(file[1], "utf-8")
    with pytest.raises(LiveSerError, match=said):
        model.at(sound, path, RATE)


def test_a_file_of_several_recordings_is_looked_up_by_name(
    model: live_ser.Model, sound: Samples, tmp_path: Path
) -> None:
    path, call = tmp_path / "all.rttm", tmp_path / "call.wav"
    path.write_text(RTTM + RTTM.replace(" call ", " other ").replace("0.400", "0.500"), "utf-8")
    soundfile.write(call, sound, RATE, subtype="FLOAT")
    assert [one.start for one in model.at(call, path)] == [0.4, 2.9]
    call.rename(tmp_path / "third.wav")
    with pytest.raises(LiveSerError, match=r"no intervals of third\.wav"):
        model.at(tmp_path / "third.wav", path)


def test_a_file_of_many_recordings_is_read_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "all.rttm"
    path.write_text(RTTM + RTTM.replace(" call ", " other "), "utf-8")
    intervals = TurnFiles(path)
    first = intervals.turns_of("call.wav")
    with monkeypatch.context() as patch:
        patch.setattr("live_ser.records.turn_files.read_tiers", None)
        assert intervals.turns_of("other.wav") == first
    path.write_text(path.read_text("utf-8").replace("0.400", "0.4500"), "utf-8")
    assert [turn.start for turn in intervals.turns_of("call.wav")] == [0.45, 2.9]


@pytest.mark.parametrize("name", ["a.csv", "a.TextGrid", "a.rttm"])
def test_no_time_is_less_than_zero(name: str, tmp_path: Path) -> None:
    text = {
        "a.csv": "start,end\n-0.0,1\n",
        "a.TextGrid": TEXTGRID.replace("0.4", "-0.0"),
        "a.rttm": RTTM.replace("0.400", "-0.0"),
    }
    (tmp_path / name).write_text(text[name], "utf-8")
    assert str(read_tiers(tmp_path / name)[0].start) == "0.0"
    assert str(turns_of([(-0.0, 1.0)], "a.wav")[0].start) == "0.0"


def test_what_live_ser_writes_it_reads(
    model: live_ser.Model, sound: Samples, tmp_path: Path
) -> None:
    from live_ser.records.annotation import Annotation
    from live_ser.records.eaf import eaf
    from live_ser.records.intervals import Interval
    from live_ser.records.textgrid import textgrid

    said = Interval(0.4, 2.9, "speech", "happy", 0.7, 0.5)
    call = Annotation("call.wav", 8.0, (said, replace(said, start=3.0)))
    for name, text in (("a.TextGrid", textgrid(call)), ("a.eaf", eaf(call))):
        (tmp_path / name).write_text(text, "utf-8")
        found = [one for one in read_tiers(tmp_path / name) if one.tier == "emotion"]
        assert [(one.start, one.end, one.text) for one in found] == [(0.4, 2.9, "happy")]
