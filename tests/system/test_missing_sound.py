"""A header is a hint, the data decide: sound is heard to its end, and what is lost is said."""

from __future__ import annotations

import csv
import shutil
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

import live_ser as library
from live_ser.audio.blocks import Samples
from live_ser.audio.reading import Reading
from live_ser.audio.sources import audio_file
from live_ser.errors import LiveSerError
from tests.support.command import live_ser, records

FFMPEG = shutil.which("ffmpeg")
RATE = 16000
NEAR = 0.05  # seconds
needs_ffmpeg = pytest.mark.skipif(FFMPEG is None, reason="ffmpeg is not installed")


@pytest.fixture(scope="module")
def sound() -> Samples:
    """Eight seconds of 16 kHz in which noise comes and goes: every moment sounds unlike another."""
    rng = np.random.default_rng(0)
    loudness = np.repeat(rng.uniform(0.0, 0.3, 160), RATE // 20)
    hiss = soxr.resample(rng.normal(0, 1, 8 * 8000), 8000, RATE)
    made: Samples = (np.clip(hiss, -3, 3) * loudness).astype(np.float32)
    return made


def heard(path: Path, *, partial: bool = False) -> tuple[Samples, list[tuple[float, float]]]:
    with audio_file(path, RATE, Reading(partial=partial)) as blocks:
        samples = np.concatenate(list(blocks))
        return samples, [(one.start, one.end) for one in blocks.missing]


def lag(samples: Samples, original: Samples) -> float:
    """Seconds by which a sound comes later than the original, by its loudness each 5 ms."""

    def loudness(of: Samples) -> Samples:
        whole = of[: len(of) // 80 * 80].reshape(-1, 80)
        curve = np.sqrt(np.mean(np.square(whole), axis=1))
        centred: Samples = curve - curve.mean()
        return centred

    one, other = loudness(samples), loudness(original)
    match = np.correlate(one, other, "full")
    return float(np.argmax(match) - (len(other) - 1)) * 0.005


def is_at(samples: Samples, original: Samples, second: float) -> bool:
    """Whether two seconds of the original are heard where they belong, from a second on."""
    start, end = round(second * RATE), round((second + 2) * RATE)
    return abs(lag(samples[start:end], original[start:end])) <= NEAR


def encoded(sound: Samples, path: Path, *options: str, source: list[str] | None = None) -> bytes:
    plain = path.with_name("plain.wav")
    soundfile.write(plain, sound, RATE)
    words = [str(FFMPEG), "-y", "-v", "error", *(source or []), "-i", str(plain), *options]
    subprocess.run([*words, str(path)], check=True)
    return path.read_bytes()


def stored(sound: Samples, path: Path, **options: str) -> bytearray:
    soundfile.write(path, sound, RATE, **options)
    return bytearray(path.read_bytes())


def sized(data: bytearray, name: bytes, size: int, order: str = "<") -> bytes:
    """The same file, whose chunk says that it is so long; so does the whole."""
    at = data.index(name) + 4
    data[at : at + 4] = struct.pack(f"{order}I", size)
    data[4:8] = struct.pack(f"{order}I", size)
    return bytes(data)


Make = Callable[[Samples, Path], bytes]


def zero_wav(sound: Samples, path: Path) -> bytes:
    return sized(stored(sound, path), b"data", 0)


def zero_adpcm(sound: Samples, path: Path) -> bytes:
    return sized(stored(sound, path, subtype="IMA_ADPCM"), b"data", 0)


def small_wav(sound: Samples, path: Path) -> bytes:
    return sized(stored(sound, path), b"data", 64_000)


def zero_rf64(sound: Samples, path: Path) -> bytes:
    data = stored(sound, path, format="RF64")
    data[20:44] = bytes(24)
    return bytes(data)


def zero_aiff(sound: Samples, path: Path) -> bytes:
    data = stored(sound, path, format="AIFF")
    at = data.index(b"COMM") + 10
    data[at : at + 4] = bytes(4)
    return sized(data, b"SSND", 0, ">")


def zero_au(sound: Samples, path: Path) -> bytes:
    data = stored(sound, path, format="AU")
    data[8:12] = bytes(4)
    return bytes(data)


def two_chunks(sound: Samples, path: Path) -> bytes:
    data = bytes(stored(sound, path))
    at, half = data.index(b"data") + 8, len(sound)

    def chunk(body: bytes) -> bytes:
        return b"data" + struct.pack("<I", len(body)) + body

    between = b"LIST" + struct.pack("<I", 4) + b"INFO"
    return data[: at - 8] + chunk(data[at : at + half]) + between + chunk(data[at + half :])


def totalled(total: int) -> Make:
    def make(sound: Samples, path: Path) -> bytes:
        data = stored(sound, path, format="FLAC")
        data[22:26] = struct.pack(">I", total)
        return bytes(data)

    return make


def mp3(sound: Samples, path: Path, *options: str) -> bytes:
    return encoded(sound, path.with_suffix(".mp3"), "-b:a", "48k", *options)


def bare_mp3(sound: Samples, path: Path) -> bytes:
    return mp3(sound, path, "-write_xing", "0", "-id3v2_version", "0")


def counted(count: int) -> Make:
    def make(sound: Samples, path: Path) -> bytes:
        data = bytearray(mp3(sound, path))
        at = max(data.find(b"Xing"), data.find(b"Info")) + 8
        data[at : at + 4] = struct.pack(">I", count)
        return bytes(data)

    return make


def with_tail(tail: bytes) -> Make:
    return lambda sound, path: bare_mp3(sound, path) + tail


def mp3_in_wav(sound: Samples, path: Path) -> bytes:
    return encoded(sound, path.with_suffix(".wav"), "-c:a", "libmp3lame")


LYRICS = b"LYRICSBEGININD0000200" + b"LYR00005hello"
WHOLE: dict[str, Make] = {
    "zero.wav": zero_wav,
    "zero-adpcm.wav": zero_adpcm,
    "small.wav": small_wav,
    "zero-rf64.wav": zero_rf64,
    "zero.aiff": zero_aiff,
    "zero.au": zero_au,
    "two-chunks.wav": two_chunks,
    "total-0.flac": totalled(0),
    "total-small.flac": totalled(40_000),
    "total-big.flac": totalled(400_000),
}
WHOLE_ENCODED: dict[str, Make] = {
    "plain.mp3": mp3,
    "bare.mp3": bare_mp3,
    "count-0.mp3": counted(0),
    "count-small.mp3": counted(50),
    "count-big.mp3": counted(5000),
    "zeros.mp3": with_tail(bytes(3000)),
    "id3v1.mp3": with_tail(b"TAG" + bytes(125)),
    "id3v2.mp3": with_tail(b"ID3\x04\0\0\0\0\x08\0" + bytes(1024)),
    "lyrics3.mp3": with_tail(LYRICS + f"{len(LYRICS):06}LYRICS200".encode() + b"TAG" + bytes(125)),
    "inside.wav": mp3_in_wav,
}


@pytest.mark.parametrize("name", WHOLE)
def test_what_a_recorder_left_unfinished_is_heard_whole(
    sound: Samples, tmp_path: Path, name: str
) -> None:
    path = tmp_path / name
    path.write_bytes(WHOLE[name](sound, tmp_path / "made.wav"))
    samples, missing = heard(path)
    assert missing == []
    assert abs(len(samples) - len(sound)) <= NEAR * RATE
    assert abs(lag(samples, sound)) <= NEAR


@needs_ffmpeg
@pytest.mark.parametrize("name", WHOLE_ENCODED)
def test_what_stands_before_and_behind_the_frames_of_an_mp3_costs_nothing(
    sound: Samples, tmp_path: Path, name: str
) -> None:
    path = tmp_path / name
    path.write_bytes(WHOLE_ENCODED[name](sound, tmp_path / "made.wav"))
    samples, missing = heard(path)
    assert missing == []
    assert abs(len(samples) - len(sound)) <= 0.1 * RATE  # an encoder fills its last frame
    assert abs(lag(samples, sound)) <= NEAR


@pytest.mark.parametrize(
    "kind", [("WAV", "PCM_16"), ("FLAC", "PCM_16"), ("OGG", "VORBIS"), ("OGG", "OPUS")]
)
def test_files_that_were_joined_are_heard_one_after_another(
    sound: Samples, tmp_path: Path, kind: tuple[str, str]
) -> None:
    path = tmp_path / "one"
    container, subtype = kind
    data = bytes(stored(sound, path, format=container, subtype=subtype))
    path.write_bytes(data + data)
    samples, missing = heard(path)
    assert missing == []
    assert abs(len(samples) - 2 * len(sound)) <= 2 * NEAR * RATE
    for second in (1.0, 5.0, 9.0, 13.0):
        assert is_at(samples, np.concatenate([sound, sound]), second)


@needs_ffmpeg
def test_joined_streams_may_differ_in_rate_and_codec(sound: Samples, tmp_path: Path) -> None:
    one = mp3(sound, tmp_path / "a")
    other = encoded(sound, tmp_path / "b.mp3", "-ar", "44100", "-ac", "2", "-b:a", "128k")
    ogg = encoded(sound, tmp_path / "a.opus") + encoded(sound, tmp_path / "b.ogg")
    for data in (one + other, one + one, ogg):
        path = tmp_path / "joined"
        path.write_bytes(data)
        samples, missing = heard(path)
        assert missing == []
        for second in (1.0, 5.0, 9.0, 13.0):
            assert is_at(samples, np.concatenate([sound, sound]), second)


@needs_ffmpeg
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.m4a", []),
        ("a.aac", []),
        ("a.mkv", ["-c:a", "aac"]),
        ("b.mkv", ["-c:a", "mp3"]),
        ("a.webm", ["-c:a", "libopus"]),
        ("a.flv", ["-ar", "22050"]),
        ("a.ts", ["-c:a", "aac"]),
        ("a.avi", ["-c:a", "mp3"]),
        ("a.mp2", []),
        ("a.wma", []),
        ("44.m4a", ["-ar", "44100"]),
    ],
)
def test_times_are_those_of_the_speech(
    sound: Samples, tmp_path: Path, name: str, options: list[str]
) -> None:
    encoded(sound, tmp_path / name, *options)
    samples, missing = heard(tmp_path / name)
    assert missing == []
    assert abs(lag(samples, sound)) <= NEAR


