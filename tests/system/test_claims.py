"""An output never destroys an input, nor another output: they are compared as files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from live_ser.errors import LiveSerError
from live_ser.records.claims import Claims
from tests.support.command import live_ser
from training.command import keep_apart


@pytest.fixture
def clip(speech: Path, tmp_path: Path) -> Path:
    """A recording of its own, that can be lost."""
    path = tmp_path / "c.flac"
    path.write_bytes(speech.read_bytes())
    return path


@pytest.fixture(
    params=["itself", "absolute", "dotted", "symbolic link", "hard link", "linked folder"]
)
def other_name(request: pytest.FixtureRequest, clip: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Another name of the same recording."""
    monkeypatch.chdir(clip.parent)
    (clip.parent / "folder").mkdir()
    (clip.parent / "symbolic.flac").symlink_to(clip)
    os.link(clip, clip.parent / "hard.flac")
    (clip.parent / "linked").symlink_to(clip.parent, target_is_directory=True)
    return {
        "itself": clip.name,
        "absolute": str(clip),
        "dotted": f"folder/../{clip.name}",
        "symbolic link": "symbolic.flac",
        "hard link": "hard.flac",
        "linked folder": f"linked/{clip.name}",
    }[request.param]


def refused(*words: object) -> str:
    """What is said where a command is refused in one line, and nothing is made."""
    before = sorted(Path().rglob("*"))
    run = live_ser(*words)
    assert run.returncode == 2, run.stderr
    said, *advice = run.stderr.splitlines()
    assert len(advice) <= 1
    assert sorted(Path().rglob("*")) == before
    return said


def test_a_file_is_known_by_whatever_name(clip: Path, other_name: str) -> None:
    claims = Claims()
    claims.read(clip.name)
    with pytest.raises(LiveSerError, match="is read"):
        claims.write(other_name)


@pytest.mark.parametrize(
    "words",
    [
        ["file", "c.flac", "--format=csv", "-o"],
        ["file", ".", "--format=csv", "-o"],
        ["listen", "--from", "c.flac", "--speed=0", "--record"],
        ["listen", "--from", "c.flac", "--speed=0", "--format=csv", "-o"],
    ],
    ids=" ".join,
)
def test_no_output_is_a_recording_that_is_classified(
    tiny_model: Path, clip: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    monkeypatch.chdir(clip.parent)
    kept = clip.read_bytes()
    os.link(clip, "hard.flac")
    assert "is read" in refused(*words, "hard.flac", "--model", tiny_model, "--force")
    assert clip.read_bytes() == kept


def test_no_output_is_the_model_or_what_a_page_is_made_of(
    tiny_model: Path, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(clip.parent)
    model, session = Path("m.onnx"), Path("s.html")
    model.write_bytes(tiny_model.read_bytes())
    words = ["listen", "--from", clip, "--model", model, "--speed", "0", "--format", "jsonl"]
    assert live_ser(*words, "-o", session).returncode == 0
    kept = {path: path.read_bytes() for path in (model, session, clip)}
    for path in (model, session, clip):
        report = ["report", session, "--audio", clip, "--model", model, "-o", path, "--force"]
        assert "is read" in refused(*report)
    assert "is read" in refused("report", session, "--force")  # the page would have its name
    assert "is read" in refused(
        *("file", clip, "--model", model, "--format", "csv", "-o", model, "--force")
    )
    assert {path: path.read_bytes() for path in kept} == kept


@pytest.mark.parametrize("second", ["same.wav", "./same.wav", "SAME.wav", "folder/../same.wav"])
def test_two_outputs_are_two_files(
    tiny_model: Path, clip: Path, monkeypatch: pytest.MonkeyPatch, second: str
) -> None:
    monkeypatch.chdir(clip.parent)
    Path("folder").mkdir()
    words = ["listen", "--from", clip.name, "--model", tiny_model, "--speed", "0", "--format=csv"]
    said = refused(*words, "-o", "same.wav", "--record", second)
    assert "cannot share" in said


def test_pictures_and_records_are_two_files(
    tiny_model: Path, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    monkeypatch.chdir(clip.parent)
    words = ["file", clip.name, "--model", tiny_model, "--format", "csv"]
    assert "cannot share" in refused(*words, "-o", "x.png", "--plot", "x.png")


def test_a_list_is_not_written_over(
    tiny_model: Path, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    claims = Claims()
    names = clip.with_suffix(".txt")
    names.write_text(clip.name)
    with names.open() as stream:
        claims.read_stream(stream, "the list on standard input")
        with pytest.raises(LiveSerError, match="is read as the list"):
            claims.write(names)


def test_what_loses_nothing_may_be_named_twice() -> None:
    claims = Claims()
    claims.read(os.devnull)
    claims.write(os.devnull)
    claims.write(os.devnull)


def test_nothing_is_written_into_a_folder_that_is_read(tmp_path: Path) -> None:
    (tmp_path / "corpus" / "deep").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "corpus", target_is_directory=True)
    claims = Claims()
    claims.read_folder(tmp_path / "corpus")
    for name in ("corpus", "corpus/new", "link/deep/new/run", "corpus/deep"):
        with pytest.raises(LiveSerError, match="which is read"):
            claims.write(tmp_path / name)
    claims.write(tmp_path / "corpus-2")


def test_training_writes_into_no_corpus_and_no_run_that_it_reads(tmp_path: Path) -> None:
    data, run, weights = tmp_path / "data", tmp_path / "run", tmp_path / "teacher.onnx"
    data.mkdir()
    run.mkdir()
    weights.touch()
    for output in (data, data / "ravdess" / "new", run, weights):
        with pytest.raises(LiveSerError, match="is read"):
            keep_apart(output, data, run, weights)
    keep_apart(tmp_path / "new", data, run, weights)
