"""Long sessions in watched processes: ``make soak``, or ``python -m tests.support.soak``.

One hour of a microphone at 48 kHz with blocks of irregular size, one of a microphone of a real
sound server, and one of ``live-ser serve`` with clients of every kind. After the warm-up, memory,
file descriptors and threads must not grow; nothing may overflow, and no window be skipped. The
drift between the clock of the sound and the wall clock is reported.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from array import array
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import soundfile
import soxr

from live_ser.audio.blocks import Samples
from live_ser.audio.devices import Opener, open_input
from live_ser.audio.sources import microphone
from live_ser.dashboard.dashboard import Dashboard
from live_ser.inference.monitor import Monitor
from live_ser.inference.results import Prediction
from live_ser.live.recorder import Recording
from live_ser.live.session import Session
from live_ser.live.sink import Sink
from live_ser.live.sinks import RecordSink
from live_ser.model.onnx_model import load
from live_ser.records.jsonl import JsonLines
from tests.support import soak_server, sound_server
from tests.support.scripted_microphone import ScriptedMicrophone, in_random_blocks
from tests.support.watch import Watch

RATE = 48_000
DEMO = Path(__file__).parents[2] / "live_ser" / "demo.flac"


@dataclass
class SessionWatch(Watch):
    """Samples of a session.

    Attributes:
        records: the records of the session.
        drift: seconds by which the sound ran ahead of the wall clock in the session.
    """

    records: list[dict[str, Any]] = field(default_factory=list)
    drift: float = 0.0

    def faults(self) -> list[str]:
        """The broken promises, a line each."""
        faults, end = super().faults(), self.records[-1]
        if end["type"] != "end":
            return [*faults, f"the last record is of type {end['type']}"]
        if end["overflows"] or end["skipped"]:
            faults.append(f"{end['overflows']} overflows, {end['skipped']} skipped windows")
        ends = [record["end"] for record in self.records if record["type"] == "window"]
        if not np.allclose(np.diff(ends[:-1]), 0.5, atol=1e-3):
            faults.append("windows do not follow each other by half a second")
        return faults

    def summary(self) -> str:
        """The samples and records in a line."""
        windows, drift = self.records[-1].get("windows"), 1000 * self.drift
        return (
            f"{super().summary()}; {windows} windows; drift of sound against wall {drift:+.0f} ms"
        )


def irregular(seconds: float, model: Path | None = None) -> SessionWatch:
    """A microphone at 48 kHz with blocks of irregular size, in real time."""
    return _watched("irregular blocks", "irregular", dict(os.environ), seconds, model)


def pulse(seconds: float, model: Path | None = None) -> SessionWatch:
    """A microphone of PulseAudio, into which the recording is played again and again."""
    with tempfile.TemporaryDirectory() as folder, sound_server.sound_server() as server:
        server.plug_in("room")
        clip = Path(folder) / "clip.wav"
        soundfile.write(clip, speech(), RATE)
        done = threading.Event()

        def speak() -> None:
            while not done.is_set():
                server.play(clip, "room")

        speaker = threading.Thread(target=speak)
        speaker.start()
        try:
            return _watched("PulseAudio", "room", server.env, seconds, model)
        finally:
            done.set()
            speaker.join()


def speech() -> Samples:
    """The bundled recording at 48 kHz."""
    sound, native = soundfile.read(DEMO, dtype="float32")
    return np.asarray(soxr.resample(sound, native, RATE), np.float32)


def _watched(
    name: str, device: str, environment: dict[str, str], seconds: float, model: Path | None
) -> SessionWatch:
    watch = SessionWatch(name)
    every = max(0.2, seconds / 2000)
    with tempfile.TemporaryDirectory() as folder:
        words = [
            sys.executable,
            "-m",
            "tests.support.soak",
            "--listen",
            folder,
            device,
            str(seconds),
        ]
        environment |= {"PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path))}
        with subprocess.Popen([*words, *[str(model)] * bool(model)], env=environment) as process:
            watched = psutil.Process(process.pid)
            since = time.monotonic()
            while process.poll() is None and time.monotonic() < since + seconds - 1:
                watch.sample(watched, since)
                time.sleep(every)
            if process.wait(timeout=120):
                raise RuntimeError(f"{name}: the process ended with {process.returncode}")
        session = Path(folder) / "session.jsonl"
        watch.records = [json.loads(line) for line in session.read_text("utf-8").splitlines()]
        watch.drift = json.loads((Path(folder) / "drift.json").read_text("utf-8"))
    return watch


def irregular_microphone() -> ScriptedMicrophone:
    """A device with blocks of one sample to 0.2 s, in real time."""
    seconds = np.split(speech()[: RATE * 13], 13)
    script = in_random_blocks(itertools.cycle(seconds), RATE // 5)
    return ScriptedMicrophone(RATE, script, real_time=True)


class Clock(Sink):
    """Compares the time of the sound with the wall clock, window by window."""

    def __init__(self) -> None:
        self.ahead = array("d")

    def window(self, prediction: Prediction) -> None:
        """Store by how much the sound is ahead of the wall clock."""
        self.ahead.append(prediction.end - time.monotonic())

    @property
    def drift(self) -> float:
        """Seconds, by the medians of the first and the last tenth of the session."""
        some = max(1, len(self.ahead) // 10)
        return float(np.median(self.ahead[-some:]) - np.median(self.ahead[:some]))


def listen(folder: Path, device: str, seconds: float, model: str | None) -> None:
    """The session of the watched process, with records, a recording and a dashboard."""
    classify = load(model)
    rate = classify.info.features.sample_rate

    opener: Opener = irregular_microphone() if device == "irregular" else open_input
    with ExitStack() as stack:
        from rich.console import Console

        mic = stack.enter_context(microphone(device, rate, opener=opener))
        session = Session(mic, rate, duration=seconds)
        monitor = Monitor(classify, session)
        nowhere = stack.enter_context(open(os.devnull, "w", encoding="utf-8"))
        records = stack.enter_context((folder / "session.jsonl").open("w", encoding="utf-8"))
        console = Console(file=nowhere, width=120, height=40, force_terminal=True)
        recording = stack.enter_context(Recording(folder / "kept.flac", rate))
        clock = Clock()
        screen = stack.enter_context(
            Dashboard(console, classify.info, mic.name, mic.native_rate, recording=recording)
        )
        for sink in (RecordSink(JsonLines(records), "the records"), recording, screen, clock):
            session.sinks.attach(sink)
        session.run(monitor)
    (folder / "drift.json").write_text(json.dumps(clock.drift))


def main() -> int:
    """Run all of them, one after the other; 1 if a promise is broken."""
    parser = argparse.ArgumentParser(prog="soak", description=__doc__)
    runs = {"irregular": irregular, "pulse": pulse, "server": soak_server.served}
    parser.add_argument("runs", nargs="*", help=f"{', '.join(runs)} (default: all of them)")
    parser.add_argument("--seconds", type=float, default=3600.0, help="of each (default: 3600)")
    options = parser.parse_args()
    failed = False
    for run in (runs[name] for name in options.runs or runs):
        if run is pulse and (program := sound_server.missing()) is not None:
            print(f"PulseAudio is left out: {program} is not installed")
            continue
        watch = run(options.seconds)
        print(watch.summary(), flush=True)
        for fault in watch.faults():
            failed = True
            print(f"  not as promised: {fault}", flush=True)
    return int(failed)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--listen"]:
        folder, device, seconds, *model = sys.argv[2:]
        listen(Path(folder), device, float(seconds), model[0] if model else None)
    else:
        sys.exit(main())