def damaged(data: bytes, share: float, size: int) -> bytes:
    at = int(len(data) * share)
    return data[:at] + b"\x55" * size + data[at + size :]


@needs_ffmpeg
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.mp3", []),
        ("bare.mp3", ["-write_xing", "0"]),
        ("a.ogg", ["-page_duration", "300000"]),
        ("a.opus", ["-page_duration", "300000"]),
        ("a.m4a", ["-movflags", "+faststart"]),
    ],
)
def test_what_is_damaged_in_the_middle_is_told_and_the_rest_is_heard(
    sound: Samples, tmp_path: Path, name: str, options: list[str]
) -> None:
    path = tmp_path / name
    path.write_bytes(damaged(encoded(sound, path, *options), 0.4, 1500))
    with pytest.raises(LiveSerError, match=r"sound is missing from \d") as caught:
        heard(path)
    assert "`partial=True`" in caught.value.hint
    samples, missing = heard(path, partial=True)
    assert missing
    assert 2.5 < missing[0][0] < missing[-1][1] < 5.5
    assert is_at(samples, sound, 0.2)
    assert is_at(samples, sound, 5.6)


@needs_ffmpeg
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.mp3", []),
        ("a.ogg", []),
        ("a.oga", ["-c:a", "flac"]),
        ("a.flac", []),
        ("a.aiff", []),
        ("a.au", []),
        ("a.m4a", ["-movflags", "+faststart"]),
        ("a.webm", ["-c:a", "libopus"]),
        ("a.wma", []),
        ("a.aac", []),
        ("a.ts", ["-c:a", "aac"]),
        ("a.m2ts", ["-c:a", "aac"]),
    ],
)
def test_what_is_cut_off_is_told_and_the_rest_is_heard(
    sound: Samples, tmp_path: Path, name: str, options: list[str]
) -> None:
    path = tmp_path / name
    data = encoded(sound, path, *options)
    path.write_bytes(data[: len(data) * 6 // 10 // 64 * 64 + 31])  # no packet ends there
    with pytest.raises(LiveSerError, match=r"truncated or damaged: sound is missing from \d"):
        heard(path)
    samples, missing = heard(path, partial=True)
    assert len(missing) == 1
    assert abs(missing[0][0] - len(samples) / RATE) <= NEAR
    assert missing[0][1] > 7.9
    assert is_at(samples, sound, 0.2)


@needs_ffmpeg
def test_a_replay_goes_on_without_what_is_missing_where_it_is_told_to(
    sound: Samples, tmp_path: Path, tiny_model: Path
) -> None:
    path = tmp_path / "a.flac"
    data = encoded(sound, path)
    path.write_bytes(data[: len(data) * 6 // 10])
    words = ["listen", "--from", path, "--speed", "0", "--model", tiny_model]
    refused = live_ser(*words)
    assert refused.returncode == 1
    assert "--partial" in refused.stderr
    done = live_ser(*words, "--partial")
    assert done.returncode == 0
    assert done.stderr.count("sound is missing from") == 1
    assert '"type":"end"' in done.stdout.replace(" ", "")
    misplaced = live_ser("listen", "--partial", "--model", tiny_model)
    assert "--partial are for recordings" in misplaced.stderr


@needs_ffmpeg
def test_complaints_alone_condemn_nothing(sound: Samples, tmp_path: Path) -> None:
    """A damaged last box, behind all of the sound."""
    path = tmp_path / "a.m4a"
    path.write_bytes(encoded(sound, path, "-movflags", "+faststart") + b"\0\0\1\0udta" + bytes(9))
    samples, missing = heard(path)
    assert missing == []
    assert abs(lag(samples, sound)) <= NEAR


def test_pauses_of_a_phones_recorder_are_silence(tmp_path: Path) -> None:
    """AMR with discontinuous transmission: most frames hold nothing, and none is missing."""
    if FFMPEG is None:
        pytest.skip("ffmpeg is not installed")
    path = tmp_path / "pauses.amr"
    frame = b"\x3c" + bytes(31)
    path.write_bytes(b"#!AMR\n" + frame * 50 + b"\x7c" * 350)
    samples, missing = heard(path)
    assert missing == []
    assert len(samples) == 8 * RATE


@pytest.fixture
def cut(speech: Path, tmp_path: Path) -> Path:
    samples, rate = soundfile.read(speech, dtype="float32")
    path = tmp_path / "cut.wav"
    soundfile.write(path, samples, rate)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 6 // 10])
    return path


def test_partial_classifies_what_there_is_and_says_what_there_is_not(
    cut: Path, speech: Path, tiny_model: Path, tmp_path: Path
) -> None:
    words = ["file", cut, speech, "--model", tiny_model, "--format", "jsonl"]
    refused = live_ser(*words)
    assert refused.returncode == 1
    assert "--partial" in refused.stderr
    run = live_ser(*words, "--partial")
    assert run.returncode == 0
    (line,) = run.stderr.splitlines()
    part, whole = records(run.stdout)
    ((start, end),) = part["missing"]
    assert line == f"live-ser: {cut}: sound is missing from {start:.2f} to {end:.2f} s"
    assert part["duration"] == pytest.approx(start, abs=0.01)
    assert end == pytest.approx(whole["duration"], abs=0.01)
    assert "missing" not in whole
    with pytest.warns(UserWarning, match="sound is missing"):
        verdict = library.load(tiny_model).predict(cut, partial=True)
    assert verdict.missing == ((start, end),)
    assert verdict.label == part["label"]
    out = tmp_path / "out.csv"
    assert live_ser(*words[:-1], "csv", "--partial", "-o", out).returncode == 0
    with out.open(encoding="utf-8", newline="") as stream:
        assert [row["missing"] for row in csv.DictReader(stream)] == [f"{start}-{end}", ""]


def test_where_nothing_can_be_decoded_partial_is_of_no_help(tmp_path: Path) -> None:
    path = tmp_path / "nothing.wav"
    path.write_bytes(b"RIFF\x24\0\0\0WAVEfmt ")
    with pytest.raises(LiveSerError):
        heard(path, partial=True)
