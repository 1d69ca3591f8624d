"""Random faults of a sound server and of the process that listens to it: ``make schedules``.

Noise in which any few samples are unique is played into a microphone of a real PulseAudio server.
``listen`` records it while it is stopped and starved, and while its microphone is suspended, moved,
switched and stalled. A witness, an undisturbed process, stores when each piece of the noise was
played. Every piece of the recording must be at the time that the witness stored, and the recording
must be silent in every gap of the records.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from live_ser.audio.blocks import Interleaved
from live_ser.audio.capture_clock import host_clock
from live_ser.audio.devices import BLOCK_SECONDS, Times, open_input
from tests.support import sound_server
from tests.support.sound_server import SoundServer
from tests.support.starvation import starvation
from tests.support.tiny_model import tiny_info, write_model

RATE = 16_000
CODE = 6  # samples that identify a position in the noise
PIECE = 160  # samples from one checked position to the next
# Seconds around a gap that are not checked: the buffers of the sound server hold one block, or two
# if it is late itself, and the device does not report that these were captured before the gap.
NEAR_A_GAP = 3 * BLOCK_SECONDS
CALM = 3.0  # seconds before the first fault and after the last one
DRAINED = 1.6  # seconds of sound after which late blocks of the witness are on time again
TOLERANCE = 0.1  # seconds


def noise(seconds: float, seed: int) -> NDArray[np.int16]:
    """Noise in which any few samples are unique."""
    rng = np.random.default_rng(seed)
    return rng.integers(-8000, 8000, round(seconds * RATE)).astype(np.int16)


class Places:
    """Positions in the noise, by a few samples."""

    def __init__(self, sound: NDArray[np.int16]) -> None:
        self._places = {sound[i : i + CODE].tobytes(): i for i in range(len(sound) - CODE)}

    def of(self, samples: NDArray[np.int16]) -> float | None:
        """Seconds from the start of the noise; None for another sound."""
        place = self._places.get(samples[:CODE].tobytes())
        return None if place is None else place / RATE


def witness(file: Path, device: str) -> None:
    """Store the time of arrival and the first samples of each block."""
    notes: list[tuple[float, bytes]] = []

    def note(block: Interleaved, times: Times, _: bool) -> None:
        code = np.round(block[:CODE, 0] * 32768).astype(np.int16)
        notes.append((times.arrived - len(block) / RATE, code.tobytes()))

    over = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: over.set())
    stream = open_input(device, RATE, 1, note)
    print("ready", flush=True)
    over.wait(600)
    stream.close()
    file.write_text(json.dumps([[moment, code.hex()] for moment, code in notes]))


@dataclass
class Rig:
    """A sound server with two microphones, and a process that listens to one of them.

    Attributes:
        server: server with the microphones ``room``, ``headset`` and ``desk``, a copy of ``room``.
        process: process that listens.
        chance: random generator.
        began: start, by the host's clock.
        events: what happened so far, with times.
    """

    server: SoundServer
    process: subprocess.Popen[bytes]
    chance: random.Random
    began: float = field(default_factory=host_clock)
    events: list[str] = field(default_factory=list)

    def log(self, what: str) -> None:
        """Add an event."""
        self.events.append(f"{host_clock() - self.began:.2f} {what}")

    def wait(self, minimum: float, maximum: float) -> None:
        """Sleep for a random number of seconds."""
        time.sleep(self.chance.uniform(minimum, maximum))

    def moved_to(self, source: str) -> None:
        """Move the recording process to another microphone."""
        outputs = self.server._pactl("list", "source-outputs", "short").splitlines()
        clients = self.server._pactl("list", "source-outputs").split("Source Output #")[1:]
        mine = f'application.process.id = "{self.process.pid}"'
        for output in outputs:
            number = output.split()[0]
            if any(each.startswith(f"{number}\n") and mine in each for each in clients):
                self.server._pactl("move-source-output", number, source)


def stop(rig: Rig) -> None:
    rig.process.send_signal(signal.SIGSTOP)
    rig.wait(0.05, 4.0)
    rig.process.send_signal(signal.SIGCONT)


def late_bursts(rig: Rig) -> None:
    for _ in range(rig.chance.randrange(3, 9)):
        rig.process.send_signal(signal.SIGSTOP)
        rig.wait(0.05, 0.5)
        rig.process.send_signal(signal.SIGCONT)
        rig.wait(0.005, 0.1)


def suspend(rig: Rig) -> None:
    rig.server._pactl("suspend-source", "desk", "1")
    rig.wait(0.05, 3.0)
    rig.server._pactl("suspend-source", "desk", "0")


def suspend_room(rig: Rig) -> None:
    rig.server._pactl("suspend-sink", "room", "1")
    rig.wait(0.05, 3.0)
    rig.server._pactl("suspend-sink", "room", "0")


def move(rig: Rig) -> None:
    rig.moved_to("headset.monitor")
    rig.wait(0.05, 2.0)
    rig.moved_to("room.monitor")


def switch(rig: Rig) -> None:
    rig.server._pactl("set-default-source", "headset.monitor")
    rig.wait(0.05, 2.0)
    rig.server._pactl("set-default-source", "room.monitor")
    rig.moved_to("room.monitor")  # the server need not do so by itself


def stall(rig: Rig) -> None:
    """Stop the sound server itself for a while."""
    pid = int((Path(rig.server.env["PULSE_RUNTIME_PATH"]) / "pid").read_text())
    os.kill(pid, signal.SIGSTOP)
    try:
        rig.wait(0.05, 1.5)
    finally:
        os.kill(pid, signal.SIGCONT)


def starve(rig: Rig) -> None:
    hogs = [subprocess.Popen(["sh", "-c", "while :; do :; done"]) for _ in range(8)]
    try:
        rig.wait(0.5, 2.0)
    finally:
        for hog in hogs:
            hog.kill()
            hog.wait()


Fault = Callable[[Rig], None]
FAULTS: tuple[Fault, ...] = (
    stop, late_bursts, suspend, suspend_room, move, switch, stall, starve,
)  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """The result of a schedule.

    Attributes:
        seed: seed of the schedule.
        events: what happened, with times.
        gaps: seconds and reason of each gap.
        worst: largest error of the time of a piece of the recording, in seconds.
        known: seconds of the recording with a known position.
        end: lengths of the session and of its recording in seconds.
        starved: longest delay of a sleeping thread in seconds.
    """

    seed: int
    events: list[str]
    gaps: list[tuple[float, str]]
    worst: float
    known: float
    end: tuple[float, float]
    starved: float

    @property
    def faults(self) -> list[str]:
        """The broken promises, a line each."""
        return self.faults_beyond(TOLERANCE)

    def faults_beyond(self, tolerance: float) -> list[str]:
        """The broken promises, if errors of time up to a tolerance in seconds are allowed."""
        faults = []
        if self.worst > tolerance:
            faults.append(f"sound lies {self.worst:.3f} s from where it was")
        if abs(self.end[0] - self.end[1]) > 0.001:
            faults.append(f"a session of {self.end[0]} s, a recording of {self.end[1]} s")
        if self.known < 2 * CALM - 1:
            faults.append(f"only {self.known:.1f} s of it could be told")
        return faults

    def __str__(self) -> str:
        gaps = ", ".join(f"{seconds:.2f} {reason}" for seconds, reason in self.gaps)
        return (
            f"{self.seed:3d} worst {self.worst:.3f} s, {self.known:.1f} s known; gaps: "
            f"{gaps or 'none'}; starved {self.starved:.3f} s; "
            f"{'; '.join(self.events)} {'; '.join(self.faults).upper()}"
        )


@contextmanager
def _child(*words: str, env: dict[str, str], ready: bool = False) -> Iterator[Any]:
    process = subprocess.Popen(
        words, env=env, stdout=subprocess.PIPE if ready else subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        if process.stdout is not None:
            process.stdout.readline()
        yield process
    finally:
        process.send_signal(signal.SIGCONT)
        if process.poll() is None:
            process.kill()
        process.communicate()


def play(seed: int, model: Path, *faults: Fault, max_faults: int = 4) -> Outcome:
    """Run a schedule of given faults, or of random ones, and check the recording."""
    chance = random.Random(seed)
    chosen = faults or tuple(chance.choices(FAULTS, k=chance.randrange(1, max_faults + 1)))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        starved = stack.enter_context(starvation())
        server = stack.enter_context(sound_server.sound_server())
        sound = noise(90, 1)
        for name, each in (("room", sound), ("headset", noise(90, 2))):
            server.plug_in(name, RATE, channels=1)
            soundfile.write(folder / f"{name}.wav", each, RATE, subtype="PCM_16")
        server._pactl("load-module", "module-remap-source", "source_name=desk",
                      "master=room.monitor")  # fmt: skip
        server._pactl("set-default-source", "desk" if suspend in chosen else "room.monitor")
        for name in ("room", "headset"):
            player = ["paplay", "--device", name, "--latency-msec=2000", f"{folder}/{name}.wav"]
            stack.enter_context(_child(*player, env=server.env))
        words = [
            sys.executable,
            "-m",
            "tests.support.schedules",
            "--witness",
            str(folder / "witness.json"),
        ]
        seen = stack.enter_context(_child(*words, env=server.env, ready=True))
        words = [sys.executable, "-m", "live_ser", "listen", "--model", str(model)]
        words += ["--format", "jsonl", "-o", f"{folder}/kept.jsonl", "-d", "default"]
        words += ["--record", f"{folder}/kept.wav"]
        process = stack.enter_context(_child(*words, env=server.env))
        recording = folder / "kept.wav"
        while not recording.exists() or recording.stat().st_size < RATE:
            assert process.poll() is None, "it did not begin"
            time.sleep(0.05)
        time.sleep(CALM)
        rig = Rig(server, process, chance)
        for fault in chosen:
            rig.log(fault.__name__)
            fault(rig)
            rig.log("over")
            rig.wait(0.1, 2.0)
        time.sleep(CALM + 3.0)  # a device that was given up needs a while to be heard again
        process.terminate()
        process.wait(60)
        seen.terminate()
        seen.wait(60)
        return _outcome(seed, rig.events, folder, Places(sound), starved.worst)


def _outcome(seed: int, events: list[str], folder: Path, places: Places, starved: float) -> Outcome:
    recording, _ = soundfile.read(folder / "kept.wav", dtype="int16")
    records = [json.loads(line) for line in (folder / "kept.jsonl").read_text().splitlines()]
    gaps = [record for record in records if record["type"] == "gap"]
    heard = [
        (i / RATE, place)
        for i in range(0, len(recording) - CODE, PIECE)
        if (place := places.of(recording[i:])) is not None
    ]
    at, place = np.array(heard).T
    wrong = at - _when(folder / "witness.json", places, place)
    wrong -= np.nanmedian(wrong[at < CALM / 2])
    for gap in gaps:
        wrong[(at >= gap["start"] - NEAR_A_GAP) & (at < gap["end"] + NEAR_A_GAP)] = 0
        silent = recording[round(gap["start"] * RATE) + 8 : round(gap["end"] * RATE) - 8]
        assert not silent.any(), "a gap holds sound"
    if os.environ.get("KEEP"):
        (Path(os.environ["KEEP"]) / f"{seed}.json").write_text(
            (folder / "witness.json").read_text()
        )
        np.save(f"{os.environ['KEEP']}/{seed}.npy", np.array([at, place, wrong]))
    return Outcome(
        seed,
        events,
        [(gap["end"] - gap["start"], gap["reason"]) for gap in gaps],
        float(np.nanmax(np.abs(wrong))),
        float(np.count_nonzero(np.isfinite(wrong))) * PIECE / RATE,
        (records[-1].get("seconds", 0.0), round(len(recording) / RATE, 3)),
        starved,
    )


def _when(file: Path, places: Places, place: NDArray[np.float64]) -> NDArray[np.float64]:
    """When the witness recorded positions in the noise, by the host's clock; NaN if unknown.

    Blocks can be late, but never early. The promptest block counts: of those after it, and of those
    before it unless the sound server stopped in between.
    """
    notes = json.loads(file.read_text())
    blocks = np.arange(len(notes)) * BLOCK_SECONDS
    late = np.array([moment for moment, _ in notes]) - blocks
    some = round(DRAINED / BLOCK_SECONDS)
    prompt = [max(late[i : i + some].min(), late[max(0, i - some) : i + 1].min())
              for i in range(len(late))]  # fmt: skip
    starts = [places.of(np.frombuffer(bytes.fromhex(code), np.int16)) for _, code in notes]
    heard = [
        (start, moment - start)
        for start, after, moment in zip(starts, starts[1:], blocks + prompt, strict=False)
        # If a block is not followed by the next one, the noise was interrupted in it.
        if start is not None and after is not None and abs(after - start - BLOCK_SECONDS) < 1e-6
    ]
    where, offset = np.array(heard).T
    block = np.maximum(0, np.searchsorted(where, place, "right") - 1)
    known = (place >= where[block]) & (place < where[block] + BLOCK_SECONDS)
    return np.where(known, place + offset[block], np.nan)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--schedules", type=int, default=50)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--at-once", type=int, default=1)
    parser.add_argument("--model", type=Path, help="model to use (default: a tiny one)")
    parser.add_argument("--witness", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.witness:
        witness(options.witness, "room")
        return
    seeds = range(options.first, options.first + options.schedules)
    bad = []
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(options.at_once) as threads:
        model = options.model or write_model(Path(folder) / "tiny.onnx", tiny_info())
        for outcome in threads.map(lambda seed: play(seed, model), seeds):
            print(outcome, flush=True)
            bad += [outcome] if outcome.faults else []
    print(f"{len(seeds) - len(bad)} of {len(seeds)} as promised")
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()
