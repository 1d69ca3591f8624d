"""Whatever is called a recording gets a verdict or one line, and never a traceback.

One command classifies all of them, so that each is shown not to stop the others either.
"""

from __future__ import annotations

import os
import re
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from live_ser.audio.blocks import Samples
from live_ser.text import printable
from tests.support.command import LIVE_SER, live_ser, records

RATE = 16000


def wav_header(
    *,
    size: int,
    channels: int = 1,
    rate: int = RATE,
    bits: int = 16,
    code: int = 1,
    riff: int | None = None,
    align: int | None = None,
) -> bytes:
    """The 44 bytes before the samples of a WAV file, as wrong as they are asked for."""
    align = channels * bits // 8 if align is None else align
    form = struct.pack("<HHIIHH", code, channels, rate, rate * align % 2**32, align % 2**16, bits)
    head = struct.pack(
        "<4sI4s4sI", b"RIFF", 36 + size if riff is None else riff, b"WAVE", b"fmt ", 16
    )
    return head + form + struct.pack("<4sI", b"data", size)


def resampled(speech: Path, rate: int) -> Samples:
    samples, native = soundfile.read(speech, dtype="float32")
    found: Samples = soxr.resample(samples[: 3 * native], native, rate)
    return found


def sound(speech: Path) -> bytes:
    """The speech as 16-bit PCM."""
    data: bytes = (resampled(speech, RATE) * 32767).astype("<i2").tobytes()
    return data


Make = Callable[[Path, Path], None]  # of a path, and of the speech


def written(subtype: str, rate: int = RATE, channels: int = 1) -> Make:
    def make(path: Path, speech: Path) -> None:
        samples = resampled(speech, rate)
        soundfile.write(path, np.stack([samples] * channels, axis=1), rate, subtype=subtype)

    return make


def content(data: bytes) -> Make:
    def make(path: Path, speech: Path) -> None:
        path.write_bytes(data)

    return make


def header(**wrong: int) -> Make:
    def make(path: Path, speech: Path) -> None:
        data = sound(speech)
        path.write_bytes(wav_header(**{"size": len(data), **wrong}) + data)

    return make


def holding(value: float) -> Make:
    def make(path: Path, speech: Path) -> None:
        samples = resampled(speech, RATE)
        samples[RATE] = value
        soundfile.write(path, samples, RATE, subtype="FLOAT")

    return make


def cut(suffix: str, share: float) -> Make:
    def make(path: Path, speech: Path) -> None:
        whole = path.with_name(f"whole.{suffix}")
        soundfile.write(whole, resampled(speech, RATE), RATE)
        data = whole.read_bytes()
        whole.unlink()
        path.write_bytes(data[: int(len(data) * share)])

    return make


def silence(seconds: float) -> Make:
    """Zeros that take no room on the disk."""

    def make(path: Path, speech: Path) -> None:
        size = round(seconds * 4000) * 2
        with path.open("wb") as stream:
            stream.write(wav_header(size=size, rate=4000))
            stream.truncate(44 + size)

    return make


