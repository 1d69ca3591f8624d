"""Prosody: pitch, loudness, rate and pauses are those of the voice, whatever way its sound came."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import live_ser
from live_ser.audio.blocks import Samples
from live_ser.frontend.gate import CHUNK_SECONDS
from live_ser.frontend.pitch import REFERENCE, VoiceStream, timing
from live_ser.inference.prosody import (
    MEASURES,
    NOTHING,
    Prosody,
    ProsodySums,
    UsualProsody,
    pitches,
    prosody_sums,
)
from live_ser.inference.recordings import analyse
from live_ser.inference.results import Prediction, Verdict
from live_ser.records.csv import Csv
from live_ser.records.reader import read_records
from live_ser.records.record import clip_record, segment_record, window_record
from live_ser.records.schema import check_record
from live_ser.report.page import write_report
from live_ser.text import prosody_words
from tests.support.tiny_model import LABELS

RATE = 16_000


def voice(
    pitch: float, seconds: float, *, syllables: float = 4.0, level: float = 0.1, drop: float = 1.0
) -> Samples:
    """A buzz with two formants that swells ``syllables`` times a second."""
    time = np.arange(round(seconds * RATE)) / RATE
    phase = 2 * np.pi * pitch * time
    sound = np.zeros(len(time))
    for harmonic in range(1, int(4000 / pitch)):
        hertz = harmonic * pitch
        formants = 1 / (1 + ((hertz - 600) / 150) ** 2) + 0.5 / (1 + ((hertz - 1700) / 200) ** 2)
        sound += (formants + 0.02) / harmonic**0.5 * np.sin(harmonic * phase)
    swell = 1 - drop * np.cos(np.pi * syllables * time) ** 2 * 0.97
    sound *= swell
    return np.asarray(level * sound / np.sqrt(np.mean(sound**2)), np.float32)


def measured(sound: Samples, mask: Any = None, rate: int = RATE) -> ProsodySums:
    hop, centre = timing(rate)
    chunks = int(len(sound) / rate / CHUNK_SECONDS)
    speech = np.ones(chunks, np.bool_) if mask is None else mask
    return prosody_sums(VoiceStream(rate).push(sound), speech, centre, hop)


@pytest.mark.parametrize("pitch", [75, 110, 180, 250, 400, 600])
@pytest.mark.parametrize("rate", [16_000, 22_050])
def test_pitch_is_that_of_the_voice(pitch: float, rate: int) -> None:
    soxr = pytest.importorskip("soxr")
    sound = voice(pitch, 2.0)
    told = measured(soxr.resample(sound, RATE, rate), rate=rate).prosody()
    assert told is not None
    assert told.pitch == pytest.approx(pitch, rel=0.015)
    assert told.pitch_semitones == pytest.approx(12 * np.log2(pitch / REFERENCE), abs=0.25)
    assert told.pitch_range == pytest.approx(0, abs=0.5)


def test_the_range_of_a_pitch_that_rises_an_octave() -> None:
    time = np.arange(3 * RATE) / RATE
    phase = 2 * np.pi * np.cumsum(120 * 2 ** (time / 3)) / RATE
    sound = sum(np.sin(k * phase) / k for k in range(1, 12)) * 0.05
    told = measured(np.asarray(sound, np.float32)).prosody()
    assert told is not None
    assert told.pitch_range == pytest.approx(0.8 * 12, abs=0.5)
    assert told.pitch_low == pytest.approx(120 * 2**0.1, rel=0.03)
    assert told.pitch_high == pytest.approx(120 * 2**0.9, rel=0.03)


def test_a_short_cry_an_octave_up_is_not_taken_for_an_error() -> None:
    around = voice(140, 0.6, drop=0.0)
    told = measured(np.concatenate([around, voice(280, 0.2, drop=0.0), around])).prosody()
    assert told is not None
    assert told.pitch == pytest.approx(140, rel=0.02)
    assert told.pitch_high == pytest.approx(280, rel=0.02)


def test_noise_has_no_pitch_and_no_syllables() -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, 3 * RATE).astype(np.float32)
    told = measured(noise).prosody()
    assert told is not None
    assert told.pitch is None
    assert told.rate == pytest.approx(0, abs=0.4)


@pytest.mark.parametrize("level", [0.003, 0.03, 0.3])
def test_loudness_is_that_of_the_speech_alone(level: float) -> None:
    sound = voice(150, 2.0, level=level, drop=0.0)
    pause = np.zeros(RATE, np.float32)
    chunks = np.zeros(int(3 / CHUNK_SECONDS), np.bool_)
    chunks[: int(2 / CHUNK_SECONDS) - 1] = True
    told = measured(np.concatenate([sound, pause]), chunks).prosody()
    assert told is not None
    assert told.loudness == pytest.approx(20 * np.log10(level), abs=0.3)


@pytest.mark.parametrize("syllables", [2.5, 4.0, 6.0])
def test_rate_is_syllables_a_second(syllables: float) -> None:
    told = measured(voice(150, 4.0, syllables=syllables)).prosody()
    assert told is not None
    assert told.rate == pytest.approx(syllables, rel=0.1)


def test_less_than_a_second_has_no_rate() -> None:
    told = measured(voice(150, 0.9)).prosody()
    assert told is not None
    assert told.rate is None
    assert told.pitch is not None


def test_pauses_are_those_between_first_and_last_speech() -> None:
    mask = np.zeros(100, np.bool_)
    mask[10:40] = True
    mask[44:50] = True  # after a gap too short for a pause
    mask[60:70] = True
    told = measured(voice(150, 3.2), mask).prosody()
    assert told is not None
    assert told.pauses == pytest.approx(10 / 60)
    assert told.rate is not None  # of the speech, not of the pauses


def test_frames_do_not_depend_on_the_blocks() -> None:
    sound = voice(130, 2.0)
    whole = VoiceStream(RATE).push(sound)
    stream = VoiceStream(RATE)
    pieces = [stream.push(sound[i : i + 333]) for i in range(0, len(sound), 333)]
    np.testing.assert_array_equal(np.concatenate(pieces), whole)


def test_digital_silence_is_no_voice() -> None:
    frames = VoiceStream(RATE).push(np.zeros(RATE, np.float32))
    assert np.isfinite(frames).all()
    _, voiced = pitches(frames, np.ones(len(frames), np.bool_))
    assert not voiced.any()
    assert NOTHING.prosody() is None


def talk(seconds: float) -> Samples:
    """A voice that speaks as usual, and then higher, louder and faster."""
    usual = voice(120, seconds, syllables=4.0, level=0.02)
    excited = voice(120 * 2**0.25, 3.0, syllables=5.0, level=0.04)
    return np.concatenate([usual, np.zeros(RATE // 2, np.float32), excited])


def test_changes_are_against_the_usual_once_that_is_known() -> None:
    usual = UsualProsody()
    for i in range(2):
        assert usual.before(4.0 * i) is None
        usual.update(4.0 * i + 4, measured(voice(120, 4.0, level=0.02)))
    usual.update(10.0, measured(voice(300, 2.0)))  # part of the next, which replaces it
    usual.update(12.0, measured(voice(120, 4.0, level=0.02)))
    known = usual.before(12.0)
    told = measured(voice(120 * 2**0.25, 4.0, syllables=5.0, level=0.04)).prosody(known)
    assert told is not None
    assert told.pitch_change == pytest.approx(3, abs=0.3)
    assert told.loudness_change == pytest.approx(6, abs=0.5)
    assert told.rate_change == pytest.approx(1.25, abs=0.12)


def test_what_is_said_later_counts_for_a_segment() -> None:
    usual = UsualProsody()
    later = [measured(voice(120, 4.0))] * 3
    known = usual.with_later(later)
    assert known is not None
    assert known.pitch_semitones == pytest.approx(12 * np.log2(120 / REFERENCE), abs=0.2)
    assert usual.with_later(later[:2]) is None


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ((5.2, 3.1, 1.19), "5 dB louder, 3 semitones higher, 20 % faster than usual"),
        ((-6.0, -1.2, 0.68), "6 dB softer, 1 semitone lower, 30 % slower than usual"),
        ((0.5, 0.2, 1.02), "as usual"),
    ],
)
def test_changes_in_words(changes: tuple[float, float, float], words: str) -> None:
    loudness, pitch, rate = changes
    told = Prosody(
        pitch=182.3,
        loudness=-23.1,
        rate=4.62,
        pitch_change=pitch,
        loudness_change=loudness,
        rate_change=rate,
    )
    lines = prosody_words(vars(told))
    assert lines[0] == f"{words} (182 Hz, -23 dB, 4.6 syllables/s)"
    assert words in lines  # for narrow terminals
    assert all(line.count("(") == line.count(")") for line in lines)
    assert sorted(lines, key=len, reverse=True) == list(lines)
    unknown = replace(told, loudness_change=None, pitch_change=None, rate_change=None)
    assert prosody_words(vars(unknown))[0] == "182 Hz, -23 dB, 4.6 syllables/s"
    assert prosody_words(None) == ()


@pytest.fixture
def spoken(at_rate: Any) -> Samples:
    soundfile = pytest.importorskip("soundfile")
    samples: Samples = soundfile.read(at_rate(RATE), dtype="float32")[0]
    return samples


def test_file_replay_and_stream_measure_the_same(tiny_model: Path, spoken: Samples) -> None:
    model = live_ser.load(tiny_model)
    whole = [p.prosody for p in model.timeline(spoken, RATE)]
    assert any(whole)
    blocks = [spoken[i : i + 777] for i in range(0, len(spoken), 777)]
    assert [p.prosody for p in model.monitor(blocks)] == whole
    segments = model.segments(spoken, RATE)
    steps = analyse(model.network, blocks, timeline=True, segments=True, hop=0.25)
    *found, verdict = (x for x in steps if not isinstance(x, Prediction))
    assert [s.prosody for s in found] == [s.prosody for s in segments]
    assert isinstance(verdict, Verdict)
    assert verdict.prosody == model.predict(spoken, RATE).prosody
    assert verdict.prosody is not None
    assert verdict.prosody.pauses is not None
    assert verdict.prosody.pauses > 0.1


def test_silence_has_no_prosody(tiny_model: Path) -> None:
    model = live_ser.load(tiny_model)
    quiet = np.zeros(2 * RATE, np.float32)
    assert model.predict(quiet, RATE).prosody is None
    assert {p.prosody for p in model.timeline(quiet, RATE)} == {None}


def test_records_tables_and_page_hold_prosody(
    tiny_model: Path, spoken: Samples, tmp_path: Path
) -> None:
    model = live_ser.load(tiny_model)
    windows, verdict = model.timeline(spoken, RATE), model.predict(spoken, RATE)
    assert set(MEASURES) < set(windows.to_frame().columns)
    records = [window_record(p) for p in windows]
    records += [segment_record(s) for s in model.segments(spoken, RATE)]
    records.append(clip_record("clip.wav", verdict))
    records = [{**record, "source": "clip.wav"} for record in records]
    for record in records:
        check_record(record)
        assert (record["prosody"] is None) == (record["state"] == "silence")
    lines, table = tmp_path / "classified.jsonl", tmp_path / "classified.csv"
    lines.write_text("".join(json.dumps(record) + "\n" for record in records))
    with table.open("w", encoding="utf-8") as stream:
        writer = Csv(stream, LABELS)
        for record in records:
            writer.write(record)
    told = [record["prosody"] for record in records]
    assert [record.get("prosody") for record in read_records(table)] == told
    with table.open(encoding="utf-8") as stream:
        assert next(csv.reader(stream))[-len(MEASURES) :] == list(MEASURES)
    write_report(lines, tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text("utf-8")
    data = json.loads(page.split('id="data">')[1].split("</script>")[0])
    expected = [r["prosody"] and r["prosody"]["pitch"] for r in records if r["type"] == "window"]
    assert [window["pitch"] for window in data["windows"]] == expected


def test_pitch_agrees_with_pyin_on_real_speech(data: Path) -> None:
    pytest.importorskip("librosa")
    import librosa

    from benchmarks.pitch import semitones

    paths = [next((data / name).glob("*.flac")) for name in ("emodb", "emovo", "nemo", "tess")]
    clips = [librosa.load(path, sr=RATE)[0].astype(np.float32) for path in paths]
    ours, theirs = (np.concatenate(x) for x in zip(*map(semitones, clips), strict=True))
    both = ~np.isnan(ours) & ~np.isnan(theirs)
    apart = np.abs(ours - theirs)[both]
    assert np.median(apart) < 0.5
    assert np.mean(apart > 6) < 0.02
    assert np.count_nonzero(both) > 0.7 * np.count_nonzero(~np.isnan(theirs))
