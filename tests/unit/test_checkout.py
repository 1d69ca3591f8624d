"""``./live-ser`` runs the program from a checkout, or says how to set it up."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import live_ser

SCRIPT = Path(__file__).parents[2] / "live-ser"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout that is not set up yet, in a folder whose name has a space."""
    if os.name == "nt":
        pytest.skip("the script is for a POSIX shell")
    folder = tmp_path / "a checkout"
    folder.mkdir()
    shutil.copy(SCRIPT, folder)
    return folder


def run(script: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(script), *arguments], cwd="/", capture_output=True, text=True, check=False
    )


def test_it_runs_the_program_of_its_checkout_from_any_folder(checkout: Path) -> None:
    program = checkout / ".venv" / "bin" / "live-ser"
    program.parent.mkdir(parents=True)
    program.write_text('#!/bin/sh\nprintf "%s|" "$LIVE_SER_COMMAND" "$@"\nexit 3\n')
    program.chmod(0o755)
    link = checkout.parent / "link"
    link.symlink_to(checkout / "live-ser")
    for script in (checkout / "live-ser", link):
        result = run(script, "file", "two words.wav")
        assert (result.returncode, result.stdout) == (3, f"{script}|file|two words.wav|")


def test_without_an_environment_it_says_make_run(checkout: Path) -> None:
    result = run(checkout / "live-ser")
    assert result.returncode == 1
    assert result.stderr.endswith("try: make run\n")


@pytest.mark.parametrize("words", ["-c 'import live_ser; live_ser.load()'", "-m live_ser info"])
def test_a_python_without_the_packages_is_named_and_what_to_install(words: str) -> None:
    root = SCRIPT.parent
    command = [sys.executable, "-S", *shlex.split(words)]  # -S: without installed packages
    env = {**os.environ, "PYTHONPATH": str(root)}
    done = subprocess.run(command, env=env, cwd="/", capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert re.search(
        r"live-ser needs (numpy|onnxruntime|platformdirs), which this Python does", done.stderr
    )
    assert sys.executable in done.stderr
    assert re.search(rf"try: .* -m pip install {root}", done.stderr)
    assert ("Traceback" in done.stderr) == words.startswith("-c")
    assert "MissingExtra" in done.stderr or words.startswith("-m")


def test_a_missing_package_is_an_import_error_of_the_library() -> None:
    assert issubclass(live_ser.MissingExtra, live_ser.LiveSerError)
    assert issubclass(live_ser.MissingExtra, ImportError)
