"""Containers of several tracks: the one marked default is heard, or the one that is asked for."""

from __future__ import annotations

import csv
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile

from live_ser.audio.blocks import Samples
from live_ser.audio.reading import USUAL, Reading
from live_ser.audio.sources import audio_file
from live_ser.errors import LiveSerError
from tests.support.command import live_ser, records

RATE = 16000


def tone(hertz: float) -> Samples:
    return (0.3 * np.sin(np.arange(2 * RATE) * 2 * np.pi * hertz / RATE)).astype(np.float32)


@pytest.fixture
def container(tmp_path: Path) -> Path:
    """Three tracks, tones of 300, 500 and 700 Hz, of which the second one is the default."""
    program = shutil.which("ffmpeg")
    if program is None:
        pytest.skip("ffmpeg is not installed")
    words: list[str] = []
    for number, hertz in enumerate((300, 500, 700)):
        soundfile.write(tmp_path / f"{number}.wav", tone(hertz), RATE)
        words += ["-i", str(tmp_path / f"{number}.wav")]
    for number in range(3):
        words += ["-map", f"{number}:a"]
        words += [f"-disposition:a:{number}", "default" if number == 1 else "0"]
    words += ["-metadata:s:a:0", "language=ger", "-metadata:s:a:2", "title=Commentary"]
    path = tmp_path / "film.mkv"
    subprocess.run([program, "-v", "error", *words, "-c:a", "flac", str(path)], check=True)
    return path


def hertz(path: Path, reading: Reading = USUAL) -> tuple[int, list[str]]:
    with audio_file(path, RATE, reading) as blocks:
        spectrum = np.abs(np.fft.rfft(np.concatenate(list(blocks))[:RATE]))
        return int(spectrum.argmax()), blocks.notes


def test_the_default_track_is_heard_and_the_others_are_named(container: Path) -> None:
    heard, (note,) = hertz(container)
    assert heard == 500
    for word in ("track 2", "there are others: 1 (ger", "3 (Commentary"):
        assert word in note


@pytest.mark.parametrize(("track", "expected"), [(1, 300), (2, 500), (3, 700)])
def test_a_track_is_chosen(container: Path, track: int, expected: int) -> None:
    assert hertz(container, Reading(track=track)) == (expected, [])


def test_a_track_that_is_not_there_lists_those_that_are(container: Path, speech: Path) -> None:
    with pytest.raises(LiveSerError, match="no track 4") as caught:
        hertz(container, Reading(track=4))
    assert "3 (Commentary" in caught.value.hint
    with pytest.raises(LiveSerError, match="no track 2"):
        hertz(speech, Reading(track=2))


def test_the_records_say_which_track_and_channel_were_heard(
    container: Path, tiny_model: Path, tmp_path: Path
) -> None:
    stereo = tmp_path / "stereo.wav"
    soundfile.write(stereo, np.stack([tone(300), tone(500)], axis=1), RATE)
    words = ["--model", tiny_model, "--format", "jsonl"]
    run = live_ser("file", *words, container)
    assert records(run.stdout)[0]["track"] == 2
    assert "track 2" in run.stderr
    (clip,) = records(live_ser("file", *words, "--channel", "2", stereo).stdout)
    assert clip["channel"] == 2
    (clip,) = records(live_ser("file", *words, stereo).stdout)
    assert "channel" not in clip
    session, *_ = records(
        live_ser("listen", *words, "--channel", "2", "--from", stereo, "--speed", "0").stdout
    )
    assert session["channel"] == 2
    table = live_ser("file", "--model", tiny_model, "--format", "csv", "--channel", "2", stereo)
    (row,) = csv.DictReader(table.stdout.splitlines())
    assert row["channel"] == "2"
    run = live_ser("file", *words, "--channel", "3", stereo)
    assert (run.returncode, run.stdout) == (1, "")
    assert "no channel 3 in 2 channels" in run.stderr
