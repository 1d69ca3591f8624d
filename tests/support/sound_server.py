"""A private PulseAudio server, whose null sinks are the microphones of tests."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

MICROPHONES = ("room", "headset")

_ALSA = "pcm.default { type pulse }\n" + "".join(
    f'pcm.{name} {{ type pulse device "{name}.monitor" }}\n' for name in MICROPHONES
)


@dataclass(frozen=True)
class SoundServer:
    """A running server.

    Attributes:
        env: environment variables by which PortAudio, ``paplay`` and ``pactl`` find the server.
    """

    env: dict[str, str]

    def plug_in(self, name: str, rate: int = 48000, channels: int = 2) -> str:
        """Plug in a microphone, and return its id for :meth:`pull_out`."""
        form = f"rate={rate}", f"channels={channels}"
        return self._pactl("load-module", "module-null-sink", f"sink_name={name}", *form)

    def pull_out(self, microphone: str) -> None:
        """Unplug a microphone, by its id."""
        self._pactl("unload-module", microphone)

    def suspend(self, name: str, seconds: float) -> None:
        """Suspend a microphone for a number of seconds."""
        self._pactl("suspend-sink", name, "1")
        time.sleep(seconds)
        self._pactl("suspend-sink", name, "0")

    def microphones(self) -> list[str]:
        """The ids of all microphones that are plugged in."""
        modules = self._pactl("list", "short", "modules").splitlines()
        return [line.split()[0] for line in modules if "module-null-sink" in line]

    def play(self, clip: Path, name: str) -> None:
        """Play a clip into a microphone, to its end."""
        self._run("paplay", "--device", name, str(clip))

    def _pactl(self, *words: str) -> str:
        return self._run("pactl", *words).stdout.strip()

    def _run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            words, env=self.env, capture_output=True, text=True, check=True, timeout=60
        )


def missing() -> str | None:
    """The first required program that is not installed; None if all are."""
    needed = ("pulseaudio", "pactl", "paplay")
    return next((name for name in needed if shutil.which(name) is None), None)


@contextmanager
def sound_server() -> Iterator[SoundServer]:
    # Not pytest's folder: the path of a socket has to be short.
    with tempfile.TemporaryDirectory(prefix="pulse") as name:
        folder = Path(name)
        (folder / "alsa.conf").write_text(_ALSA)
        socket = folder / "native"
        env = {
            **os.environ,
            "ALSA_CONFIG_PATH": str(folder / "alsa.conf"),
            "HOME": name,
            "XDG_RUNTIME_DIR": name,
            "PULSE_RUNTIME_PATH": name,
            "PULSE_STATE_PATH": name,
            "PULSE_SERVER": f"unix:{socket}",
        }
        protocol = f"module-native-protocol-unix socket={socket} auth-anonymous=1"
        words = ["pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "-F", os.devnull]
        process = subprocess.Popen(
            [*words, "-L", protocol],
            env=env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            server = SoundServer(env)
            _wait_for(server, process)
            yield server
        finally:
            process.terminate()
            process.wait(timeout=60)


def _wait_for(server: SoundServer, process: subprocess.Popen[bytes]) -> None:
    for _ in range(100):
        try:
            server._pactl("info")
        except subprocess.CalledProcessError:
            if process.poll() is not None:
                break
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("pulseaudio did not start")
