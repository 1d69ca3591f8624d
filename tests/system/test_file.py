"""``live-ser file`` gives each clip one verdict, and says of each bad file why it has none."""

from __future__ import annotations

import csv
import io
import itertools
import os
import re
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from live_ser.audio.demo import DEMO
from live_ser.audio.sources import audio_file
from live_ser.batch.paths import expand_paths
from live_ser.cli import recordings
from live_ser.inference.recordings import classify_clip
from live_ser.inference.utterances import pieces
from live_ser.model.onnx_model import EmotionModel
from tests.support.command import (
    LIVE_SER,
    live_ser,
    live_ser_closed_early,
    live_ser_process,
    records,
)
from tests.support.tiny_model import LABELS, tiny_info, write_model


@pytest.fixture
def other_clip(speech: Path, tmp_path: Path) -> Path:
    """A short stereo clip at 44.1 kHz."""
    samples, rate = soundfile.read(speech, dtype="float32")
    path = tmp_path / "short [red]clip.wav"
    soundfile.write(path, np.stack([samples, samples], axis=1)[: 3 * rate], 44100)
    return path


def test_a_table_has_a_row_for_each_clip(
    tiny_model: Path, speech: Path, other_clip: Path, tmp_path: Path
) -> None:
    run = live_ser("file", "--model", tiny_model, speech, other_clip)
    assert run.returncode == 0
    assert run.stderr == ""
    assert str(other_clip) in run.stdout  # brackets are part of the name, not markup
    header, *rows = run.stdout.splitlines()
    assert [row.split()[0] for row in rows] == [str(speech), str(tmp_path / "short")]
    assert "verdict" in header


