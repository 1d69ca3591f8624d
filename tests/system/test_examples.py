"""The examples run as they stand."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.support.command import live_ser

EXAMPLES = Path(__file__).parents[2] / "examples"


def run(name: str, *words: str | Path, env: dict[str, str] | None = None) -> str:
    command = [sys.executable, str(EXAMPLES / name), *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, env=env, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_example_is_in_the_list() -> None:
    text = (EXAMPLES / "README.md").read_text("utf-8")
    assert all(f"({path.name})" in text for path in EXAMPLES.glob("*.py"))


def test_recordings_are_judged(speech: Path) -> None:
    first, *utterances = run("judge_recordings.py", speech).splitlines()
    assert first.startswith(f"{speech}: ")
    assert len(utterances) == 2


def test_each_turn_has_a_tag(speech: Path) -> None:
    turns = run("tag_turns.py", speech, speech).splitlines()
    assert len(turns) == 2
    assert all(turn.startswith("<turn sounds='") for turn in turns)


def test_a_session_is_read(speech: Path, tmp_path: Path) -> None:
    session = tmp_path / "session.jsonl"
    live_ser("listen", "--from", speech, "--speed", "0", "-o", session)
    assert "silence" in run("read_session.py", session)


def test_without_a_microphone_the_error_says_so(no_microphone: dict[str, str]) -> None:
    env = {**os.environ, **no_microphone}
    command = [sys.executable, str(EXAMPLES / "watch_microphone.py")]
    done = subprocess.run(command, capture_output=True, text=True, env=env, check=False)
    assert "no microphone was found" in done.stderr or "PortAudio" in done.stderr
