"""Devices are found by what people call them, and opened at a rate that they have."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from live_ser.audio import devices
from live_ser.audio.devices import find_device, open_input, portaudio_hint
from live_ser.errors import LiveSerError
from tests.support.command import live_ser_process


class PortAudioError(Exception):
    pass


@dataclass
class Status:
    input_overflow: bool = False


@dataclass
class Moments:
    """As PortAudio has them: of a clock of its own."""

    currentTime: float = 1000.25
    inputBufferAdcTime: float = 1000.0


@dataclass
class FakePortAudio:
    """As much of ``sounddevice`` as devices need: names, and the formats that each one opens at."""

    names: list[tuple[str, int]]  # of devices, and the number of their host
    formats: set[tuple[int, int]]  # rates and channel counts
    refusal: tuple[Any, ...] = ("Invalid sample rate", -9997)
    opened: list[dict[str, Any]] = field(default_factory=list)
    streams: int = 0  # that are open
    rescans: int = 0
    ended: int = 0  # streams that a rescan ended
    PortAudioError = PortAudioError

    class default:
        device = (0, -1)
        hostapi = 0

    def query_hostapis(self) -> list[dict[str, Any]]:
        return [
            {"name": "MME", "default_input_device": 0},
            {"name": "WASAPI", "default_input_device": 2},
        ]

    def query_devices(self) -> list[dict[str, Any]]:
        return [
            {
                "name": name,
                "hostapi": host,
                "max_input_channels": 0 if name == "Speakers" else 2,
                "default_samplerate": 44100.0,
            }
            for name, host in self.names
        ]

    def check_input_settings(self, device: int, samplerate: int, channels: int, dtype: str) -> None:
        if (samplerate, channels) not in self.formats:
            raise PortAudioError(*self.refusal)

    def InputStream(self, **settings: Any) -> FakeStream:
        self.opened.append(settings)
        return FakeStream(self, settings["callback"], settings["channels"])

    def _terminate(self) -> None:
        self.rescans += 1
        self.ended += self.streams
        time.sleep(0.001)

    def _initialize(self) -> None:
        self.ended += self.streams  # none may be opened meanwhile


@dataclass
class FakeStream:
    port: FakePortAudio
    callback: Any
    channels: int

    def start(self) -> None:
        self.port.streams += 1
        block = np.zeros((4, self.channels), np.float32)
        self.callback(block, 4, Moments(), Status(input_overflow=True))

    def abort(self, ignore_errors: bool) -> None:
        pass

    def close(self, ignore_errors: bool) -> None:
        self.port.streams -= 1


NAMES = [
    ("Built-in Microphone", 0),
    ("Speakers", 0),
    ("Headset", 1),
    ("Headset", 0),
    ("USB Headset Pro", 0),
    ("Loopback", 1),
]


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakePortAudio:
    port = FakePortAudio(NAMES, {(16000, 1)})
    monkeypatch.setattr(devices, "portaudio", lambda: port)
    return port


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        (None, 0),
        (4, 4),
        ("4", 4),
        ("built", 0),
        ("usb head", 4),
        ("Headset", 3),  # the whole name, in the default audio system
        ("headset, wasapi", 2),
        ("LOOPBACK", 5),
    ],
)
@pytest.mark.usefixtures("fake")
def test_a_device_is_found(wanted: int | str | None, index: int) -> None:
    assert find_device(wanted).index == index


@pytest.mark.usefixtures("fake")
@pytest.mark.parametrize(
    ("wanted", "said", "listed"),
    [
        ("camera", "no input device 'camera'", "Built-in Microphone"),
        ("99", "no input device '99'", "Loopback"),
        ("Speakers", "no input device", "Headset"),
        ("head", "part of 3 device names", "USB Headset Pro"),
    ],
)
def test_a_device_that_cannot_be_told_lists_the_candidates(
    wanted: str, said: str, listed: str
) -> None:
    with pytest.raises(LiveSerError) as caught:
        find_device(wanted)
    assert said in caught.value.message
    assert listed in caught.value.hint
    assert "Speakers (" not in caught.value.hint


@pytest.mark.parametrize(
    ("formats", "rate", "channels"),
    [
        ({(16000, 1), (48000, 1)}, 16000, 1),
        ({(48000, 1)}, 48000, 1),
        ({(44100, 1), (48000, 1)}, 44100, 1),
        ({(8000, 1)}, 8000, 1),
        ({(48000, 2)}, 48000, 2),
    ],
)
def test_the_rate_and_channels_are_those_that_the_device_has(
    fake: FakePortAudio, formats: set[tuple[int, int]], rate: int, channels: int
) -> None:
    fake.formats = formats
    heard: list[tuple[tuple[int, ...], bool]] = []
    stream = open_input(None, 16000, None, lambda block, _, lost: heard.append((block.shape, lost)))
    assert stream.rate == rate
    assert (fake.opened[0]["samplerate"], fake.opened[0]["channels"]) == (rate, channels)
    assert heard == [((4, channels), True)]
    stream.close()


@pytest.mark.parametrize(
    ("refusal", "hint"),
    [
        (("Device unavailable", -9985), "close the program that is using it"),
        (("Invalid sample rate", -9997), "privacy settings"),
        (("Unanticipated host error", -9999, (0, -5, "Input/output error")), "live-ser doctor"),
    ],
)
def test_a_device_that_refuses_says_why_and_what_to_try(
    fake: FakePortAudio, refusal: tuple[Any, ...], hint: str
) -> None:
    fake.formats, fake.refusal = set(), refusal
    with pytest.raises(LiveSerError) as caught:
        open_input(None, 16000, None, lambda block, times, lost: None)
    assert "Built-in Microphone" in caught.value.message
    assert (refusal[2][2] if len(refusal) > 2 else refusal[0]) in caught.value.message
    assert hint in caught.value.hint


def test_a_block_brings_its_age_by_the_clock_of_the_device(fake: FakePortAudio) -> None:
    ages: list[float] = []
    open_input(
        None, 16000, None, lambda _, times, lost: ages.append(times.arrived - times.captured)
    ).close()
    assert ages == [pytest.approx(0.25)]


@pytest.mark.parametrize("lines", [2, 4, 8])
def test_looking_for_devices_again_ends_no_line_of_the_process(
    fake: FakePortAudio, lines: int
) -> None:
    def line() -> None:
        for _ in range(20):  # each time the device was gone
            open_input(None, 16000, None, lambda *_: None, rescan=True).close()

    threads = [threading.Thread(target=line) for _ in range(lines)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert fake.ended == 0
    assert fake.streams == 0
    before = fake.rescans
    open_input(None, 16000, None, lambda *_: None, rescan=True).close()
    assert fake.rescans == before + 1  # nobody else is there


def test_a_device_that_never_closes_keeps_nobody_waiting(
    fake: FakePortAudio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(devices, "CLOSE_SECONDS", 0.05)
    hung = threading.Event()
    monkeypatch.setattr(FakeStream, "abort", lambda self, ignore_errors: hung.wait(60))
    stuck = open_input(None, 16000, None, lambda *_: None)
    stuck.close()
    open_input(None, 16000, None, lambda *_: None, rescan=True)
    assert fake.rescans == 0  # the one that is stuck is still open
    hung.set()


def test_more_channels_than_there_are_is_refused(fake: FakePortAudio) -> None:
    with pytest.raises(LiveSerError, match="has 2 channels, not 5"):
        open_input(None, 16000, 5, lambda block, times, lost: None)
    assert not fake.opened


@pytest.mark.parametrize(
    ("platform", "commands"),
    [
        ("linux", ["apt install libportaudio2", "dnf install portaudio", "pacman -S portaudio"]),
        ("darwin", ["brew install portaudio"]),
        ("win32", ["pip install --force-reinstall sounddevice"]),
    ],
)
def test_the_command_that_installs_portaudio_is_named(platform: str, commands: list[str]) -> None:
    for command in commands:
        assert command in portaudio_hint(platform)


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="only Unix has a root")
def test_root_is_not_told_to_use_sudo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert "sudo" not in portaudio_hint("linux")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert "sudo apt install" in portaudio_hint("linux")


def test_without_portaudio_there_is_one_line_and_the_command_that_installs_it(
    tmp_path: Path, tiny_model: Path
) -> None:
    # As sounddevice does where the library is missing.
    (tmp_path / "sounddevice.py").write_text('raise OSError("PortAudio library not found")\n')
    path = os.pathsep.join([str(tmp_path), str(Path(__file__).parents[2])])
    env = {**os.environ, "PYTHONPATH": path}
    for command in (["devices"], ["listen", "--model", str(tiny_model)]):
        run = live_ser_process(*command, env=env)
        assert run.returncode == 1
        why, what = run.stderr.splitlines()
        assert "PortAudio" in why
        assert "install" in what
    demo = ["listen", "--or-demo", "--duration", "1", "--model", str(tiny_model)]
    run = live_ser_process(*demo, env=env)
    assert run.returncode == 0
    assert "PortAudio" in run.stderr
    assert run.stdout


def test_without_portaudio_files_are_classified(
    tmp_path: Path, tiny_model: Path, speech: Path
) -> None:
    (tmp_path / "sounddevice.py").write_text('raise OSError("PortAudio library not found")\n')
    path = os.pathsep.join([str(tmp_path), str(Path(__file__).parents[2])])
    words = [sys.executable, "-m", "live_ser", "file", "--model", str(tiny_model), str(speech)]
    run = subprocess.run(
        words, env={**os.environ, "PYTHONPATH": path}, capture_output=True, check=False
    )
    assert (run.returncode, run.stderr) == (0, b"")


def test_a_container_without_devices_says_so(no_microphone: dict[str, str]) -> None:
    run = live_ser_process("devices", env=no_microphone)
    assert run.returncode == 1
    assert "no microphone was found" in run.stderr