def test_a_file_with_too_little_speech_says_so_and_does_not_listen(tmp_path: Path) -> None:
    sound, rate = soundfile.read(DEMO, dtype="float32")
    short = np.concatenate([np.zeros(rate), sound[rate : rate + rate * 3 // 10], np.zeros(rate)])
    soundfile.write(tmp_path / "short.wav", short, rate)
    run = live_ser("file", tmp_path / "short.wav")
    assert run.returncode == 0
    assert run.stdout.splitlines()[1].endswith("too little speech")
    (clip,) = records(live_ser("file", "--format", "jsonl", tmp_path / "short.wav").stdout)
    assert (clip["state"], clip["label"]) == ("listening", None)


def test_records_are_json_lines(tiny_model: Path, speech: Path, other_clip: Path) -> None:
    run = live_ser("file", "--format", "jsonl", "--model", tiny_model, speech, other_clip)
    assert run.returncode == 0
    first, second = records(run.stdout)
    assert (first["type"], first["source"]) == ("clip", str(speech))
    assert second["source"] == str(other_clip)
    assert first["state"] == "speech"
    assert first["label"] in LABELS
    assert sum(first["probabilities"].values()) == pytest.approx(1, abs=1e-4)
    assert first["duration"] == pytest.approx(soundfile.info(speech).duration, abs=1e-3)


def test_csv_has_the_same_values(tiny_model: Path, speech: Path) -> None:
    as_json = live_ser("file", "--format", "jsonl", "--model", tiny_model, speech)
    as_csv = live_ser("file", "--format", "csv", "--model", tiny_model, speech)
    (record,), (row,) = records(as_json.stdout), csv.DictReader(io.StringIO(as_csv.stdout))
    assert row["label"] == record["label"]
    assert float(row["confidence"]) == record["confidence"]
    for label in LABELS:
        assert float(row[f"p_{label}"]) == record["probabilities"][label]


def test_a_timeline_puts_the_windows_before_their_clip(tiny_model: Path, speech: Path) -> None:
    run = live_ser("file", "--timeline", "--format", "jsonl", "--model", tiny_model, speech)
    *windows, clip = records(run.stdout)
    assert clip["type"] == "clip"
    assert {w["type"] for w in windows} == {"window"}
    assert [w["end"] for w in windows[:3]] == [0.5, 1.0, 1.5]
    assert windows[-1]["end"] == clip["duration"]


def test_the_output_file_is_not_overwritten_without_force(
    tiny_model: Path, speech: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.csv"
    words = ["file", "--model", tiny_model, speech, "-o", out]
    assert live_ser(*words).returncode == 0
    kept = out.read_text()
    assert kept.startswith("file,start,end,")
    again = live_ser(*words)
    assert again.returncode == 1
    assert "is there already" in again.stderr
    assert "--force" in again.stderr
    assert out.read_text() == kept
    assert live_ser(*words, "--force").returncode == 0


def test_each_bad_file_has_its_line_and_the_others_are_classified(
    tiny_model: Path, speech: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty.wav").touch()
    (tmp_path / "text.wav").write_text("hello")
    (tmp_path / "escape\x1b[31m.wav").touch()
    (tmp_path / "folder").mkdir()
    bad = [tmp_path / "folder", tmp_path / "missing.wav", *sorted(tmp_path.glob("*.wav"))]
    run = live_ser("file", "--format", "jsonl", "--model", tiny_model, *bad, speech)
    assert run.returncode == 1
    assert [r["source"] for r in records(run.stdout)] == [str(speech)]
    lines = run.stderr.splitlines()
    assert len(lines) == len(bad)
    assert all(line.startswith("live-ser: ") for line in lines)
    assert "Traceback" not in run.stderr
    assert "\x1b" not in run.stderr


def test_names_cannot_act_on_the_terminal(tiny_model: Path, speech: Path, tmp_path: Path) -> None:
    path = tmp_path / "\x1b[31m\x9b2Jred\u202e.flac"
    path.write_bytes(speech.read_bytes())
    for style in ("table", "jsonl", "csv"):
        run = live_ser("file", "--format", style, "--model", tiny_model, path)
        assert run.returncode == 0
        assert not {"\x1b", "\x9b"} & set(run.stdout)


def test_a_name_that_the_terminal_cannot_show_is_no_error(
    tiny_model: Path, speech: Path, tmp_path: Path
) -> None:
    path = tmp_path / "żółw.flac"
    path.write_bytes(speech.read_bytes())
    env = {**os.environ, "PYTHONIOENCODING": "ascii"}
    run = live_ser_process("file", "--model", tiny_model, path, env=env)
    assert (run.returncode, run.stderr) == (0, "")
    assert "w.flac" in run.stdout
    (clip,) = records(
        live_ser_process("file", "--format", "jsonl", "--model", tiny_model, path, env=env).stdout
    )
    assert clip["source"] == str(path)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["file"], "PATH"),
        (["file", "x.wav", "--format", "xml"], "xml"),
        (["nonsense"], "nonsense"),
        ([], "COMMAND"),
        (["file", "x.wav", "--hop", "soon"], "soon"),
    ],
)
def test_wrong_usage_is_exit_code_two(words: list[str], said: str) -> None:
    run = live_ser(*words)
    assert run.returncode == 2
    assert said in run.stderr
    assert run.stdout == ""


def test_a_missing_model_is_one_line_and_what_to_try() -> None:
    run = live_ser("file", "--model", "no-such-model", "x.wav")
    assert run.returncode == 1
    why, what = run.stderr.splitlines()
    assert "no-such-model" in why
    assert what.startswith("  try: ")


def test_a_reader_that_has_enough_is_no_error(tiny_model: Path, speech: Path) -> None:
    words = ["file", "--timeline", "--format", "jsonl", "--model", tiny_model]
    run = live_ser_closed_early(*words, *[speech] * 3)
    assert (run.returncode, run.stderr) == (0, "")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals to send")
def test_what_is_known_when_it_is_interrupted_is_told(tiny_model: Path, speech: Path) -> None:
    # The line that the missing one has says that the first one is classified.
    clips = [str(speech), "missing.wav", *[str(speech)] * 2000]
    words = ["file", "--model", str(tiny_model), *clips]
    with subprocess.Popen(
        [*LIVE_SER, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        # A test run in the background ignores interrupts, and would hand that down.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    ) as process:
        assert process.stderr is not None
        assert "missing.wav" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        out, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert out.count(speech.name) >= 1
    assert re.fullmatch(r"\d+ of 2002 recordings are done\n", said)


def test_a_full_disk_is_said_in_one_line(tiny_model: Path, speech: Path) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no device that is always full")
    run = live_ser("file", "--model", tiny_model, speech, "-o", full, "--force")
    assert run.returncode == 1
    assert "No space left" in run.stderr
    assert "Traceback" not in run.stderr


def test_silence_is_silence(tiny_model: Path, tmp_path: Path) -> None:
    path = tmp_path / "silence.wav"
    soundfile.write(path, np.zeros(48000), 16000)
    (clip,) = records(live_ser("file", "--format", "jsonl", "--model", tiny_model, path).stdout)
    assert clip["state"] == "silence"
    assert clip["label"] is None
    assert clip["probabilities"] is None
    assert clip["windows"] == 0


def test_a_long_clip_is_classified_in_pieces_and_the_first_piece_alone_is_the_short_clip(
    tiny_model: Path, speech: Path, tmp_path: Path
) -> None:
    model = EmotionModel(tiny_model)
    samples, rate = soundfile.read(speech, dtype="float32")
    long = tmp_path / "long.wav"
    soundfile.write(long, np.concatenate([samples] * 3), rate)
    with audio_file(long, 16000) as blocks:
        verdict = classify_clip(model, blocks)
    assert verdict.windows > 2
    assert verdict.duration == pytest.approx(3 * len(samples) / rate, abs=1e-3)


def test_a_model_that_does_not_trim_is_given_whole_windows(tmp_path: Path, speech: Path) -> None:
    gate = replace(tiny_info().gate, trim=False)
    model = EmotionModel(write_model(tmp_path / "whole.onnx", tiny_info(gate=gate)))
    with audio_file(speech, 16000) as blocks:
        verdict = classify_clip(model, blocks)
    assert verdict.state == "speech"
    assert 1 <= verdict.windows <= verdict.duration / 3.5 + 1


@given(st.lists(st.booleans(), max_size=300), st.integers(1, 120))
def test_pieces_hold_all_speech_and_are_never_too_long(mask: list[bool], longest: int) -> None:
    spoken = np.array(mask, np.bool_)
    cuts = pieces(spoken, longest)
    assert all(0 < stop - start <= longest for start, stop in cuts)
    assert all(one[1] <= other[0] for one, other in itertools.pairwise(cuts))
    assert sum(np.count_nonzero(spoken[start:stop]) for start, stop in cuts) == sum(mask)
    assert all(spoken[start] and spoken[stop - 1] for start, stop in cuts)


def test_a_model_is_not_given_the_start_of_a_clip_that_its_training_left_out(
    speech: Path, tmp_path: Path
) -> None:
    samples, rate = soundfile.read(speech, dtype="float32")
    whole, rest = tmp_path / "whole.wav", tmp_path / "rest.wav"
    soundfile.write(whole, samples[: 3 * rate], rate)
    soundfile.write(rest, samples[rate // 2 : 3 * rate], rate)
    untrimmed = replace(tiny_info().gate, trim=False)
    late = write_model(tmp_path / "late.onnx", tiny_info(gate=untrimmed, offset=0.5))
    plain = write_model(tmp_path / "plain.onnx", tiny_info(gate=untrimmed))
    verdicts = {}
    for model, clip in ((late, whole), (plain, rest), (plain, whole)):
        run = live_ser("file", "--format", "jsonl", "--model", model, clip)
        verdicts[model.stem, clip.stem] = list(records(run.stdout)[0]["probabilities"].values())
    assert verdicts["late", "whole"] == pytest.approx(verdicts["plain", "rest"], abs=1e-3)
    assert verdicts["late", "whole"] != pytest.approx(verdicts["plain", "whole"], abs=1e-3)


def test_it_says_what_was_written(tiny_model: Path, speech: Path, tmp_path: Path) -> None:
    broken, out = tmp_path / "broken.wav", tmp_path / "calls.jsonl"
    broken.write_bytes(b"RIFF" + bytes(100))
    words = ["file", speech, speech, broken, "--model", tiny_model, "-o", out]
    done = live_ser(*words)
    uncertain = sum(one["state"] == "uncertain" for one in records(out.read_text("utf-8")))
    told = f", {uncertain} uncertain" if uncertain else ""
    assert f"wrote {out}: 2 recordings{told}, 1 failed" in done.stderr
    assert "wrote" not in live_ser(*words, "--force", "-q").stderr


def test_a_terminal_shows_how_far_a_long_search_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(recordings, "_SILENT_SECONDS", 0.0)
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    for name in ("a.wav", "b.wav", "notes.txt"):
        (tmp_path / name).touch()
    others = recordings.LeftAlone()
    paths = expand_paths([str(tmp_path)], left_alone=others.add)
    assert len(recordings.found(paths, others, quiet=False)) == 2
    assert "looking for recordings: 1 among 1 file; Ctrl-C ends it" in terminal.getvalue()
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    assert len(recordings.found(iter(["a", "b"]), others, quiet=True)) == 2
    assert terminal.getvalue() == ""
