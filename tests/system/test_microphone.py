"""The real microphone: sound played into a sound server comes out of ``listen`` as of ``file``."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from tests.support.command import LIVE_SER, live_ser, live_ser_process, records
from tests.support.sound_server import SoundServer

Record = dict[str, Any]


class Listener:
    """``listen`` in a process of its own, whose records are read as they come."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.records: list[Record] = []

    def until(self, enough: Callable[[Record], bool]) -> Record:
        """The next record that is enough."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.records.append(json.loads(line))
            if enough(self.records[-1]):
                return self.records[-1]
        raise AssertionError(f"it ended without: {self.records[-3:]}")

    def clearest(self) -> Record:
        """The window with most speech."""
        return max(
            (r for r in self.records if r["type"] == "window"), key=lambda r: float(r["evidence"])
        )


@contextmanager
def listening(server: SoundServer, model: Path, *words: str) -> Iterator[Listener]:
    """Listen, from the first window on, and end in order; unsmoothed, as a verdict is."""
    command = [*LIVE_SER, "listen", "--model", str(model), "--smoothing", "0", *words]
    with subprocess.Popen(
        command, env=server.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8"
    ) as process:
        listener = Listener(process)
        try:
            listener.until(is_window)
            yield listener
        finally:
            process.terminate()
            process.communicate(timeout=60)


def is_window(record: Record) -> bool:
    return bool(record["type"] == "window")


def is_speech(record: Record) -> bool:
    return record.get("state") == "speech"


def is_silence(record: Record) -> bool:
    return record.get("state") == "silence"


def verdict(model: Path, clip: Path) -> Record:
    run = live_ser("file", "--format", "jsonl", "--model", model, clip)
    return records(run.stdout)[0]


def assert_heard(listener: Listener, model: Path, clip: Path) -> None:
    """Wait for the speech to be over, and compare with what the file alone gives."""
    listener.until(is_silence)
    heard, expected = listener.clearest(), verdict(model, clip)
    assert heard["label"] == expected["label"]
    assert heard["probabilities"] == pytest.approx(expected["probabilities"], abs=0.05)
    assert heard["activation"] == pytest.approx(expected["activation"], abs=0.05)


def test_a_clip_played_to_the_microphone_is_classified_as_its_file_is(
    room: SoundServer, tiny_model: Path, sentence: Path
) -> None:
    words = ["--format", "jsonl", "--duration", "8"]
    with listening(room, tiny_model, *words) as listener:
        room.play(sentence, "room")
        listener.until(is_speech)
        assert_heard(listener, tiny_model, sentence)
        end = listener.until(lambda record: record["type"] == "end")
    assert end["seconds"] == 8.0
    assert {r["type"] for r in listener.records} == {"session", "window", "end"}  # and no gap


@pytest.mark.parametrize("rate", [16000, 44100, 48000])
def test_a_device_is_found_by_a_part_of_its_name_whatever_its_rate(
    room: SoundServer, tiny_model: Path, sentence: Path, rate: int
) -> None:
    headset = room.plug_in("headset", rate)
    try:
        with listening(room, tiny_model, "-d", "HEADS") as listener:
            room.play(sentence, "headset")
            assert listener.records[0]["source"] == "headset"
            listener.until(is_speech)
            assert_heard(listener, tiny_model, sentence)
    finally:
        room.pull_out(headset)


def test_another_microphone_is_not_heard(
    room: SoundServer, tiny_model: Path, sentence: Path
) -> None:
    headset = room.plug_in("headset")
    try:
        with listening(room, tiny_model, "-d", "room") as listener:
            room.play(sentence, "headset")
            listener.until(is_window)
            assert {r["state"] for r in listener.records if is_window(r)} == {"silence"}
    finally:
        room.pull_out(headset)


def test_two_listen_to_one_microphone(room: SoundServer, tiny_model: Path, sentence: Path) -> None:
    with listening(room, tiny_model) as one, listening(room, tiny_model) as other:
        room.play(sentence, "room")
        for listener in (one, other):
            listener.until(is_speech)
            assert_heard(listener, tiny_model, sentence)


@pytest.mark.parametrize("channels", [["--channels", "2"], ["--channels", "2", "--channel", "2"]])
def test_channels_are_chosen(
    room: SoundServer, tiny_model: Path, sentence: Path, channels: list[str]
) -> None:
    with listening(room, tiny_model, *channels) as listener:
        room.play(sentence, "room")
        listener.until(is_speech)
        assert_heard(listener, tiny_model, sentence)


def stereo(clip: Path, path: Path, *gains: float) -> Path:
    """A clip of several channels, each as loud as its gain says; below 0 it is inverted."""
    samples, rate = soundfile.read(clip, dtype="float32")
    soundfile.write(
        path, samples[:, np.newaxis] * np.array(gains, np.float32), rate, subtype="FLOAT"
    )
    return path


def test_channels_out_of_phase_are_heard_and_told_of(
    room: SoundServer, tiny_model: Path, sentence: Path, tmp_path: Path
) -> None:
    inverted = stereo(sentence, tmp_path / "inverted.wav", 0.9, -1)
    with listening(room, tiny_model) as listener:
        room.play(inverted, "room")
        listener.until(is_speech)
        assert_heard(listener, tiny_model, sentence)
        listener.process.terminate()
        _, said = listener.process.communicate(timeout=60)
    assert "its channels cancel each other out" in said


def test_an_offset_of_the_sound_card_changes_nothing(
    room: SoundServer, tiny_model: Path, sentence: Path, tmp_path: Path
) -> None:
    samples, rate = soundfile.read(sentence, dtype="float32", always_2d=True)
    voice = np.pad(samples.mean(axis=1), rate)
    voice *= 10 ** (-25 / 20) / np.sqrt(np.mean(np.square(voice)))
    plain, offset = tmp_path / "plain.wav", tmp_path / "offset.wav"
    soundfile.write(plain, np.clip(voice, -0.8, 0.8), rate)
    soundfile.write(offset, np.clip(voice, -0.8, 0.8) + 0.1, rate)
    with listening(room, tiny_model) as listener:
        room.play(offset, "room")
        listener.until(is_speech)
        assert_heard(listener, tiny_model, plain)


def test_a_channel_is_heard_without_the_other(
    room: SoundServer, tiny_model: Path, sentence: Path, tmp_path: Path
) -> None:
    """The server does not mix them, whatever it is asked for."""
    second = stereo(sentence, tmp_path / "second.wav", 0, 1)
    with listening(room, tiny_model, "--channel", "1") as listener:
        room.play(second, "room")
        assert {r["state"] for r in listener.records if is_window(r)} == {"silence"}
    with listening(room, tiny_model, "--channel", "2") as listener:
        room.play(second, "room")
        listener.until(is_speech)
        assert_heard(listener, tiny_model, sentence)


def test_a_microphone_that_goes_away_is_waited_for(
    room: SoundServer, tiny_model: Path, sentence: Path
) -> None:
    headset = room.plug_in("headset")
    for microphone in room.microphones():
        if microphone != headset:
            room.pull_out(microphone)  # the server would go on with another one
    with listening(room, tiny_model, "-d", "headset") as listener:
        room.pull_out(headset)
        headset = room.plug_in("headset")
        try:
            gap = listener.until(lambda record: record["type"] == "gap")
            assert gap["end"] - gap["start"] > 2
            listener.until(is_window)
            room.play(sentence, "headset")
            listener.until(is_speech)
            assert_heard(listener, tiny_model, sentence)
        finally:
            room.pull_out(headset)
    assert all(
        r["end"] <= gap["start"] or r["start"] >= gap["end"] - 0.001
        for r in listener.records
        if is_window(r)
    )


def test_without_reconnection_a_microphone_that_goes_away_is_the_end(
    room: SoundServer, tiny_model: Path
) -> None:
    with listening(room, tiny_model, "--no-reconnect") as listener:
        for microphone in room.microphones():
            room.pull_out(microphone)
        listener.until(lambda record: record["type"] == "end")
        assert listener.process.wait(timeout=60) == 1
        assert listener.process.stderr is not None
        *_, why, what = listener.process.stderr.read().splitlines()
    assert "stopped delivering sound" in why
    assert "--no-reconnect" in what


_LINES = r"""
import json, os, sys, threading
from live_ser.audio.blocks import Gap
from live_ser.audio.sources import microphone

