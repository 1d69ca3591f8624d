"""A microphone that has one rate only: whatever JACK offers has the rate of its server."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from tests.support.command import LIVE_SER, live_ser_process, records
from tests.system.test_microphone import verdict

pytestmark = pytest.mark.skipif(shutil.which("jackd") is None, reason="jackd2 is not installed")

# Is a source of silence, and of a file's sound once it is told to play.
_PLAYER = """
import sys, sounddevice, soundfile
samples, rate = soundfile.read(sys.argv[1], dtype="float32")
told, at = False, 0

def give(block, frames, time, status):
    global at
    part = samples[at : at + frames] if told else samples[:0]
    block[: len(part), 0], block[len(part) :] = part, 0
    at += len(part)

(jack,) = (host for host in sounddevice.query_hostapis() if host["name"].startswith("JACK"))
device = jack["default_output_device"]
with sounddevice.OutputStream(rate, device=device, channels=1, dtype="float32", callback=give):
    print("ready", flush=True)
    told = bool(sys.stdin.readline())
    sys.stdin.readline()
"""


@contextmanager
def jack(rate: int) -> Iterator[dict[str, str]]:
    """A private JACK server of one rate; gives the environment in which PortAudio finds it."""
    name = f"live-ser-{uuid.uuid4().hex[:8]}"
    env = {**os.environ, "JACK_DEFAULT_SERVER": name, "JACK_NO_AUDIO_RESERVATION": "1"}
    words = ["jackd", "--no-realtime", "-n", name, "-d", "dummy", "-r", str(rate), "-p", "1024"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(words, env=env, **quiet) as process:  # type: ignore[call-overload]
        try:
            for _ in range(100):
                if "JACK" in live_ser_process("devices", env=env).stdout:
                    break
                time.sleep(0.1)
            else:
                pytest.skip("no JACK server could be started here")
            yield env
        finally:
            process.terminate()


@pytest.mark.real_time
@pytest.mark.parametrize("rate", [16000, 48000])
def test_a_microphone_of_one_rate_is_heard_as_its_sound_is(
    tiny_model: Path, sentence: Path, tmp_path: Path, rate: int
) -> None:
    samples, native = soundfile.read(sentence, dtype="float32", always_2d=True)
    clip = tmp_path / "clip.wav"
    soundfile.write(clip, soxr.resample(samples.mean(axis=1), native, rate), rate)
    expected = verdict(tiny_model, clip)
    with (
        jack(rate) as env,
        subprocess.Popen(
            [sys.executable, "-c", _PLAYER, str(clip)],
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as player,
    ):
        try:
            assert player.stdout is not None
            assert player.stdin is not None
            assert player.stdout.readline() == "ready\n"
            devices = live_ser_process("devices", "-d", "PortAudio", env=env).stdout.splitlines()
            (chosen,) = (line for line in devices if line.startswith("*"))
            assert chosen.split()[-1] == str(rate)  # and no other
            words = ["listen", "-d", "PortAudio", "--format", "jsonl", "--duration", "8"]
            words += ["--smoothing", "0", "--model", str(tiny_model)]
            with subprocess.Popen(
                [*LIVE_SER, *words],
                env=env,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                encoding="utf-8",
            ) as listener:
                assert listener.stdout is not None
                heard = listener.stdout.readline() + listener.stdout.readline()
                player.stdin.write("\n")
                player.stdin.flush()
                rest, said = listener.communicate(timeout=60)
        finally:
            player.kill()
    assert listener.returncode == 0, said
    windows = [r for r in records(heard + rest) if r["type"] == "window"]
    clearest = max(windows, key=lambda record: float(record["evidence"]))
    assert clearest["label"] == expected["label"]
    assert clearest["probabilities"] == pytest.approx(expected["probabilities"], abs=0.05)
    np.testing.assert_allclose(clearest["activation"], expected["activation"], atol=0.05)
