"""Recordings of one's own: read from folders or a CSV file, trained on, classified."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import soundfile

from live_ser.errors import LiveSerError
from tests.support.tiny_model import tiny_info, write_model
from training import evaluate, fit
from training.corpora.emotions import LABELS
from training.corpora.own import OwnCorpus, parse_corpora

EMOTIONS = ("Neutral", "happiness", "anger", "sad")
SPEAKERS = ("anna", "ben", "cleo", "dan")
SMALL = (
    "--epochs=1",
    "--set=batches.per_epoch=16",
    "--set=batches.size=8",
    "--set=network.channels=[8]",
    "--set=network.lstm=4",
    "--set=takes=0",
)


def tone(path: Path, hertz: float = 220.0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    times = np.arange(4000) / 16_000
    soundfile.write(path, 0.1 * np.sin(2 * np.pi * hertz * times), 16_000)
    return path


def read(path: Path, speaker: str = "") -> list[tuple[str, str]]:
    return [(clip.emotion, clip.speaker) for clip in OwnCorpus("own", path, speaker).read().clips]


def test_a_folder_for_each_emotion_and_in_it_one_for_each_speaker(tmp_path: Path) -> None:
    for emotion, speaker in product(EMOTIONS, SPEAKERS[:2]):
        tone(tmp_path / emotion / speaker / "take 1.flac")
    found = set(read(tmp_path))
    wanted = product(("neutral", "happy", "angry", "sad"), ("own/anna", "own/ben"))
    assert found == set(wanted)


@pytest.mark.parametrize("pattern", ["[^_]+", "([a-z]+)_"])
def test_the_speaker_may_be_in_the_name(tmp_path: Path, pattern: str) -> None:
    tone(tmp_path / "angry" / "anna_01.wav")
    tone(tmp_path / "sad" / "ben_01.wav")
    tone(tmp_path / "sad" / "ben_02.wav")
    assert read(tmp_path, pattern) == [("angry", "own/anna"), *2 * [("sad", "own/ben")]]


@pytest.mark.parametrize("comma", [",", ";"])
def test_a_csv_file_names_files_beside_it(tmp_path: Path, comma: str) -> None:
    tone(tmp_path / "sound" / "1.wav")
    tone(tmp_path / "sound" / "2.wav")
    table = tmp_path / "own.csv"
    with table.open("w", newline="", encoding="utf-8-sig") as file:
        rows = csv.writer(file, delimiter=comma)
        rows.writerow(("speaker", "file", "emotion", "room"))
        rows.writerow(("anna", "sound/1.wav", "Angry", "kitchen"))
        rows.writerow(("ben", "sound/2.wav", "fear", ""))
        rows.writerow(("ben", "sound/3.wav", "fear", ""))
        rows.writerow(("ben", "sound/1.wav", "longing", ""))
        rows.writerow(("", "sound/1.wav", "sad", ""))
    assert read(table) == [("angry", "own/anna"), ("fearful", "own/ben")]
    why = [why for _, why in OwnCorpus("own", table).read().skipped]
    assert why == [
        "there is no such file (line 4 of own.csv)",
        "no emotion is called 'longing' (line 5 of own.csv)",
        "its speaker is unknown (line 6 of own.csv)",
    ]


def test_what_cannot_be_used_is_said(tmp_path: Path) -> None:
    tone(tmp_path / "angry" / "anna" / "1.wav")
    tone(tmp_path / "longing" / "anna" / "1.wav")
    tone(tmp_path / "longing" / "anna" / "2.wav")
    tone(tmp_path / "sad" / "nobody.wav")
    tone(tmp_path / "loose.wav")
    (tmp_path / "sad" / "anna").mkdir()
    (tmp_path / "sad" / "anna" / "1.wav").write_text("no sound")
    corpus = OwnCorpus("own", tmp_path).read()
    assert len(corpus.clips) == 1
    told = {path.relative_to(tmp_path).as_posix(): why for path, why in corpus.skipped}
    assert told["longing"] == "no emotion is called 'longing'; 2 files"
    assert "speaker is unknown" in told["sad/nobody.wav"]
    assert "folder of an emotion" in told["loose.wav"]
    assert "cannot be read" in told["sad/anna/1.wav"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("ravdes", "no corpus is called 'ravdes'"),
        ("own=nowhere", "neither a folder nor a CSV file"),
        ("ravdess=.", "cannot be called 'ravdess'"),
        ("My Own=.", "cannot be called"),
    ],
)
def test_corpora_that_there_are_not_are_refused(words: str, said: str) -> None:
    with pytest.raises(LiveSerError, match=said):
        parse_corpora(words)


def test_a_folder_without_clips_and_a_table_without_columns_are_refused(tmp_path: Path) -> None:
    with pytest.raises(LiveSerError, match="no clip of") as refused:
        OwnCorpus("own", tmp_path).read()
    assert "own/angry/anna/01.flac" in refused.value.hint
    table = tmp_path / "own.csv"
    table.write_text("path,label\n1.wav,angry\n")
    with pytest.raises(LiveSerError, match="no column file, nor emotion, nor speaker"):
        OwnCorpus("own", table).read()
    with pytest.raises(LiveSerError, match="no regular expression"):
        OwnCorpus("own", tmp_path, "[")


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four emotions of four speakers, spoken by espeak-ng."""
    if shutil.which("espeak-ng") is None:
        pytest.skip("espeak-ng, which speaks for this test, is not installed")
    folder = tmp_path_factory.mktemp("data") / "own"
    for (place, emotion), (row, speaker) in product(enumerate(EMOTIONS), enumerate(SPEAKERS)):
        path = folder / emotion / speaker / "1.wav"
        path.parent.mkdir(parents=True)
        voice = ["-p", str(20 + 20 * row), "-s", str(110 + 20 * place), "-w", str(path)]
        subprocess.run(["espeak-ng", *voice, "Kids are talking by the door."], check=True)
    return folder


