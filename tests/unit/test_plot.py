"""A recording as a picture: it shows what was classified where, and grows with nothing."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from live_ser.errors import LiveSerError
from live_ser.palette import colours
from live_ser.records.record import Record
from live_ser.report.overview import Overview, Values
from live_ser.report.plot import draw_plot
from tests.support.command import live_ser
from tests.support.tiny_model import LABELS, tiny_info

image = pytest.importorskip("matplotlib.image", reason="matplotlib is not installed")


def highest(values: Values) -> Values:
    top: Values = values.max(axis=1)
    return top


def mean(values: Values) -> Values:
    middle: Values = values.mean(axis=1)
    return middle


@given(st.lists(st.integers(0, 40), max_size=20), st.integers(1, 3), st.integers(2, 9))
def test_an_overview_is_that_of_the_whole_however_it_comes(
    sizes: list[int], step: int, most: int
) -> None:
    values = np.random.default_rng(0).normal(size=(sum(sizes), 2)).astype(np.float32)
    for merge in (highest, mean):
        overview = Overview(merge, 2, max_columns=most, step=step)
        for part in np.split(values, np.cumsum(sizes)):
            overview.push(part)
        columns = overview.columns()
        assert len(columns) <= most + 1
        cuts = range(0, len(values), overview.step)
        expected = [merge(values[np.newaxis, cut : cut + overview.step])[0] for cut in cuts]
        np.testing.assert_allclose(columns, np.reshape(expected, (-1, 2)), atol=1e-5)


def windows(said: list[str | None]) -> list[Record]:
    return [
        {
            "type": "window", "start": max(0.0, i / 2 - 3), "end": (i + 1) / 2,
            "state": "speech" if label else "silence", "label": label,
            "probabilities": {x: float(x == label) for x in LABELS} if label else None,
            "activation": 0.5 if label else None,
        }
        for i, label in enumerate(said)
    ]  # fmt: skip


def share_of(picture: Any, colour: str) -> Any:
    """How much of each of ten stretches of time is of a colour."""
    wanted = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    alike = np.abs(picture[..., :3] - wanted).max(axis=2) < 0.02
    found = np.flatnonzero(alike.any(axis=0))
    assert len(found), "the colour is nowhere"
    return alike.mean(axis=0)


def test_each_emotion_is_drawn_where_it_was_heard_and_silence_is_a_gap(tmp_path: Path) -> None:
    clip, output = tmp_path / "clip.wav", tmp_path / "clip.png"
    rng = np.random.default_rng(0)
    soundfile.write(clip, rng.normal(0, 0.1, 10 * 16000), 16000)
    said = [*["happy"] * 6, *[None] * 8, *["sad"] * 6]
    draw_plot(clip, tiny_info(), windows(said), output)
    picture = image.imread(output)
    shades = dict(zip(LABELS, colours(LABELS), strict=True))
    happy, sad = share_of(picture, shades["happy"].hex), share_of(picture, shades["sad"].hex)
    first, last = np.flatnonzero(happy), np.flatnonzero(sad)
    # 3 s of happy, 4 s of nothing, 3 s of sad.
    assert first[-1] < last[0]
    lengths = np.array([np.ptp(first), last[0] - first[-1], np.ptp(last)])
    np.testing.assert_allclose(lengths / lengths.sum(), [0.3, 0.4, 0.3], atol=0.02)
    assert np.count_nonzero(happy) == np.ptp(first) + 1


@pytest.mark.parametrize("samples", [1, 800, 48000])
def test_the_shortest_recordings_are_drawn(tmp_path: Path, samples: int) -> None:
    clip = tmp_path / "$x^{2$ _[b]_\n<i>ą😀.wav"
    soundfile.write(clip, np.zeros(samples), 16000)
    draw_plot(clip, tiny_info(labels=("_a", "$b^{$", "\x1b[2J")), [], tmp_path / "out.png")
    assert image.imread(tmp_path / "out.png").std() > 0


def test_an_utterance_is_labelled_in_a_picture_of_text(tmp_path: Path) -> None:
    clip, output = tmp_path / "clip.wav", tmp_path / "clip.svg"
    soundfile.write(clip, np.random.default_rng(0).normal(0, 0.1, 10 * 16000), 16000)
    part = {"type": "segment", "confidence": 0.4, "activation": 0.5}
    segments = [
        {**part, "start": 0.5, "end": 3.0, "state": "speech", "label": "happy"},
        {**part, "start": 4.0, "end": 6.5, "state": "uncertain", "label": "sad"},
        {**part, "start": 7.0, "end": 7.1, "state": "speech", "label": "angry"},
        {**part, "start": 8.0, "end": 9.0, "state": "listening", "label": None},
    ]
    verdict = {"type": "clip", "state": "speech", "label": "happy", "confidence": 0.81}
    draw_plot(clip, tiny_info(), [*segments, verdict], output)
    texts = re.findall(r"<!-- (.*?) -->", output.read_text())
    assert "clip.wav: happy 81 %" in texts
    labels = [text for text in texts if text.rstrip("?") in LABELS]
    assert labels[:2] == ["happy", "sad?"]  # then come the names of the lanes
    assert len(labels) == 2 + len(LABELS)


def test_the_command_draws_each_file(tiny_model: Path, speech: Path, tmp_path: Path) -> None:
    clip, other = tmp_path / "one.flac", tmp_path / "other.flac"
    for path in (clip, other):
        path.write_bytes(speech.read_bytes())
    words = ["file", clip, "--model", tiny_model, "--format", "jsonl", "--plot"]
    picture = tmp_path / "clip.png"
    run = live_ser(*words, picture)
    assert (run.returncode, run.stderr) == (0, f"drew {picture}\n")
    assert run.stdout.count("\n") == 1
    kept = picture.read_bytes()
    assert kept.startswith(b"\x89PNG")

    again = live_ser(*words, picture)
    assert again.returncode == 1
    assert "is there already" in again.stderr
    assert again.stdout == run.stdout  # the verdict is given all the same
    assert picture.read_bytes() == kept

    words[1:1] = [other]
    refused = live_ser(*words, picture)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "--plot FOLDER/" in refused.stderr
    assert live_ser(*words, f"{tmp_path}/pictures/").returncode == 0
    names = sorted(path.name for path in (tmp_path / "pictures").iterdir())
    assert names == ["one.png", "other.png"]


def test_a_picture_keeps_its_name_where_the_command_goes_on(
    tiny_model: Path, speech: Path, tmp_path: Path
) -> None:
    first, second = (tmp_path / name / "clip.flac" for name in "ab")
    words = ["--model", tiny_model, "-o", tmp_path / "out.jsonl", "--plot", f"{tmp_path / 'pics'}/"]
    first.parent.mkdir()
    second.parent.mkdir()
    first.write_bytes(speech.read_bytes())
    assert live_ser("file", first, second, *words).returncode == 1  # the second is not there yet
    drawn = (tmp_path / "pics" / "a" / "clip.png").read_bytes()
    second.write_bytes(speech.read_bytes())
    assert live_ser("file", first, second, *words, "--resume").returncode == 0
    assert (tmp_path / "pics" / "a" / "clip.png").read_bytes() == drawn
    assert (tmp_path / "pics" / "b" / "clip.png").exists()


def test_a_picture_is_named_as_what_it_is(tiny_model: Path, speech: Path) -> None:
    run = live_ser("file", speech, "--model", tiny_model, "--plot", "x.jpeg")
    assert (run.returncode, run.stdout) == (2, "")
    assert "NAME.png" in run.stderr


def test_without_matplotlib_one_line_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(LiveSerError) as caught:
        draw_plot("clip.wav", tiny_info(), [], tmp_path / "x.png")
    assert "matplotlib" in caught.value.message
    assert "live-ser[plot]" in caught.value.hint
