"""A list on standard input is a list of names, and nothing that is not one is taken for it."""

from __future__ import annotations

import io
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from live_ser.batch.paths import expand_paths
from live_ser.errors import LiveSerError
from tests.support.command import LIVE_SER, live_ser


def listed(data: bytes) -> list[str]:
    return list(expand_paths(["-"], io.BytesIO(data)))


@pytest.mark.parametrize(
    "data",
    [
        b"a.wav\nb\xc3\xb6.wav\n",
        b"a.wav\r\nb\xc3\xb6.wav",
        b"a.wav\0b\xc3\xb6.wav\0",
        b"\xef\xbb\xbfa.wav\r\nb\xc3\xb6.wav\r\n",
        "\ufeffa.wav\r\nbö.wav\r\n".encode("utf-16-le"),
        "\ufeffa.wav\nbö.wav".encode("utf-16-be"),
    ],
)
def test_a_list_is_read_as_whoever_writes_it(data: bytes) -> None:
    """One name a line, find -print0, Windows' editors, PowerShell's >."""
    assert listed(data) == ["a.wav", "bö.wav"]


def test_names_that_are_no_text_are_names(tmp_path: Path) -> None:
    assert listed(b"caf\xe9.wav\n") == ["caf\udce9.wav"]
    assert listed(b"two\nlines.wav\0bell\x07.wav\0") == ["two\nlines.wav", "bell\x07.wav"]


def test_a_name_with_control_characters_is_no_folder_and_no_pattern(tmp_path: Path) -> None:
    folder = tmp_path / "new\nfolder"
    folder.mkdir()
    (folder / "a.wav").touch()
    for name in (str(folder), f"{tmp_path}/new\n*/*.wav"):
        assert listed(name.encode() + b"\0other.wav\0") == [name, "other.wav"]


def sound(kind: str) -> bytes:
    stream = io.BytesIO()
    tone = 0.1 * np.sin(np.arange(16000) * 0.1)
    subtype = {"RAW": "ULAW"}.get(kind)
    soundfile.write(stream, tone, 16000, format=kind, subtype=subtype)
    return stream.getvalue()


@pytest.mark.parametrize(
    "write",
    [
        *(lambda kind=kind: sound(kind) for kind in ("WAV", "FLAC", "OGG", "MP3", "RAW")),
        lambda: bytes(range(256)),
        lambda: "a.wav\r\nb.wav\r\n".encode("utf-16-le"),  # without what says so
        lambda: b"\xff\xfe" + sound("WAV"),
        lambda: b"x" * 100_000,
        lambda: bytes(100_000),
    ],
)
def test_what_is_no_list_names_no_files(write: Callable[[], bytes]) -> None:
    with pytest.raises(LiveSerError, match="is no list of names"):
        listed(write())


def test_what_is_no_list_is_refused_at_once(tiny_model: Path) -> None:
    """Also where it has no end, as sound from a microphone."""
    command = [*LIVE_SER, "file", "--model", str(tiny_model), "-"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        process.stdin.write(sound("WAV")[:20000])
        process.stdin.flush()
        assert process.wait(timeout=60) == 1
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.read() == b""
        why, what = process.stderr.read().decode().splitlines()
    assert "no list of names" in why
    assert "--from -" in what


def test_an_empty_list_is_told(tiny_model: Path) -> None:
    run = live_ser("file", "--model", tiny_model, "-")
    assert (run.returncode, run.stdout) == (1, "")
    assert "names no files" in run.stderr
