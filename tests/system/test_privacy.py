"""Nothing is kept and nothing is connected to, but what was asked for."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.command import LIVE_SER
from tests.support.sound_server import SoundServer

DEMO = Path(__file__).parents[2] / "live_ser" / "demo.flac"

# What the client of a sound server does by itself, on our side of it.
SOUND_FILES = re.compile(r"/dev/(snd|shm/(jack|pulse)).*|.*/\.config(/pulse.*)?")
SOUND_SOCKETS = re.compile(r".*(pulse|jack|pipewire|native|dbus|nscd).*")
NO_FILES = re.compile(r"/dev/(null|tty|shm/sem\.).*|/proc/.*")

STRACE = ["strace", "--seccomp-bpf", "-f", "-qq", "-y", "-e", "signal=none", "-e"]
CALLS = "trace=socket,connect,sendto,open,openat,creat,mkdir,mkdirat,rename,renameat,renameat2"


@pytest.fixture(scope="module")
def can_trace() -> bool:
    """Whether strace is here, and allowed; files are looked at without it, too."""
    if shutil.which("strace") is None:
        return False
    tried = subprocess.run([*STRACE, CALLS, "true"], capture_output=True, check=False)
    return tried.returncode == 0


@dataclass
class Home:
    """The home of a user who has never run anything.

    Attributes:
        folder: the home; commands run in it.
        temporary: for their temporary files.
        env: of the commands.
        calls: of the system that they made for files and network, as strace writes them.
    """

    folder: Path
    temporary: Path
    env: dict[str, str]
    can_trace: bool
    calls: tuple[str, ...] = ()

    def run(self, *command: str | Path, code: int = 0) -> None:
        """Run a command to its end."""
        log = self.folder.parent / "calls"
        trace = [*STRACE, CALLS, "-o", str(log)] if self.can_trace else []
        done = subprocess.run(
            [*trace, *map(str, command)],
            cwd=self.folder,
            env=self.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stderr
        if trace:
            self.calls = tuple(log.read_text("utf-8", "replace").splitlines())

    def check(self, *asked_for: str) -> None:
        """See that there is what was asked for and no other file, and that none was ever sent."""
        left = {str(path.relative_to(self.folder)) for path in self.folder.rglob("*")}
        kept = {name for name in left if not SOUND_FILES.fullmatch(f"/{name}")}
        assert kept == set(asked_for)
        assert list(self.temporary.iterdir()) == []
        places = (*(str(self.folder / name) for name in asked_for), str(self.temporary))
        # What is written at once is written as NAME.part.EXT and renamed.
        paths = (path.replace(".part.", ".") for path in self._made())
        made = [path for path in paths if not path.startswith(places)]
        assert [path for path in made if not SOUND_FILES.fullmatch(path)] == []
        sockets = [call for call in self.calls if re.search(r" socket\((?!AF_UNIX)", call)]
        assert sockets == []
        reached = [m[1] for call in self.calls if (m := re.search(r'sun_path=@?"([^"]*)', call))]
        assert [path for path in reached if not SOUND_SOCKETS.fullmatch(path)] == []

    def _made(self) -> Iterator[str]:
        """Paths of the files and folders that were made, those included that are gone."""
        for call in self.calls:
            name = re.search(r'\d+ (\w+)\(.*?"([^"]*)"', call)
            if name is None or re.search(r"= -1 |\?$", call):
                continue
            opened = name[1].startswith("open")
            if opened and "O_CREAT" not in call:
                continue
            path = str(self.folder / name[2])
            if name[1] not in ("socket", "connect", "sendto") and not NO_FILES.fullmatch(path):
                yield path


@pytest.fixture
def home(tmp_path: Path, can_trace: bool) -> Home:
    folder, temporary = tmp_path / "home", tmp_path / "temporary"
    folder.mkdir()
    temporary.mkdir()
    kept = ("PATH", "PYTHONPATH", "ALSA_CONFIG_PATH", "PULSE_SERVER", "LANG", "VIRTUAL_ENV")
    env = {name: os.environ[name] for name in kept if name in os.environ}
    env |= {"HOME": str(folder), "TMPDIR": str(temporary), "PYTHONDONTWRITEBYTECODE": "1"}
    env |= {"ORT_DISABLE_TELEMETRY": "0"}  # reports that a user allows elsewhere are none of ours
    return Home(folder, temporary, env, can_trace)


def test_recordings_leave_what_was_asked_for(home: Home) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib, which draws, is not installed")
    shutil.copy(DEMO, home.folder / "a.flac")
    shutil.copy(DEMO, home.folder / "b.flac")
    words = ["a.flac", "b.flac", "--workers", "2", "-o", "verdicts.jsonl", "--plot", "drawn/"]
    home.run(*LIVE_SER, "file", *words)
    drawn = {f"drawn/{path.name}" for path in (home.folder / "drawn").iterdir()}
    assert len(drawn) == 2
    home.check("a.flac", "b.flac", "verdicts.jsonl", "drawn", *drawn)


def test_a_replay_and_its_page_leave_what_was_asked_for(home: Home) -> None:
    words = ["--from", str(DEMO), "--speed", "0", "-o", "session.jsonl", "--record", "sound.flac"]
    home.run(*LIVE_SER, "listen", *words)
    home.check("session.jsonl", "sound.flac")
    home.run(*LIVE_SER, "report", "session.jsonl", "--audio", "sound.flac")
    home.check("session.jsonl", "sound.flac", "session.html")


def test_a_session_reaches_the_sound_server_and_nothing_else(home: Home, room: SoundServer) -> None:
    home.env |= {name: room.env[name] for name in ("ALSA_CONFIG_PATH", "PULSE_SERVER")}
    words = ["-d", "room", "--duration", "1", "-o", "session.jsonl", "--record", "sound.flac"]
    home.run(*LIVE_SER, "listen", *words)
    home.check("session.jsonl", "sound.flac")


@pytest.mark.parametrize("command", ["info", "devices", "doctor"])
def test_what_only_tells_leaves_nothing(home: Home, command: str) -> None:
    # Without a sound server, so that there is no microphone.
    home.env |= {"PULSE_SERVER": "unix:/nonexistent/native"}
    home.run(*LIVE_SER, command, code=0 if command == "info" else 1)
    home.check()


def test_python_leaves_nothing(home: Home) -> None:
    classify = f"import live_ser; print(live_ser.load().predict({str(DEMO)!r}))"
    home.run(sys.executable, "-c", classify)
    home.check()