def tell(*words):
    os.write(1, json.dumps(words).encode() + b"\n")  # whole, whoever else writes

def listen(name):
    with microphone(name, 16000) as mic:
        heard = 0
        for block in mic:
            if isinstance(block, Gap):
                tell(name, block.reason)
            else:
                heard += len(block)
                if heard >= 16000 > heard - len(block):
                    tell(name, "heard")
            if over.is_set():
                break

over = threading.Event()
lines = [threading.Thread(target=listen, args=(name,)) for name in sys.argv[1:]]
for line in lines:
    line.start()
sys.stdin.read()
over.set()
for line in lines:
    line.join()
"""


@pytest.mark.parametrize("lines", [2, 8])
def test_a_line_that_stalls_is_opened_again_and_the_others_hear_on(
    room: SoundServer, lines: int
) -> None:
    headset = room.plug_in("headset")
    names = ["headset", *["room"] * (lines - 1)]
    words = [sys.executable, "-c", _LINES, *names]
    with subprocess.Popen(
        words, env=room.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
    ) as process:
        assert process.stdout is not None
        try:
            assert [json.loads(process.stdout.readline())[1] for _ in names] == ["heard"] * lines
            room.suspend("headset", seconds=2.6)
            assert json.loads(process.stdout.readline()) == ["headset", "microphone gone"]
            rest, _ = process.communicate("", timeout=60)
            assert rest == ""  # nobody else noticed anything
        finally:
            process.kill()
            room.pull_out(headset)


def test_a_process_that_was_stopped_has_lost_nothing(room: SoundServer, tiny_model: Path) -> None:
    with listening(room, tiny_model, "--format", "jsonl", "--duration", "6") as listener:
        listener.process.send_signal(signal.SIGSTOP)
        time.sleep(2.5)
        listener.process.send_signal(signal.SIGCONT)
        end = listener.until(lambda record: record["type"] == "end")
    assert end["seconds"] == 6.0
    assert end["overflows"] == 0
    assert "gap" not in {record["type"] for record in listener.records}


@pytest.mark.parametrize("seconds", [0.3, 1.2])
def test_what_a_suspended_microphone_did_not_hear_is_a_gap(
    room: SoundServer, tiny_model: Path, seconds: float
) -> None:
    with listening(room, tiny_model) as listener:
        listener.until(is_window)
        room.suspend("room", seconds)
        gap = listener.until(lambda record: record["type"] == "gap")
    assert gap["reason"] == "nothing came"
    assert gap["end"] - gap["start"] == pytest.approx(seconds, abs=0.15)  # pactl takes its time


def test_devices_are_listed_with_their_rates(room: SoundServer) -> None:
    run = live_ser_process("devices", "-d", "room", env=room.env)
    assert run.returncode == 0
    (chosen,) = (line for line in run.stdout.splitlines() if line.startswith("*"))
    assert "room" in chosen
    assert "16000" in chosen
    assert "48000" in chosen
    assert run.stderr == ""


@pytest.mark.parametrize(
    ("device", "said"), [("nothing-like-it", "no input device"), ("e", "is a part of 2")]
)
def test_a_device_that_is_unknown_or_ambiguous_lists_the_candidates(
    room: SoundServer, tiny_model: Path, device: str, said: str
) -> None:
    run = live_ser_process("listen", "-d", device, "--model", tiny_model, env=room.env)
    assert run.returncode == 1
    why, what = run.stderr.splitlines()
    assert said in why
    assert "headset" in what
