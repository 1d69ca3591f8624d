"""The guided session of ``live-ser teach`` in a real terminal, at a virtual microphone."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import soxr

from live_ser.audio.blocks import Samples
from tests.support.command import LIVE_SER
from tests.support.sound_server import SoundServer, missing, sound_server
from tests.support.terminal import Terminal
from tests.support.tiny_model import tiny_baseline, tiny_info, write_model

pytestmark = [
    pytest.mark.audio,
    pytest.mark.skipif(missing() is not None, reason=f"{missing()} is not installed"),
    pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed"),
    pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed"),
]
RATE = 16000


@pytest.fixture(scope="module")
def server() -> Iterator[SoundServer]:
    with sound_server() as running:
        running.plug_in("room")
        yield running


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    opened = Terminal(tmp_path)
    yield opened
    opened.close()


class Session:
    """Somebody who teaches: what they say, press and see."""

    def __init__(self, terminal: Terminal, server: SoundServer, folder: Path) -> None:
        self._terminal, self._server, self._folder = terminal, server, folder
        model = write_model(
            folder / "tiny.onnx", tiny_info(baseline=tiny_baseline()), embedding=1.0
        )
        words = ["teach", "--profile", "anna", "--device", "room", "--model", str(model)]
        words += ["--emotions", "happy,sad", "--rounds", "2"]
        changed = {
            name: value for name, value in server.env.items() if os.environ.get(name) != value
        }
        changed["XDG_CONFIG_HOME"] = str(folder)
        setting = [f"{name}={value}" for name, value in changed.items()]
        command = " ".join(f'"{word}"' for word in ["env", *setting, *LIVE_SER, *words])
        terminal.start(80, 24, command)
        self.sees("Enter begin")
        self.press("Enter", "1 of 4")

    @property
    def takes(self) -> list[dict[str, Any]]:
        """What the profile holds."""
        path = self._folder / "live-ser" / "profiles" / "anna.json"
        return list(json.loads(path.read_text("utf-8"))["takes"]) if path.exists() else []

    def sees(self, *texts: str) -> str:
        """The screen, when all of it is there."""
        screen = self._terminal.wait(lambda screen: all(text in screen for text in texts))
        assert "Traceback" not in screen
        return screen

    def press(self, key: str, *then: str) -> None:
        self._terminal.press(key)
        self.sees(*then)

    def says(
        self, sentence: str, change: Callable[[Samples], Samples] = lambda sound: sound
    ) -> None:
        """Speak into the microphone."""
        self._server.play(self._spoken(sentence, change), "room")

    def begins_to_say(self, sentence: str) -> subprocess.Popen[bytes]:
        path = self._spoken(sentence, lambda sound: sound)
        command = ["paplay", "--device", "room", str(path)]
        return subprocess.Popen(command, env=self._server.env)

    def _spoken(self, sentence: str, change: Callable[[Samples], Samples]) -> Path:
        path = self._folder / "said.wav"
        subprocess.run(["espeak-ng", "-w", str(path), sentence], check=True)
        sound, rate = soundfile.read(path, dtype="float32")
        changed = change(np.asarray(soxr.resample(sound, rate, RATE), np.float32))
        soundfile.write(path, changed, RATE)
        return path


SENTENCE = "The train leaves at half past nine, and it is late again."


def in_noise(sound: Samples) -> Samples:
    """Noise that begins before what is kept of a take, and goes on after its end."""
    before = 4 * RATE
    noise = np.random.default_rng(0).normal(0, 0.05, len(sound) + 2 * before).astype(np.float32)
    noise[before : before + len(sound)] += sound / 3
    return noise


@pytest.mark.slow
def test_a_session_from_its_first_take_to_its_report(
    terminal: Terminal, server: SoundServer, tmp_path: Path
) -> None:
    session = Session(terminal, server, tmp_path)
    session.says("No.")
    session.sees("That was too short", "1 of 4")
    session.says(SENTENCE, lambda sound: np.asarray(np.clip(40 * sound, -1, 1), np.float32))
    session.sees("That was clipped")
    session.says(SENTENCE, lambda sound: np.asarray(sound / 300, np.float32))
    session.sees("That was too soft")
    session.says(SENTENCE, in_noise)
    session.sees("That was too noisy")
    session.says(SENTENCE)
    session.sees("s of speech", "Enter accept")
    session.press("r", "Once more, then.")
    session.says(SENTENCE)
    session.sees("Enter accept")
    session.press("Enter", "2 of 4", "Kept.")
    session.press("s", "Enter go on", "1 take:")
    session.press("Enter", "3 of 4")
    session.press("b", "2 of 4")
    # All takes are the same sentence, so it may ask about a doubtful one at the end.
    for place in ("3 of 4", "4 of 4", "4 takes:"):
        session.says(SENTENCE)
        session.sees("Enter accept")
        session.press("Enter", place)
        if place == "3 of 4":
            session.press("Enter", "in your own words")
    session.sees("4 takes: 2 happy, 2 sad", "Each left out in turn")
    session.press("Enter", "ended with 0", "profile anna: ")
    assert [take["emotion"] for take in session.takes].count("happy") == 2
    assert terminal.ask("alternate_on") == "0"
    assert terminal.ask("cursor_flag") == "1"


def by_kill(terminal: Terminal) -> None:
    terminal.signal(signal.SIGKILL)


def by_sigterm(terminal: Terminal) -> None:
    terminal.signal(signal.SIGTERM)


def by_ctrl_c(terminal: Terminal) -> None:
    terminal.press("C-c")


def by_closing(terminal: Terminal) -> None:
    terminal.tmux("kill-session")


@pytest.mark.slow
@pytest.mark.parametrize("end", [by_kill, by_sigterm, by_ctrl_c, by_closing])
@pytest.mark.parametrize("step", ["asked", "speaking", "offered"])
def test_whatever_ends_it_loses_at_most_the_take_that_is_being_spoken(
    terminal: Terminal,
    server: SoundServer,
    tmp_path: Path,
    step: str,
    end: Callable[[Terminal], None],
) -> None:
    session = Session(terminal, server, tmp_path)
    session.says(SENTENCE)
    session.sees("Enter accept")
    session.press("Enter", "2 of 4")
    playing = session.begins_to_say(SENTENCE) if step != "asked" else None
    if step == "speaking":
        terminal.wait(lambda screen: "speech" in screen and "speech  0.0" not in screen)
    elif step == "offered":
        session.sees("Enter accept")
    process = int((tmp_path / "pid").read_text())
    end(terminal)
    waited = time.monotonic()
    while time.monotonic() < waited + 60 and Path(f"/proc/{process}").exists():
        time.sleep(0.1)
    assert not Path(f"/proc/{process}").exists()
    assert len(session.takes) == 1
    if end in (by_sigterm, by_ctrl_c):
        session.sees("1 take: ", "ended with 0")
        assert terminal.ask("alternate_on") == "0"
    if playing:
        playing.terminate()
        playing.wait(60)
