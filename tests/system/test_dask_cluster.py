"""A cluster classifies every file once, as this machine does, whatever becomes of workers."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import soxr

from live_ser.model.onnx_model import EmotionModel
from live_ser.model.profile import Profile
from live_ser.model.take import Take
from live_ser.records.reader import read_records
from tests.support.command import LIVE_SER, live_ser, live_ser_process, records
from tests.support.tiny_model import tiny_baseline, tiny_info, write_model

pytest.importorskip("distributed")
pytest.importorskip("pyarrow")

FILES = 24
DASK = [sys.executable, "-m", "dask"]


@pytest.fixture(scope="module")
def calls(speech: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of clips, no two alike, and of a broken one."""
    folder = tmp_path_factory.mktemp("calls")
    sound, rate = soundfile.read(speech, dtype="float32")
    sound = soxr.resample(sound, rate, 16000)
    for i in range(FILES):
        soundfile.write(folder / f"call {i:02}.wav", sound[i * 500 : 100_000 + i * 500], 16000)
    (folder / "call 20x.wav").write_text("no sound")
    return folder


class LocalCluster:
    """A scheduler and its workers: processes of their own, as on many machines."""

    def __init__(self, folder: Path, workers: int = 2) -> None:
        self._log = (folder / "log.txt").open("w")
        self._file = folder / "scheduler.json"
        self.home = folder / "home"
        self.home.mkdir()
        here = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard"]
        self.scheduler = self._start("scheduler", *here)
        while not (self._file.exists() and self._file.stat().st_size):  # made, then written
            assert self.scheduler.poll() is None
            time.sleep(0.1)
        self.address = json.loads(self._file.read_text())["address"]
        one = ["--nthreads", "1", "--no-nanny", "--no-dashboard", "--host", "127.0.0.1"]
        self.workers = [self._start("worker", *one) for _ in range(workers)]

    def _start(self, *words: str) -> subprocess.Popen[bytes]:
        command = [*DASK, *words, "--scheduler-file", str(self._file)]
        env = {**os.environ, "HOME": str(self.home)}
        return subprocess.Popen(command, env=env, stdout=self._log, stderr=subprocess.STDOUT)

    def close(self) -> None:
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()
        self._log.close()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCluster]:
    started = LocalCluster(tmp_path_factory.mktemp("dask"))
    yield started
    started.close()


@pytest.fixture
def mortal_cluster(tmp_path: Path) -> Iterator[LocalCluster]:
    """A cluster of which a test kills processes."""
    (tmp_path / "dask").mkdir()
    started = LocalCluster(tmp_path / "dask")
    yield started
    started.close()


