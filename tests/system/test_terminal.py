"""The dashboard in a real terminal: sizes, keys, and every way of ending."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.support.command import LIVE_SER
from tests.support.terminal import PATIENCE, Terminal

pytestmark = pytest.mark.skipif(
    shutil.which("tmux") is None, reason="tmux, the terminal of these tests, is not installed"
)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    opened = Terminal(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def listen(speech: Path, tiny_model: Path, tmp_path: Path) -> str:
    """The command that listens to speech for two minutes."""
    sound, rate = soundfile.read(speech, dtype="float32")
    long = tmp_path / "long.wav"
    soundfile.write(long, np.resize(sound, 120 * rate), rate)
    words = [*LIVE_SER, "listen", "--from", str(long), "--model", str(tiny_model)]
    return " ".join(f'"{word}"' for word in words)


def test_a_terminal_that_does_not_know_its_size_is_drawn_on_and_given_back(
    listen: str, tmp_path: Path
) -> None:
    script = f"stty rows 0 cols 0; {listen} --speed 0 -o {tmp_path / 'q.jsonl'}"
    command = ["script", "-qec", script, "/dev/null"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout[-500:]
    assert b"neutral" in done.stdout
    assert b"\x1b[?1049l" in done.stdout


def is_drawn(width: int) -> Callable[[str], bool]:
    """Whether the whole dashboard is there, for this width and no other."""

    def drawn(screen: str) -> bool:
        lines = screen.splitlines()
        return (
            "live-ser" in lines[0]
            and "long.wav" in lines[0]
            and len(lines[0].rstrip()) == width - 1  # the clock ends one cell before the edge
            and screen.count("live-ser ") == 1
            and screen.count("neutral ") >= 1
            and screen.count("angry ") >= 1
            and sum("dB" in line for line in lines) == 1
        )

    return drawn


def press_q(terminal: Terminal) -> None:
    terminal.press("q")


def press_ctrl_c(terminal: Terminal) -> None:
    terminal.press("C-c")


def send_sigterm(terminal: Terminal) -> None:
    terminal.signal(signal.SIGTERM)


def send_sighup(terminal: Terminal) -> None:
    terminal.signal(signal.SIGHUP)


@pytest.mark.parametrize(
    ("before", "after", "end"),
    [
        ((80, 24), (120, 40), press_q),
        ((120, 40), (60, 15), press_ctrl_c),
        ((60, 15), (80, 24), send_sigterm),
        ((120, 40), (80, 24), send_sighup),
    ],
)
def test_it_follows_the_size_and_gives_the_terminal_back(
    terminal: Terminal,
    listen: str,
    before: tuple[int, int],
    after: tuple[int, int],
    end: Callable[[Terminal], None],
) -> None:
    terminal.start(*before, listen)
    terminal.wait(is_drawn(before[0]))
    assert terminal.ask("alternate_on") == "1"
    assert terminal.ask("cursor_flag") == "0"
    terminal.resize(*after)
    terminal.wait(is_drawn(after[0]))
    end(terminal)
    screen = terminal.wait(lambda screen: "done" in screen)
    assert "ended with 0" in screen
    assert "Traceback" not in screen
    assert terminal.ask("alternate_on") == "0"
    assert terminal.ask("cursor_flag") == "1"
    kept = [(terminal.folder / name).read_text().split("\n", 1)[1] for name in ("before", "after")]
    assert kept[0] == kept[1]  # the first line tells the size, which has changed


def test_keys_show_help_hide_the_spectrogram_mark_and_pause(
    terminal: Terminal, listen: str
) -> None:
    terminal.start(100, 30, f'{listen} -o "{terminal.folder}/record.jsonl"')
    terminal.wait(is_drawn(100))
    terminal.press("?")
    terminal.wait(lambda screen: "page 1 of 2" in screen)
    terminal.press("?")
    terminal.wait(lambda screen: "not what a person feels" in screen)
    terminal.press("?")
    terminal.wait(lambda screen: "spectrum" in screen)
    terminal.press("s")
    terminal.wait(lambda screen: "spectrum" not in screen and "dB" in screen)
    terminal.press("t")
    terminal.wait(lambda screen: "overflows 0" in screen)
    terminal.press("m")
    # On a busy machine what is shown for a few seconds may be over before it is looked for.
    record = terminal.folder / "record.jsonl"
    terminal.wait(lambda screen: '"mark"' in record.read_text("utf-8"))
    terminal.press("Space")
    terminal.wait(lambda screen: "nothing is classified" in screen)
    terminal.press("Space")
    terminal.wait(lambda screen: "nothing is classified" not in screen)
    terminal.press("q")
    terminal.wait(lambda screen: "ended with 0" in screen)


def test_numbers_label_the_last_utterance_and_u_takes_it_back(
    terminal: Terminal, listen: str
) -> None:
    record = terminal.folder / "record.jsonl"
    terminal.start(80, 24, f'{listen} -o "{record}"')
    terminal.wait(lambda screen: is_drawn(80)(screen) and '"speech"' in record.read_text("utf-8"))
    terminal.press("2")
    terminal.wait(lambda screen: bool(re.search(r"happy: \d+\.\d to \d+\.\d s; u undo", screen)))
    terminal.press("u")
    terminal.wait(lambda screen: "label removed" in screen)
    terminal.press("3")
    terminal.wait(lambda screen: "sad: " in screen)
    terminal.press("q")
    terminal.wait(lambda screen: "ended with 0" in screen and "1 label; the model had" in screen)
    records = [json.loads(line) for line in record.read_text("utf-8").splitlines()]
    said = [record["label"] for record in records if record["type"] == "label"]
    assert said == ["happy", None, "sad"]


def test_a_mark_that_nothing_keeps_is_refused(terminal: Terminal, listen: str) -> None:
    terminal.start(80, 24, listen)
    terminal.wait(is_drawn(80))
    terminal.press("m")
    terminal.wait(lambda screen: "not marked: there is no record" in screen)
    terminal.wait(lambda screen: "not marked" not in screen and "m mark" in screen)


def test_a_recording_that_cannot_go_on_is_not_shown_as_one(terminal: Terminal, listen: str) -> None:
    limited = terminal.folder / "limited.sh"
    limited.write_text(f"ulimit -f 100\nexec {listen} --record '{terminal.folder}/kept.flac'\n")
    terminal.start(80, 24, f'sh "{limited}"')
    terminal.wait(lambda screen: "● REC 0:00:0" in screen)
    terminal.wait(lambda screen: "kept.flac is given up" in screen and "REC" not in screen)
    terminal.press("q")
    terminal.wait(lambda screen: "ended with 1" in screen)


def test_it_goes_on_after_a_stop_by_the_shell(terminal: Terminal, listen: str) -> None:
    terminal.tmux("new-session", "-d", "-x", "80", "-y", "24", "bash", "--norc", "-i")
    terminal.tmux("send-keys", listen, "Enter")
    terminal.wait(is_drawn(80))
    for _ in range(2):
        terminal.press("C-z")
        terminal.wait(lambda screen: "Stopped" in screen)
        assert terminal.ask("alternate_on") == "0"
        assert terminal.ask("cursor_flag") == "1"
        terminal.tmux("send-keys", "stty -a | grep -c ' icanon'", "Enter")
        terminal.wait(lambda screen: screen.rstrip().splitlines()[-2].strip() == "1")
        terminal.tmux("send-keys", "clear; fg", "Enter")
        terminal.wait(lambda screen: "Stopped" not in screen and is_drawn(80)(screen))
        assert terminal.ask("alternate_on") == "1"
        assert terminal.ask("cursor_flag") == "0"
    terminal.press("q")
    terminal.wait(lambda screen: "s heard" in screen)


def test_without_a_shell_that_could_let_it_go_on_it_does_not_stop(
    terminal: Terminal, listen: str
) -> None:
    terminal.start(80, 24, listen)
    terminal.wait(is_drawn(80))
    terminal.press("C-z")
    terminal.press("?")
    terminal.wait(lambda screen: "pause, and go on" in screen)
    assert terminal.ask("alternate_on") == "1"
    terminal.press("q")
    terminal.wait(lambda screen: "ended with 0" in screen)


def test_it_ends_when_its_window_is_closed(terminal: Terminal, listen: str) -> None:
    terminal.start(80, 24, listen)
    terminal.wait(is_drawn(80))
    process = int((terminal.folder / "pid").read_text())
    terminal.tmux("kill-session")
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and is_running(process):
        time.sleep(0.1)
    assert not is_running(process)


def is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True