def short(path: Path, speech: Path) -> None:
    soundfile.write(path, resampled(speech, RATE)[RATE : RATE + RATE // 20], RATE)


def plain(path: Path, speech: Path) -> None:
    data = sound(speech)
    path.write_bytes(wav_header(size=len(data)) + data)


def nothing(path: Path, speech: Path) -> None:
    pass


def folder(path: Path, speech: Path) -> None:
    path.mkdir()


def fifo(path: Path, speech: Path) -> None:
    os.mkfifo(path)


def not_mine(path: Path, speech: Path) -> None:
    plain(path, speech)
    path.chmod(0)


def dangling(path: Path, speech: Path) -> None:
    path.symlink_to(path.with_name("nowhere"))


def circle(path: Path, speech: Path) -> None:
    path.symlink_to(path)


State = tuple[str, ...]
JUDGED = ("speech", "uncertain", "listening", "silence")
VOICE = ("speech", "uncertain")
# Name: how it is made, and the states that its verdict may have or words of its line.
RECORDINGS: dict[str, tuple[Make, State | str]] = {
    "empty.wav": (content(b""), "is empty"),
    "text.wav": (content(b"hello, I am a text\n" * 50), "is not a sound file"),
    "text.mp3": (content(b"hello, I am a text\n" * 50), "is not a sound file"),
    "text.m4a": (content(b"hello, I am a text\n" * 50), "is not a sound file"),
    "noise.flac": (content(np.random.default_rng(0).bytes(9999)), "is not a sound file"),
    "zip.wav": (content(b"PK\x03\x04" + bytes(100)), "is not a sound file"),
    "header-only.wav": (header(size=0), VOICE),  # a recorder that crashed
    "cut-header.wav": (content(wav_header(size=1000)[:30]), "is not a sound file"),
    "no-samples.wav": (content(wav_header(size=0)), "zero samples"),
    "truncated.wav": (cut("wav", 0.6), "is truncated"),
    "truncated.flac": (cut("flac", 0.6), "is truncated"),
    "truncated.ogg": (cut("ogg", 0.6), "is truncated"),
    "truncated.mp3": (cut("mp3", 0.6), "is truncated"),
    "no-channels.wav": (header(channels=0), "is not a sound file"),
    "8-bit.wav": (written("PCM_U8"), VOICE),
    "24-bit.wav": (written("PCM_24"), VOICE),
    "32-bit.wav": (written("PCM_32"), VOICE),
    "float64.wav": (written("DOUBLE"), VOICE),
    "ulaw.wav": (written("ULAW", 8000), VOICE),
    "7.1.wav": (written("PCM_16", channels=8), VOICE),
    "384-kHz.wav": (written("FLOAT", 384_000), VOICE),
    "4-kHz.wav": (written("PCM_16", 4000), JUDGED),
    "1-Hz.wav": (header(rate=1), "1 samples a second"),
    "0-Hz.wav": (header(rate=0), "is not a sound file"),
    "4-GHz.wav": (header(rate=2**32 - 1), "is not a sound file"),
    "100-MHz.wav": (header(rate=10**8), "no sound has so many"),
    "1000-channels.wav": (header(channels=1000), JUDGED),
    "65535-channels.wav": (header(channels=65535), "is not a sound file"),
    "nan.wav": (holding(np.nan), "a sample of nan at 1.00 s"),
    "infinite.wav": (holding(-np.inf), "a sample of -inf at 1.00 s"),
    "unscaled.wav": (holding(20_000), "a sample of 20000 at 1.00 s"),
    "says-more.wav": (header(size=10_000_000), "is truncated"),
    "says-less.wav": (header(size=3200), JUDGED),
    "says-all.wav": (header(size=2**32 - 1, riff=2**32 - 1), VOICE),
    "says-other-align.wav": (header(align=3), JUDGED),
    "says-mp3.wav": (header(code=0x55), "says-mp3.wav holds no sound"),
    "0.05-s.wav": (short, ("listening", "silence")),
    "an-hour-of-zeros.wav": (silence(3600), ("silence",)),
    "folder.wav": (folder, "in the folder"),
    "missing.wav": (nothing, "there is no file"),
    "fifo.wav": (fifo, "is a pipe into which nobody writes"),
    "not-mine.wav": (not_mine, "Permission denied"),
    "dangling.wav": (dangling, "there is no file"),
    "circle.wav": (circle, "Too many levels of symbolic links"),
    f"{'x' * 300}.wav": (nothing, "File name too long"),
    "[red]brackets[blink] (1) {a} *.wav": (plain, VOICE),
    "'quotes' \"double\" `x` $(touch oops).wav": (plain, VOICE),
    "new\nline\r\t.wav": (plain, VOICE),
    "emoji 😀 é ąę.wav": (plain, VOICE),
    "escape \x1b[31m\x1b]0;title\x07\x9b2J\u202e.wav": (plain, VOICE),
    "escape missing \x1b[2J.wav": (nothing, "there is no file"),
    "<script>alert(1)<script>&amp;.wav": (plain, VOICE),
    "-v.wav": (plain, VOICE),
    "no text \udce9.wav": (plain, VOICE),
}


@pytest.fixture(scope="module")
def made(speech: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A folder of all of them, and the names of those that this system can make."""
    place = tmp_path_factory.mktemp("recordings")
    names = []
    for name, (make, _) in RECORDINGS.items():
        try:
            make(place / name, speech)
        except (OSError, AttributeError, UnicodeError):
            continue
        names.append(name)
    return place, names


def classify(place: Path, names: list[str], *words: object) -> subprocess.CompletedProcess[str]:
    command = [*LIVE_SER, "file", *map(str, words), "--", *names]
    return subprocess.run(
        command, cwd=place, capture_output=True, encoding="utf-8", timeout=300, check=False
    )


@pytest.fixture(scope="module")
def said(made: tuple[Path, list[str]], tiny_model: Path) -> dict[str, str]:
    """Of each name, the state of its verdict, or its line."""
    place, names = made
    run = classify(place, names, "--model", tiny_model, "--format", "jsonl")
    assert run.returncode == 1
    assert "Traceback" not in run.stderr
    found = {record["source"]: record["state"] for record in records(run.stdout)}
    lines = run.stderr.splitlines()
    assert len(found) + len(lines) == len(names)
    for line in lines:
        assert line.startswith("live-ser: ")
        (name,) = [name for name in names if f" {printable(name)}" in line and name not in found]
        found[name] = line
    return found


@pytest.mark.parametrize("name", RECORDINGS, ids=lambda name: ascii(name)[1:40])
def test_it_gets_a_verdict_or_a_line_of_its_own(
    name: str, made: tuple[Path, list[str]], said: dict[str, str]
) -> None:
    place, names = made
    if name not in names:
        pytest.skip("this system has no such files")
    expected = RECORDINGS[name][1]
    if name == "not-mine.wav" and os.access(place / name, os.R_OK):
        expected = VOICE  # nothing is forbidden to the superuser
    if isinstance(expected, str):
        assert expected in said[name]
    else:
        assert said[name] in expected


@pytest.mark.parametrize("style", ["table", "csv", "jsonl"])
def test_no_name_acts_on_the_terminal(
    style: str, made: tuple[Path, list[str]], tiny_model: Path
) -> None:
    place, names = made
    odd = [name for name in names if not re.fullmatch(r"[\w.-]+", name)]
    run = classify(place, odd, "--model", tiny_model, "--format", style)
    for text in (run.stdout, run.stderr):
        codes = {c for c in text if c != "\n" and (ord(c) < 32 or 127 <= ord(c) < 160)}
        assert not codes
        assert "\u202e" not in text
    if style == "table":
        assert "[red]brackets[blink] (1) {a} *.wav" in run.stdout
    assert not (place / "oops").exists()


@pytest.mark.parametrize("style", ["csv", "jsonl"])
def test_no_name_is_classified_again(
    style: str, made: tuple[Path, list[str]], tiny_model: Path, tmp_path: Path
) -> None:
    place, names = made
    odd = [name for name in names if not re.fullmatch(r"[\w.-]+", name) and len(name) < 99]
    odd = [name for name in odd if (place / name).is_file()]
    out = tmp_path / f"out.{style}"
    assert classify(place, odd, "--model", tiny_model, "-o", out).returncode == 0
    kept = out.read_bytes()
    again = classify(place, odd, "--model", tiny_model, "-o", out, "--resume")
    assert again.returncode == 0
    assert f"{len(odd)} of {len(odd)} files are already done" in again.stderr
    assert out.read_bytes() == kept


def test_no_name_acts_in_the_page(
    made: tuple[Path, list[str]], tiny_model: Path, tmp_path: Path
) -> None:
    place, names = made
    name = next((name for name in names if name.startswith("<script>")), None)
    if name is None:
        pytest.skip("this system has no such names")
    out, page = tmp_path / "out.jsonl", tmp_path / "page.html"
    assert not classify(place, [name], "--model", tiny_model, "--timeline", "-o", out).returncode
    assert live_ser("report", out, "-o", page).returncode == 0
    text = page.read_text("utf-8")
    assert "&lt;script&gt;alert(1)" in text
    assert "<script>alert" not in text