def classified(found: Iterator[dict[str, Any]] | list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Records, without what may differ from run to run."""
    kept = ("type", "source", "start", "end", "label", "confidence", "probabilities", "evidence")
    return [{name: record[name] for name in kept if name in record} for record in found]


def parts(folder: Path) -> list[dict[str, Any]]:
    return [record for path in sorted(folder.iterdir()) for record in read_records(path)]


def clips(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return classified([record for record in found if record["type"] == "clip"])


def test_a_worker_that_is_killed_half_way_costs_nothing(
    tiny_model: Path, calls: Path, mortal_cluster: LocalCluster, tmp_path: Path
) -> None:
    words = ["file", str(calls), "--timeline", "--segments", "--model", str(tiny_model)]
    out = tmp_path / "verdicts"
    command = [*LIVE_SER, *words, "--scheduler", mortal_cluster.address, "-o", out.as_uri()]
    with subprocess.Popen(command, stderr=subprocess.PIPE, encoding="utf-8") as process:
        while len(list(out.glob("part-*"))) < 4:
            assert process.poll() is None, process.communicate()
            time.sleep(0.01)
        mortal_cluster.workers[0].kill()
        there = len(list(out.glob("part-*")))
        _, said = process.communicate(timeout=300)
    assert there < len(list(out.iterdir())) == len(list(out.glob("part-*")))
    (line,) = said.splitlines()
    assert process.returncode == 1
    assert "call 20x.wav" in line
    local = live_ser_process(*words, "--format", "jsonl", "--workers", "1", timeout=300)
    here = records(local.stdout)
    assert local.stderr.splitlines() == [line]
    assert len(clips(here)) == FILES
    assert clips(parts(out)) == clips(here)  # every file once, in order, and with these figures
    assert list(mortal_cluster.home.iterdir()) == []  # the workers kept and reported nothing
    # Windows and segments are those of the local run too.
    for source in {record["source"] for record in here}:
        mine = [r for r in parts_of(out) if r["file"] == source]
        assert len(mine) == sum(r["source"] == source for r in here)


def parts_of(folder: Path) -> list[dict[str, Any]]:
    import pyarrow.parquet

    rows: list[dict[str, Any]] = pyarrow.parquet.read_table(folder).to_pylist()
    return rows


def test_an_output_is_gone_on_with_and_never_added_to_unasked(
    tiny_model: Path, calls: Path, cluster: LocalCluster, tmp_path: Path
) -> None:
    out = tmp_path / "verdicts"
    words = ["--model", tiny_model, "--scheduler", cluster.address, "-o", out]
    some = sorted(calls.glob("call 0*.wav"))
    assert live_ser("file", *some, *words).returncode == 0
    again = live_ser("file", calls, *words)
    assert again.returncode == 1
    assert "--resume" in again.stderr
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    more = live_ser("file", calls, *words, "--resume")
    assert f"{len(some)} of {FILES + 1} files are already done" in more.stderr
    assert {name: (out / name).read_bytes() for name in before} == before
    sources = [clip["source"] for clip in clips(parts(out))]
    assert sorted(sources) == sorted(map(str, set(calls.glob("*.wav")) - {calls / "call 20x.wav"}))
    assert [path for path in out.iterdir() if path.name.startswith(".")] == []
    # A command that was killed may leave parts without those before them.
    gone, *_ = sorted(path for path in out.iterdir() if path.name not in before)
    gone.unlink()
    assert live_ser("file", calls, *words, "--resume").returncode == 1  # for the broken one
    assert sorted(clip["source"] for clip in clips(parts(out))) == sorted(sources)


def test_a_cluster_classifies_by_what_the_speaker_taught(
    calls: Path, cluster: LocalCluster, tmp_path: Path
) -> None:
    model = write_model(tmp_path / "tiny.onnx", tiny_info(baseline=tiny_baseline()), embedding=True)
    network, rng = EmotionModel(model), np.random.default_rng(0)
    takes = [
        Take(label, 2.0, np.log(np.full(4, 0.25)), rng.normal(0, 1, 16), rng.normal(place, 0.1, 16))
        for place, label in enumerate(network.info.labels)
        for _ in range(3)
    ]
    Profile.named("anna", network).teach(takes)
    words = [*sorted(calls.glob("call 0*.wav")), "--model", model]
    plain, taught = (
        clips(records(live_ser("file", *words, "--format", "jsonl", *more).stdout))
        for more in ([], ["--profile", "anna"])
    )
    assert plain != taught
    words += ["--profile", "anna", "--scheduler", cluster.address, "-o", tmp_path / "out"]
    assert live_ser("file", *words).returncode == 0
    assert sorted(clips(parts(tmp_path / "out")), key=str) == sorted(taught, key=str)
    Profile.named("bert", network).teach(takes)
    other = live_ser("file", *words, "--profile", "bert", "--resume")
    assert "was begun with other options" in other.stderr


def test_intervals_that_only_this_machine_has_are_classified_on_a_cluster(
    tiny_model: Path, calls: Path, cluster: LocalCluster, tmp_path: Path
) -> None:
    labels, out = tmp_path / "labels", tmp_path / "verdicts"
    labels.mkdir()
    names = [f"call {i:02}" for i in range(3)]
    for i, name in enumerate(names):
        (labels / f"{name}.csv").write_text(f"start,end,speaker\n0.{i},3.{i},anna\n3.5,6,ben\n")
    chosen = [*(calls / f"{name}.wav" for name in names), calls / "call 09.wav"]
    words = ["file", *chosen, "--at", labels, "--model", tiny_model]
    local = live_ser(*words, "--format", "jsonl", "--workers", "1")
    shared = live_ser(*words, "--scheduler", cluster.address, "-o", out)
    assert (local.returncode, shared.returncode) == (1, 1)
    assert local.stderr.splitlines() == shared.stderr.splitlines()
    assert "has no intervals of" in shared.stderr  # of call 09
    here, there = classified(records(local.stdout)), classified(parts(out))
    assert len(here) == 3 * 4
    assert sorted(there, key=str) == sorted(here, key=str)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems refuse such names")
def test_names_that_are_no_text_are_classified_once_and_other_options_are_refused(
    tiny_model: Path, calls: Path, cluster: LocalCluster, tmp_path: Path
) -> None:
    folder, out = tmp_path / "strange", tmp_path / "verdicts"
    folder.mkdir()
    names = ["a\udcff.wav", "a\udcfe.wav", "a?.wav", "a\x07.wav"]
    for name in names:
        shutil.copy(calls / "call 00.wav", folder / name)
    words = ["--model", tiny_model, "--scheduler", cluster.address, "-o", out]
    assert live_ser("file", folder / names[0], folder / names[3], *words).returncode == 0
    (tmp_path / "link").symlink_to(folder)
    more = live_ser("file", tmp_path / "link", *words, "--resume")
    assert "2 of 4 files are already done" in more.stderr
    assert "4 of 4 files" in live_ser("file", folder, *words, "--resume").stderr
    found = sorted(Path(clip["source"]).name for clip in clips(parts(out)))
    assert found == sorted(names)
    other = live_ser("file", folder, *words, "--resume", "--segments")
    assert other.returncode == 1
    assert "was begun with other options" in other.stderr


def test_a_scheduler_that_dies_and_an_output_that_is_another_are_two_lines(
    tiny_model: Path, calls: Path, mortal_cluster: LocalCluster, tmp_path: Path
) -> None:
    words = [
        "file",
        *[calls] * 20,
        "--model",
        tiny_model,
        "--scheduler",
        mortal_cluster.address,
        "-o",
    ]
    (tmp_path / "torn").mkdir()
    (tmp_path / "torn" / "part-0000000.parquet").write_text("torn")
    why, what = live_ser(*words, tmp_path / "torn", "--resume").stderr.splitlines()
    assert "part-0000000.parquet is no whole part" in why
    assert "another folder" in what
    out = tmp_path / "verdicts"
    command = [*LIVE_SER, *map(str, words), str(out)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, encoding="utf-8") as process:
        while not list(out.glob("part-*")):
            assert process.poll() is None, process.communicate()
            time.sleep(0.01)
        mortal_cluster.scheduler.kill()
        _, said = process.communicate(timeout=120)
    assert process.returncode == 1
    why, what = [line for line in said.splitlines() if "call 20x.wav" not in line]
    assert "the scheduler is gone" in why
    assert "--resume" in what


def test_what_a_cluster_cannot_do_is_one_line_and_what_to_try(
    tiny_model: Path, calls: Path, tmp_path: Path
) -> None:
    words = ["file", calls, "--model", tiny_model, "--scheduler", "tcp://127.0.0.1:9"]
    for more, said in (
        ([], "-o FOLDER"),
        (["-o", tmp_path / "out", "--format", "csv"], "-o FOLDER"),
        (["-o", tmp_path / "out", "--workers", "2"], "--workers"),
        (["-o", tmp_path / "out", "--hop", "99"], "hop"),
        (["-o", "nowhere://out"], "nowhere"),
    ):
        run = live_ser(*words, *more)
        assert run.returncode in (1, 2)
        assert said in run.stderr
        assert len(run.stderr.splitlines()) <= 2
        assert "Traceback" not in run.stderr
    shutil.rmtree(tmp_path / "out", ignore_errors=True)


def test_a_cluster_classifies_each_channel_by_itself(
    tiny_model: Path, speech: Path, cluster: LocalCluster, tmp_path: Path
) -> None:
    sound, rate = soundfile.read(speech, dtype="float32")
    call = tmp_path / "call.wav"
    soundfile.write(call, np.stack([sound, np.roll(sound, rate)], axis=1), rate)
    words = ["file", call, "--model", tiny_model, "--each-channel", "--names", "agent,caller"]
    out = tmp_path / "verdicts"
    run = live_ser(*words, "--scheduler", cluster.address, "-o", out)
    assert run.returncode == 0, run.stderr
    here = records(live_ser(*words, "--format", "jsonl").stdout)
    assert [(one["channel"], one["speaker"], one["part"], one["parts"]) for one in here] == [
        (1, "agent", 1, 2),
        (2, "caller", 2, 2),
    ]
    assert clips(parts(out)) == clips(here)
    again = live_ser(*words, "--scheduler", cluster.address, "-o", out, "--resume")
    assert "1 of 1 files are already done" in again.stderr
