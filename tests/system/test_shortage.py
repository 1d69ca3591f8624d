"""What there is too little of, or is not installed, is said in one line."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import live_ser
from live_ser.cli.commands import info
from live_ser.extras import needed
from tests.support.command import LIVE_SER
from tests.support.command import live_ser as command_line

posix = pytest.mark.skipif(os.name == "nt", reason="there are no such limits")


@posix
@pytest.mark.parametrize("most", [5, 8])
@pytest.mark.parametrize("words", ["info", "file", "listen --speed 0 --from"])
def test_too_few_open_files_are_one_line(
    tiny_model: Path, speech: Path, words: str, most: int
) -> None:
    rest = tiny_model if words == "info" else f"{speech} --model {tiny_model}"
    command = f"{' '.join(LIVE_SER)} {words} {rest}"
    done = subprocess.run(
        ["bash", "-c", f"ulimit -n {most}; exec {command}"],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        line, hint = done.stderr.splitlines()[-2:]
        assert line.startswith("live-ser: ")
        assert line.endswith("Too many open files")
        assert hint == "  try: close some, or allow more: ulimit -n 1024"
    assert "Traceback" not in done.stderr
    assert done.returncode in (0, 1)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MemoryError(), "there is too little memory"),
        (ImportError("libx.so: failed to map segment from shared object"), "too little memory"),
        (RuntimeError("can't start new thread"), "no more threads can be started"),
    ],
)
def test_too_little_memory_is_one_line(
    monkeypatch: pytest.MonkeyPatch, error: Exception, said: str
) -> None:
    def load(name: object) -> None:
        raise error

    def start(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(info, "load", load)
    monkeypatch.setattr(threading.Thread, "start", start)  # even to say it there is none
    done = command_line("info")
    line, hint = done.stderr.splitlines()
    assert done.returncode == 1
    assert said in line
    assert hint.startswith("  try: close other programs")


@pytest.mark.parametrize("place", ["on the path", "in this folder", "elsewhere"])
def test_a_missing_package_is_installed_where_it_is_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, place: str
) -> None:
    python = tmp_path / "my venv" / "python"
    python.parent.mkdir()
    python.touch(mode=0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    monkeypatch.setenv("PATH", str(python.parent if place == "on the path" else tmp_path))
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path if place == "in this folder" else tmp_path / "other")
    expected = {
        "on the path": "python",
        "in this folder": "'my venv/python'",
        "elsewhere": f"'{python}'",
    }
    with pytest.raises(live_ser.MissingExtra) as caught:
        needed("there_is_no_such_package", "serve")
    assert caught.value.hint == f"{expected[place]} -m pip install 'live-ser[serve]'"
