"""A terminal in tmux, in which a command runs and whose screen can be read."""

from __future__ import annotations

import os
import signal
import subprocess
import time
import uuid
from collections.abc import Callable
from pathlib import Path

PATIENCE = 60.0  # seconds


class Terminal:
    """A tmux session of its own."""

    def __init__(self, folder: Path) -> None:
        self.name = f"live-ser-{uuid.uuid4().hex[:8]}"
        self.folder = folder

    def tmux(self, *words: str) -> str:
        command = ["tmux", "-L", self.name, "-f", "/dev/null", *words]
        return subprocess.run(command, check=True, capture_output=True, encoding="utf-8").stdout

    def start(self, width: int, height: int, command: str) -> None:
        """Run a command in a shell that stores the terminal's settings before and after."""
        script = self.folder / "script.sh"
        script.write_text(
            f"trap : INT\nstty -a > '{self.folder}/before'\n"
            f"sh -c 'echo $$ > \"{self.folder}/pid\"; exec {command}'\n"
            f"echo \"ended with $?\"\nstty -a > '{self.folder}/after'\necho done\nsleep 1000\n"
        )
        size = ("-x", str(width), "-y", str(height))
        self.tmux("new-session", "-d", *size, "sh", str(script))

    def resize(self, width: int, height: int) -> None:
        self.tmux("resize-window", "-x", str(width), "-y", str(height))

    def press(self, key: str) -> None:
        self.tmux("send-keys", key)

    def screen(self) -> str:
        return self.tmux("capture-pane", "-p")

    def ask(self, what: str) -> str:
        return self.tmux("display-message", "-p", f"#{{{what}}}").strip()

    def signal(self, number: signal.Signals) -> None:
        os.kill(int((self.folder / "pid").read_text()), number)

    def wait(self, until: Callable[[str], bool]) -> str:
        """The screen, as soon as ``until`` is true of it."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            screen = self.screen()
            if until(screen):
                return screen
            time.sleep(0.1)
        raise AssertionError(f"the terminal still shows:\n{screen}")

    def close(self) -> None:
        subprocess.run(["tmux", "-L", self.name, "kill-server"], check=False, capture_output=True)