def test_a_few_speakers_are_trained_on_and_it_is_said_what_is_missing(
    own: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("tensorflow")
    few = tmp_path / "few"
    for emotion, speaker in product(EMOTIONS, SPEAKERS[:2]):
        shutil.copytree(own / emotion / speaker, few / emotion / speaker)
    folder, cache = tmp_path / "run", tmp_path / "cache"
    words = [f"--corpora=own={few}", f"--cache={cache}", "--no-export", *SMALL]
    fit.main([*words, "-o", str(folder)])
    said = capsys.readouterr().err
    assert "own: 8 clips of 2 speakers, 0 held out" in said
    assert "own: no clip is fearful, nor disgust, nor surprised" in said
    assert "no speaker is held out" in said
    assert json.loads((folder / "metrics.json").read_text()).keys() == {"epochs", "parameters"}


@pytest.fixture(scope="module")
def run(own: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on them, exported, that is found finished when it is asked to go on."""
    pytest.importorskip("tensorflow")
    base = tmp_path_factory.mktemp("runs")
    folder = base / "run"
    words = [f"--corpora=own={os.path.relpath(own)}", f"--cache={base / 'cache'}", *SMALL]
    fit.main([*words, "-o", str(folder)])
    return folder


def test_no_speaker_is_in_training_and_test(run: Path) -> None:
    splits = json.loads((run / "splits.json").read_text())
    train, test = ({clip.split("/")[2] for clip in splits[part]} for part in ("train", "test"))
    assert (len(train), len(test)) == (3, 1)
    assert not train & test


def test_the_model_tells_what_the_recordings_show_and_not_where_they_are(
    run: Path, own: Path
) -> None:
    from live_ser.model.onnx_model import find, load

    assert find(run) == run / "live_ser.onnx"  # a run's folder is its model
    info = load(run).info
    assert info.labels == ("neutral", "happy", "sad", "angry")
    assert info.provenance["corpora"] == ["own"]
    assert info.licence == "not stated"
    assert str(own) not in info.to_json()


def test_a_run_that_goes_on_shows_what_it_is_at_and_ends_with_its_model(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fit.main([f"--resume={run}", f"--cache={tmp_path}"])
    said = capsys.readouterr()
    assert f"run: {run}: it is trained to its end" in said.err
    model = run / "live_ser.onnx"
    assert said.out.endswith(f"model: {model}\nuse it: live-ser listen --model {model}\n")


def test_a_killed_run_on_them_finds_them_again(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    begun = tmp_path / "begun"
    begun.mkdir()
    for name in ("config.json", "splits.json", "history.csv"):
        shutil.copy(run / name, begun)
    fit.main([f"--resume={begun}", f"--cache={run.with_name('cache')}", "--no-export"])
    assert "epoch 1 of 1 is done, loss" in capsys.readouterr().err
    assert (begun / "metrics.json").read_bytes() == (run / "metrics.json").read_bytes()


def test_an_evaluation_classifies_them(own: Path, run: Path, tmp_path: Path) -> None:
    model = write_model(tmp_path / "tiny.onnx", tiny_info(labels=LABELS))
    shared = ["--parts=clips", "--workers=1"]
    strangers = tmp_path / "strangers"
    evaluate.main([str(model), f"--corpora=own={own}", "-o", str(strangers), *shared])
    assert "cross-corpus: all of own" in (strangers / "card.md").read_text()
    held_out = tmp_path / "held-out"
    evaluate.main(["--corpora=", f"--run={run}", "-o", str(held_out), *shared])
    result = json.loads((held_out / "clips-held-out.json").read_text())
    assert result["figures"]["clips"] == 4
    with pytest.raises(LiveSerError, match="was trained on own"):
        evaluate.main([str(run), f"--corpora=own={own}", "-o", str(tmp_path / "no"), *shared])
