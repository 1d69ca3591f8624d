"""``--record`` keeps the sound as it was classified, and keeps it whatever happens."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import soundfile

from live_ser.audio.blocks import Samples
from live_ser.audio.sources import Gap, audio_file
from live_ser.live.recorder import Recording
from tests.support.command import LIVE_SER, live_ser, records

RATE = 16000
KINDS = pytest.mark.parametrize("kind", ["wav", "flac"])


def heard(path: Path) -> Samples:
    with audio_file(path, RATE) as blocks:
        return np.concatenate(list(blocks))


@KINDS
def test_a_recording_is_the_sound_that_was_classified(
    tiny_model: Path, speech: Path, tmp_path: Path, kind: str
) -> None:
    path = tmp_path / f"kept.{kind}"
    words = ["listen", "--model", tiny_model, "--speed", "0"]
    first = live_ser(*words, "--from", speech, "--record", path)
    assert first.returncode == 0
    np.testing.assert_allclose(heard(path), heard(speech), atol=1e-4)
    again = live_ser(*words, "--from", path)
    assert [r.get("label") for r in records(again.stdout)] == [
        r.get("label") for r in records(first.stdout)
    ]


@KINDS
def test_a_gap_is_silence_so_that_times_stay_true(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"gap.{kind}"
    tone = np.full(RATE, 0.25, np.float32)
    with Recording(path, RATE) as recording:
        recording.block(tone)
        recording.gap(1.0, Gap(2.5, "microphone gone"))
        recording.block(tone)
        assert recording.intact
    sound = heard(path)
    assert len(sound) == 4.5 * RATE
    assert not sound[RATE : int(3.5 * RATE)].any()
    np.testing.assert_allclose(sound[int(3.5 * RATE) :], tone, atol=1e-4)


@KINDS
def test_at_every_moment_all_but_the_last_second_can_be_read(tmp_path: Path, kind: str) -> None:
    path, copy = tmp_path / f"growing.{kind}", tmp_path / f"copy.{kind}"
    sound = np.random.default_rng(0).normal(0, 0.1, 6 * RATE).astype(np.float32)
    with Recording(path, RATE) as recording:
        for start in range(0, len(sound), 800):
            recording.block(sound[start : start + 800])
            if start > 1.5 * RATE:
                copy.write_bytes(path.read_bytes())
                readable = heard(copy)
                assert start + 800 - len(readable) < RATE
                np.testing.assert_allclose(readable, sound[: len(readable)], atol=1e-4)


@KINDS
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_killed_session_leaves_its_sound_and_its_records(
    tiny_model: Path, speech: Path, tmp_path: Path, kind: str
) -> None:
    sound, out = tmp_path / f"kept.{kind}", tmp_path / "kept.jsonl"
    words = ["listen", "--model", tiny_model, "--from", speech, "--record", sound, "-o", out]
    with subprocess.Popen(
        [*LIVE_SER, *map(str, words)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        while not out.exists() or out.read_text().count("\n") < 7:
            assert process.poll() is None
        process.send_signal(signal.SIGKILL)
    last = records(out.read_text())[-1]
    kept = heard(sound)
    assert len(kept) / RATE > last["end"] - 1
    np.testing.assert_allclose(kept, heard(speech)[: len(kept)], atol=1e-4)


def test_an_existing_recording_is_kept_without_force(
    tiny_model: Path, speech: Path, tmp_path: Path
) -> None:
    path = tmp_path / "kept.flac"
    path.write_bytes(b"precious")
    words = ["listen", "--model", tiny_model, "--from", speech, "--speed", "0", "--record", path]
    run = live_ser(*words)
    assert run.returncode == 1
    assert "is there already" in run.stderr
    assert path.read_bytes() == b"precious"
    assert live_ser(*words, "--force").returncode == 0
    assert soundfile.info(path).duration == pytest.approx(soundfile.info(speech).duration, abs=1e-3)


def test_a_recording_of_another_kind_is_wrong_usage(
    tiny_model: Path, speech: Path, tmp_path: Path
) -> None:
    path = tmp_path / "kept.mp3"
    run = live_ser("listen", "--model", tiny_model, "--from", speech, "--record", path)
    assert run.returncode == 2
    assert "neither .flac nor .wav" in run.stderr


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
@pytest.mark.parametrize("force", [[], ["--force"]])
def test_a_recording_is_not_written_into_a_pipe(
    tiny_model: Path, speech: Path, tmp_path: Path, force: list[str]
) -> None:
    """Nobody has to read it: the command doesn't wait for that."""
    path = tmp_path / "kept.wav"
    os.mkfifo(path)
    run = live_ser("listen", "--model", tiny_model, "--from", speech, "--record", path, *force)
    assert run.returncode == 2
    why, what = run.stderr.splitlines()
    assert "kept.wav is no file that a recording can be written into" in why
    assert what == "  try: name a file"


@KINDS
def test_a_full_disk_is_said_once_and_listening_goes_on(
    tiny_model: Path, speech: Path, tmp_path: Path, kind: str
) -> None:
    resource = pytest.importorskip("resource")
    path = tmp_path / f"kept.{kind}"
    words = ["listen", "--model", tiny_model, "--from", speech, "--speed", "0", "--record", path]
    run = subprocess.run(
        [*LIVE_SER, *map(str, words)],
        capture_output=True,
        encoding="utf-8",
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000)),
    )
    assert run.returncode == 1  # what was asked for could not be kept
    assert run.stderr.count("the recording") == 1
    assert "is given up" in run.stderr
    assert "Traceback" not in run.stderr
    assert records(run.stdout)[-1]["type"] == "end"
    assert len(heard(path)) / RATE > 0.25


@pytest.mark.parametrize("room", [30_000, 33_554, 45_993, 50_001])
@pytest.mark.parametrize("kind", ["flac", "wav"])
def test_what_fits_on_a_full_disk_is_read_as_any_recording(
    tiny_model: Path, tmp_path: Path, kind: str, room: int
) -> None:
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    noise = np.random.default_rng(1).uniform(-0.5, 0.5, (24, 8000)).astype(np.float32)
    path = tmp_path / f"kept.{kind}"
    recording = Recording(path, 16000)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, before[1]))
    try:
        with suppress(OSError):
            for block in noise:
                recording.block(block)
                recording.sync()
        assert not recording.intact
        recording.close()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    done = live_ser("file", "--model", tiny_model, "--format", "jsonl", path)
    assert (done.returncode, done.stderr) == (0, "")
    (clip,) = records(done.stdout)
    assert clip["duration"] > 0.9 * room / 32000 - 0.25


def test_records_that_cannot_be_written_do_not_end_a_recording(
    tiny_model: Path, speech: Path, tmp_path: Path
) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no device that is always full")
    path = tmp_path / "kept.wav"
    words = ["listen", "--model", tiny_model, "--from", speech, "--speed", "0", "--record", path]
    run = live_ser(*words, "-o", full, "--force")
    assert run.returncode == 1
    assert run.stderr.count("the record full is given up") == 1
    assert run.stderr.count("No space left") == 1
    assert soundfile.info(path).duration == pytest.approx(soundfile.info(speech).duration, abs=1e-3)
