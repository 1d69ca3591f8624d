"""The corpus in pictures: what is asked for is drawn, and drawn from what is there."""

from __future__ import annotations

from pathlib import Path

import matplotlib.image
import numpy as np
import pytest
import soundfile

from training.corpora.catalogue import read_corpus
from training.data.features import FeatureConfig
from training.data.plots import choose, draw_counts, draw_side_by_side, draw_waveforms
from training.explore import main


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two actors of RAVDESS, the second without disgust, and one speaker of nEMO."""
    folder = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    names = [
        f"ravdess/03-01-{emotion:02}-{intensity:02}-01-01-{actor:02}"
        for actor in (1, 2)
        for emotion in range(1, 9)
        for intensity in ((1,) if emotion == 1 else (1, 2))
        if (actor, emotion) != (2, 7)
    ]
    names += [f"nemo/WR0_{emotion}_1" for emotion in ("anger", "sadness", "neutral")]
    for name in names:
        path = (folder / name).with_suffix(".wav")
        path.parent.mkdir(exist_ok=True)
        soundfile.write(path, rng.normal(0, 0.1, 12_000), 16_000)
    return folder


def run(data: Path, output: Path, *arguments: str) -> int:
    return main(["--data", str(data), "-o", str(output), *arguments])


def test_three_pictures_are_drawn(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(data, tmp_path / "new" / "folder") == 0
    paths = [Path(line) for line in capsys.readouterr().out.split()]
    names = ["clips_per_emotion.png", "waveforms.png", "disgust_surprised.png"]
    assert [path.name for path in paths] == names
    for path in paths:
        height, width, _ = matplotlib.image.imread(path).shape
        assert min(height, width) > 400


def test_any_two_emotions_and_any_speaker_may_be_drawn(data: Path, tmp_path: Path) -> None:
    assert run(data, tmp_path, "--emotions", "angry", "sad", "--speaker", "02") == 0
    assert (tmp_path / "angry_sad.png").is_file()


def test_bars_show_how_many_clips_there_are(data: Path) -> None:
    corpora = [read_corpus(name, data, labels=()) for name in ("ravdess", "nemo")]
    (axes,) = draw_counts(corpora).axes
    tops = {text.get_text() for text in axes.texts}
    assert tops == {"3", "2", "4", "5"}  # neutral; disgust; most; angry and sad
    assert axes.get_title() == "31 clips of 3 speakers"
    assert [label.get_text() for label in axes.get_xticklabels()][:3] == [
        "neutral",
        "calm",
        "happy",
    ]


def test_each_emotion_of_the_speaker_has_a_waveform(data: Path) -> None:
    clips = choose(read_corpus("ravdess", data, labels=()), ("happy", "sad"), "02")
    titles = [axes.get_title("left").strip() for axes in draw_waveforms([*clips.values()]).axes]
    assert sorted(titles) == sorted(clips)
    assert "disgust" not in titles


def test_axes_say_what_they_measure(data: Path) -> None:
    clips = choose(read_corpus("ravdess", data, labels=()), ("disgust", "surprised"))
    figure = draw_side_by_side(clips["disgust"], clips["surprised"], FeatureConfig().spec())
    said = {axes.get_ylabel() for axes in figure.axes} | {axes.get_xlabel() for axes in figure.axes}
    assert {"time (s)", "frequency (Hz)", "power (dB re full scale)", "MFCC (dB)"} <= said


def test_the_clips_compared_are_of_one_speaker_and_alike(data: Path) -> None:
    clips = choose(read_corpus("ravdess", data, labels=()), ("disgust", "surprised"))
    assert {clip.speaker for clip in clips.values()} == {"ravdess/01"}
    assert {clip.intensity for clip in clips.values()} == {"01"}


@pytest.mark.parametrize(
    "arguments",
    [
        ("--speaker", "02"),  # has no disgust
        ("--speaker", "99"),
        ("--corpora", "nemo"),
        ("--corpora", "emodb"),
        ("--emotions", "bored", "calm"),
    ],
)
def test_what_is_not_there_is_said_in_one_line(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    assert run(data, tmp_path / "out", *arguments) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("error: ")
    assert "try: " in told.err
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_written_is_said_in_one_line(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("in the way")
    assert run(data, tmp_path / "file" / "out") == 1
    assert "-o" in capsys.readouterr().err
