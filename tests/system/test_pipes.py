"""Sound comes through pipes: to the end of it for ``file``, as it comes for ``listen``."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import soundfile

from live_ser.audio.blocks import Samples
from live_ser.audio.pipes import PipeDecoder, PipedSound
from live_ser.audio.raw_sound import RawFormat
from live_ser.audio.reading import USUAL, Reading
from live_ser.audio.sources import piped
from live_ser.errors import LiveSerError
from tests.support.command import LIVE_SER, live_ser, records


def run_with(data: bytes, *words: str | Path) -> subprocess.CompletedProcess[bytes]:
    """The command line, with this on standard input."""
    command = [*LIVE_SER, *map(str, words)]
    return subprocess.run(command, input=data, capture_output=True, timeout=120, check=False)


def wav(samples: Samples, rate: int, subtype: str = "PCM_16") -> bytes:
    stream = io.BytesIO()
    soundfile.write(stream, samples, rate, subtype, format="WAV")
    return stream.getvalue()


@pytest.fixture(scope="module")
def spoken(speech: Path) -> tuple[Samples, int]:
    return soundfile.read(speech, dtype="float32")  # type: ignore[no-any-return]


def test_a_file_is_classified_alike_through_a_pipe(tiny_model: Path, speech: Path) -> None:
    words: list[str | Path] = ["file", "--model", tiny_model, "--format", "jsonl"]
    (expected,) = records(live_ser(*words, speech).stdout)
    run = run_with(speech.read_bytes(), *words, "--from", "-")
    (clip,) = records(run.stdout.decode())
    assert clip == {**expected, "source": "-", "key": clip["key"]}
    assert run.stderr == b""


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
@pytest.mark.parametrize("command", ["file", "listen"])
def test_a_named_pipe_is_heard(
    tiny_model: Path, spoken: tuple[Samples, int], tmp_path: Path, command: str
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    data = wav(*spoken)
    writer = threading.Thread(target=pipe.write_bytes, args=(data,))
    writer.start()
    words = [pipe] if command == "file" else ["--from", pipe]
    run = live_ser(command, "--model", tiny_model, "--format", "jsonl", *words)
    writer.join()
    assert run.returncode == 0
    last = records(run.stdout)[-1]
    seconds = last["duration"] if command == "file" else last["seconds"]
    assert seconds == pytest.approx(len(spoken[0]) / spoken[1], abs=0.01)


def windows(text: str) -> list[dict[str, object]]:
    kept = [record for record in records(text) if record["type"] == "window"]
    return [{k: v for k, v in record.items() if k != "latency_ms"} for record in kept]


def test_listening_to_a_pipe_is_listening_to_the_file(
    tiny_model: Path, spoken: tuple[Samples, int], tmp_path: Path
) -> None:
    path = tmp_path / "speech.wav"
    path.write_bytes(wav(*spoken))
    words: list[str | Path] = ["listen", "--model", tiny_model, "-o", "-", "--from"]
    expected = windows(live_ser(*words, path, "--speed", "0").stdout)
    raw = ["--raw", "s16le", "--rate", str(spoken[1])]
    samples = (spoken[0] * 32768).round().astype("<i2").tobytes()
    sounds: list[tuple[bytes, list[str]]] = [(path.read_bytes(), []), (samples, raw)]
    for data, more in sounds:
        run = run_with(data, *words, "-", *more)
        assert windows(run.stdout.decode()) == expected
        assert b"listening to standard input" in run.stderr


def test_a_pipe_is_heard_as_it_comes_and_left_at_any_time(tiny_model: Path) -> None:
    """Also while nothing comes."""
    command = [*LIVE_SER, "listen", "--model", str(tiny_model), "--from", "-"]
    with subprocess.Popen(
        [*command, "--raw", "s16le", "--rate", "8000"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("\0" * 2 * 12000)  # a byte each
        process.stdin.flush()
        heard = [process.stdout.readline() for _ in range(3)]
        assert '"type": "window"' in heard[-1].replace(":", ": ").replace(":  ", ": ")
        process.send_signal(signal.SIGINT)
        rest, said = process.communicate(timeout=60)
    assert process.returncode == 0
    assert records(rest)[-1]["type"] == "end"
    assert "leaked" not in said


class Drip(io.RawIOBase):
    """A pipe that gives a few bytes at a time."""

    def __init__(self, data: bytes, size: int) -> None:
        self._stream, self._size = io.BytesIO(data), size

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        return self._stream.read(min(size, self._size))


def decoded(data: bytes, size: int = 4096, raw: RawFormat | None = None) -> Samples:
    decoder = PipeDecoder(Drip(data, size), "a pipe", raw)  # type: ignore[arg-type]
    source = PipedSound(decoder, "a pipe", decoder.rate, USUAL)
    return np.concatenate(list(source))


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "ULAW"])
@pytest.mark.parametrize("size", [1, 7, 4096])
def test_wav_is_read_whatever_pieces_it_comes_in(subtype: str, size: int) -> None:
    tone = np.sin(np.arange(4000) * 0.2).astype(np.float32) / 2
    data = wav(tone, 8000, subtype)
    expected, _ = soundfile.read(io.BytesIO(data), dtype="float32")
    np.testing.assert_array_equal(decoded(data, size), expected)


def test_a_length_that_nobody_could_know_is_not_believed() -> None:
    """It is 0, or all that there could be; and what follows the sound is no sound."""
    tone = np.sin(np.arange(4000) * 0.2).astype(np.float32) / 2
    data = wav(tone, 8000)
    position = data.index(b"data") + 4
    expected, _ = soundfile.read(io.BytesIO(data), dtype="float32")
    for size in (b"\0\0\0\0", b"\xff\xff\xff\xff", b"\0\0\0\x80"):
        piped_data = data[:position] + size + data[position + 4 :]
        np.testing.assert_array_equal(decoded(piped_data), expected)
    tagged = data + b"LIST\x04\0\0\0INFO"
    np.testing.assert_array_equal(decoded(tagged), expected)
    short = data[:position] + (4000).to_bytes(4, "little") + data[position + 4 :]
    np.testing.assert_array_equal(decoded(short), expected)


def test_what_nothing_says_what_it_is_is_refused(tiny_model: Path) -> None:
    run = run_with(bytes(1000), "listen", "--model", tiny_model, "--from", "-")
    assert run.returncode == 1
    assert b"is not WAV, and nothing says" in run.stderr
    assert b"--raw s16le --rate 8000 --channels 1" in run.stderr
    run = run_with(b"", "listen", "--model", tiny_model, "--from", "-")
    assert run.returncode == 1
    assert b"standard input ended before any sound came" in run.stderr


def test_garbage_through_a_pipe_is_told() -> None:
    data = np.full(8000, 1e30, "<f4").tobytes()
    with pytest.raises(LiveSerError, match="a pipe holds a sample of 1e"):
        decoded(data, raw=RawFormat("f32le", 8000))


def test_a_channel_of_a_pipe_is_chosen(tmp_path: Path) -> None:
    if not hasattr(os, "mkfifo"):
        pytest.skip("this system has no named pipes")
    stereo = np.random.default_rng(0).normal(0, 0.1, (8000, 2)).astype(np.float32)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(wav(stereo, 8000, "FLOAT"),))
    writer.start()
    with piped(pipe, 8000, Reading(channel=2)) as source:
        heard = np.concatenate(list(source))
    writer.join()
    np.testing.assert_array_equal(heard, stereo[:, 1])


@pytest.mark.parametrize("command", ["file", "listen"])
def test_standard_output_is_named(
    tiny_model: Path, speech: Path, tmp_path: Path, command: str
) -> None:
    words = ["--from", speech] if command == "listen" else [speech, "--format", "jsonl"]
    more = ["--speed", "0"] if command == "listen" else []
    run = subprocess.run(
        [*LIVE_SER, command, *map(str, words), *more, "--model", str(tiny_model), "-o", "-"],
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(map(os.path.abspath, filter(None, sys.path))),
        },
        check=False,
    )
    assert run.returncode == 0
    assert records(run.stdout)
    assert list(tmp_path.iterdir()) == []
