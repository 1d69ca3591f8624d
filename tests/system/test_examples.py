"""The examples run as they stand."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

import live_ser as live_ser_package
from live_ser.audio.sources import replay
from live_ser.inference.prosody import Prosody
from live_ser.server.live import Microphone
from tests.support.command import live_ser
from tests.support.served import served

EXAMPLES = Path(__file__).parents[2] / "examples"


def run(name: str, *words: str | Path, env: dict[str, str] | None = None) -> str:
    command = [sys.executable, str(EXAMPLES / name), *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, env=env, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_example_is_in_the_list() -> None:
    text = (EXAMPLES / "README.md").read_text("utf-8")
    kinds = (".py", ".mjs", ".ipynb", ".cfg", ".conf")
    examples = [path.name for path in EXAMPLES.iterdir() if path.suffix in kinds]
    assert all(f"({name})" in text for name in examples)


def test_recordings_are_classified(speech: Path) -> None:
    first, *utterances = run("classify_recordings.py", speech).splitlines()
    assert first.startswith(f"{speech}: ")
    assert len(utterances) == 2


def test_each_turn_has_a_tag(speech: Path) -> None:
    turns = run("tag_turns.py", speech, speech).splitlines()
    assert len(turns) == 2
    assert all(turn.startswith("<turn sounds='") for turn in turns)


def test_an_assistant_tells_its_model_how_each_turn_sounds(
    speech: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = run("voice_assistant.py", speech, "0").splitlines()
    assert len(lines) == 2  # two sentences, with more than a second between them
    assert all(line.startswith("the model would be given: ") for line in lines)
    assert all(line.endswith("(the words)") for line in lines)
    monkeypatch.syspath_prepend(str(EXAMPLES))
    from voice_assistant import tag  # type: ignore[import-not-found]

    uncertain = live_ser_package.Verdict(
        state="uncertain",
        label="sad",
        activation=0.5,
        evidence=2.0,
        duration=3.0,
        speech=0.6,
        windows=1,
    )
    assert tag(uncertain) == ""
    sure = replace(uncertain, state="speech", confidence=0.61, activation=0.1)
    assert tag(sure) == "[voice: sounds sad, 61 %; calm]"
    usual = Prosody(rate_change=0.7, loudness_change=5.0)
    told = tag(replace(sure, prosody=usual))
    assert told == "[voice: sounds sad, 61 %; calm; slower than usual; louder than usual]"


def test_a_session_is_read(speech: Path, tmp_path: Path) -> None:
    session = tmp_path / "session.jsonl"
    live_ser("listen", "--from", speech, "--speed", "0", "-o", session)
    assert "silence" in run("read_session.py", session)


def test_without_a_microphone_the_error_says_so(no_microphone: dict[str, str]) -> None:
    env = {**os.environ, **no_microphone}
    command = [sys.executable, str(EXAMPLES / "watch_microphone.py")]
    done = subprocess.run(command, capture_output=True, text=True, env=env, check=False)
    assert "no microphone was found" in done.stderr or "PortAudio" in done.stderr


def test_a_server_is_sent_a_recording(speech: Path) -> None:
    model = live_ser_package.load()
    with served(model) as server:
        lines = run("stream_to_server.py", speech, f"ws://127.0.0.1:{server.port}").splitlines()
    assert len(lines) == len(model.timeline(speech, channel=1))


def test_the_microphone_of_a_server_is_read_by_node(speech: Path) -> None:
    if (node := shutil.which("node")) is None:
        pytest.skip("node is not installed")
    model = live_ser_package.load()
    microphone = Microphone(lambda: replay(speech, 16000, 4.0))
    with served(model, microphone) as server, server.live() as starter:
        command = [node, str(EXAMPLES / "watch_server.mjs"), server.url]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as reading:
            while server.server.service.metrics.value("readers") < 2:
                time.sleep(0.05)
            starter.send('{"type": "start"}')
            out, _ = reading.communicate(timeout=60)
    assert "silence" in out
    assert reading.returncode == 0
