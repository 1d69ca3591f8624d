"""Many files: each is classified once, whatever happens to the others or to the workers."""

from __future__ import annotations

import io
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import soundfile
import soxr
from rich.console import Console

from live_ser.batch.jobs import Job, classify_files
from live_ser.batch.paths import expand_paths
from live_ser.batch.progress import FileProgress
from live_ser.batch.spool import Spool
from live_ser.batch.workers import Workers
from live_ser.errors import LiveSerError
from live_ser.model.onnx_model import load
from live_ser.records.reader import read_records
from tests.support.command import LIVE_SER, live_ser, records
from tests.support.tiny_model import tiny_info, write_model


@pytest.fixture(scope="module")
def calls(speech: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of a dozen clips, no two alike, in folders."""
    folder = tmp_path_factory.mktemp("calls")
    sound, rate = soundfile.read(speech, dtype="float32")
    sound = soxr.resample(sound, rate, 16000)
    for i in range(12):
        place = folder / f"{i % 3}"
        place.mkdir(exist_ok=True)
        soundfile.write(place / f"call {i:02}.wav", sound[i * 2000 : 60000 + i * 3000], 16000)
    (folder / "notes.txt").write_text("no sound")
    return folder


def without_latency(text: str) -> list[dict[str, object]]:
    return [{k: v for k, v in r.items() if k != "latency_ms"} for r in records(text)]


def test_a_folder_a_pattern_and_a_list_mean_the_same_files(tiny_model: Path, calls: Path) -> None:
    words = ["file", "--format", "jsonl", "--model", str(tiny_model)]
    of_folder = live_ser(*words, calls)
    assert of_folder.returncode == 0
    assert of_folder.stderr == "left alone 1 file of other kinds (1 .txt)\n"
    names = [record["source"] for record in records(of_folder.stdout)]
    assert len(names) == len(set(names)) == 12
    assert live_ser(*words, calls / "**" / "*.wav").stdout == of_folder.stdout
    for end in ("\n", "\0"):
        run = subprocess.run(
            [*LIVE_SER, *words, "-"],
            input=end.join(names) + end,
            capture_output=True,
            encoding="utf-8",
            check=True,
        )
        assert run.stdout == of_folder.stdout


def test_a_name_with_brackets_that_is_there_is_no_pattern(
    tiny_model: Path, calls: Path, tmp_path: Path
) -> None:
    path = tmp_path / "call [1].wav"
    path.write_bytes((calls / "0" / "call 00.wav").read_bytes())
    (clip,) = records(live_ser("file", "--format", "jsonl", "--model", tiny_model, path).stdout)
    assert clip["source"] == str(path)


def test_a_folder_without_sound_and_a_pattern_that_nothing_fits_are_told(
    tiny_model: Path, calls: Path, tmp_path: Path
) -> None:
    words = [tmp_path, tmp_path / "*.wav", calls / "0" / "call 00.wav"]
    run = live_ser("file", "--format", "jsonl", "--model", tiny_model, *words)
    assert run.returncode == 1
    folder, pattern = run.stderr.splitlines()
    assert "no sound files" in folder
    assert "no file that fits" in pattern
    assert len(records(run.stdout)) == 1


def test_workers_say_what_one_process_says_in_the_same_order(
    tiny_model: Path, calls: Path, tmp_path: Path
) -> None:
    (tmp_path / "broken.wav").write_text("hello")
    words = ["--model", tiny_model, "--format", "jsonl", "--timeline", "--segments"]
    words += [tmp_path / "broken.wav", calls, tmp_path / "missing.wav"]
    alone = live_ser("file", *words, "--workers", "1")
    together = live_ser("file", *words, "--workers", "3")
    assert alone.returncode == together.returncode == 1
    assert without_latency(together.stdout) == without_latency(alone.stdout)
    assert together.stderr == alone.stderr
    assert len(alone.stderr.splitlines()) == 3  # the last is of what is no sound in the folder
    kinds = [record["type"] for record in records(alone.stdout)]
    assert kinds.count("clip") == 12
    assert set(kinds) == {"window", "segment", "clip"}


def test_segments_are_in_the_table(tiny_model: Path, speech: Path) -> None:
    plain = live_ser("file", "--model", tiny_model, speech)
    run = live_ser("file", "--model", tiny_model, speech, "--segments")
    assert run.returncode == 0
    assert run.stdout != plain.stdout
    assert len(re.findall(r"\d\.\d-\d\.\d s", run.stdout)) == 2


def workers(pid: int | None = None) -> list[psutil.Process]:
    """Those that a process has at work: this one if None."""
    children = psutil.Process(pid).children()
    return [child for child in children if "spawn_main" in " ".join(child.cmdline())]


def test_a_worker_that_is_killed_costs_a_retry(
    tiny_model: Path, calls: Path, tmp_path: Path
) -> None:
    job = Job(load(tiny_model), tmp_path)
    paths = sorted(str(path) for path in calls.rglob("*.wav")) * 8
    expected = [outcome.source for outcome in classify_files(job, paths, workers=1)]
    found, killed = [], 0
    for outcome in classify_files(job, paths, workers=2):
        assert outcome.error is None
        assert [record["source"] for record in outcome.records] == [outcome.source]
        found.append(outcome.source)
        if len(found) in (5, 40):
            workers()[0].kill()
            killed += 1
    assert killed == 2
    assert found == expected
    assert not workers()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows stops no processes")
def test_the_file_of_a_worker_that_is_stopped_is_given_to_another(
    tiny_model: Path, calls: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("live_ser.batch.workers._PATIENCE", 3.0)
    job = Job(load(tiny_model), tmp_path)
    paths = sorted(str(path) for path in calls.rglob("*.wav")) * 8
    found = []
    for outcome in classify_files(job, paths, workers=2):
        assert outcome.error is None
        found.append(outcome.source)
        if len(found) == 5:
            for worker in workers():
                worker.suspend()
    assert found == paths
    assert not workers()


def doubled(number: int, tell: object) -> int:
    """What a worker does: numbers, of which 13 is deadly, and 7 is the first time."""
    mark = Path(os.environ["LIVE_SER_TEST_MARK"])
    if number == 13 or (number == 7 and not mark.exists()):
        mark.touch()
        os._exit(9)
    return 2 * number


def test_who_dies_of_an_item_gets_another_and_then_it_is_lost_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LIVE_SER_TEST_MARK", str(tmp_path / "mark"))
    workers: Workers[int, int] = Workers(doubled, lambda number: -number, 2)
    found = list(workers.results(range(30)))
    assert found == [-13 if number == 13 else 2 * number for number in range(30)]


def stillborn(number: int, tell: object) -> int:
    raise AssertionError


def test_workers_that_cannot_begin_are_one_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("live_ser.batch.workers._work", os._exit)
    with pytest.raises(LiveSerError) as caught:
        list(Workers(stillborn, lambda number: 0, 2).results(range(5)))
    assert "`workers=1`" in caught.value.hint


@pytest.mark.parametrize("style", ["jsonl", "csv", "tsv"])
def test_an_output_that_was_broken_off_is_gone_on_with(
    tiny_model: Path, calls: Path, tmp_path: Path, style: str
) -> None:
    words = ["file", calls, "--timeline", "--model", tiny_model, *["--bom"] * (style == "tsv")]
    whole, broken = tmp_path / f"whole.{style}", tmp_path / f"broken.{style}"
    assert live_ser(*words, "-o", whole).returncode == 0
    data = whole.read_bytes()
    for cut in (5, len(data) // 2, len(data) - 1):
        broken.write_bytes(data[:cut])
        run = live_ser(*words, "-o", broken, "--resume", "-q")
        assert (run.returncode, run.stderr) == (0, "")
        assert classified(broken) == classified(whole)
    (tmp_path / "new").mkdir()
    new = tmp_path / "new" / f"new.{style}"
    assert live_ser(*words, "-o", new, "--resume").returncode == 0
    assert classified(new) == classified(whole)


@pytest.mark.parametrize("style", ["jsonl", "csv"])
def test_resume_knows_a_file_however_its_path_is_typed(
    tiny_model: Path, calls: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, style: str
) -> None:
    here, elsewhere = tmp_path / "here", tmp_path / "elsewhere"
    here.mkdir()
    elsewhere.mkdir()
    call = sorted(calls.rglob("*.wav"))[0]
    shutil.copy(call, here / "call.wav")
    shutil.copy(call, elsewhere / "call.wav")  # of the same name, and another
    (elsewhere / "link.wav").symlink_to(here / "call.wav")
    out = tmp_path / f"out.{style}"
    words = ["file", "--timeline", "--model", tiny_model, "-o", out]
    monkeypatch.chdir(here)
    assert live_ser(*words, "call.wav").returncode == 0
    held = out.read_bytes()
    monkeypatch.chdir(elsewhere)
    for name in (here / "call.wav", "../here/./call.wav", "link.wav"):
        run = live_ser(*words, name, "--resume")
        assert (run.returncode, out.read_bytes()) == (0, held)
        assert "1 of 1 files are already done" in run.stderr
    out.write_bytes(held[:-5])  # torn off: its windows are known, too
    assert live_ser(*words, "link.wav", "--resume").returncode == 0
    assert len(out.read_bytes().splitlines()) == len(held.splitlines())
    assert "0 of 1 files" in live_ser(*words, "call.wav", "--resume").stderr
    assert sum(record["type"] == "clip" for record in read_records(out)) == 2


@pytest.mark.parametrize("style", ["jsonl", "csv"])
def test_resume_goes_on_with_no_other_options_than_the_output_was_begun_with(
    tiny_model: Path, calls: Path, tmp_path: Path, style: str
) -> None:
    other = write_model(tmp_path / "tiny.onnx", tiny_info(abstain=0.5))  # of the same name
    first, *_ = sorted(calls.rglob("*.wav"))
    out = tmp_path / f"out.{style}"
    begun = ["--model", tiny_model, "--timeline", "--hop", "1"]
    assert live_ser("file", first, *begun, "-o", out).returncode == 0
    held = out.read_bytes()
    for changed in (
        begun[:3],
        [*begun, "--segments"],
        [*begun[:4], "0.5"],
        [*begun, "--smoothing", "0"],
        ["--model", other, *begun[2:]],
        begun[:2] + begun[3:],
    ):
        run = live_ser("file", calls, *changed, "-o", out, "--resume")
        assert run.returncode == 1
        why, _ = run.stderr.splitlines()
        assert "was begun with other options" in why
        assert "hop 1" in why
        assert out.read_bytes() == held
    run = live_ser("file", calls, *begun, "--smoothing", "1", "-o", out, "--resume")  # as usual
    assert run.returncode == 0


# Alike on a terminal, where what acts on it shows as one sign; and no text in UTF-8.
STRANGE = ["a\x01.wav", "a\x02.wav", "a\ufffd.wav", "a\\u0001.wav", "a\udcff.wav", "a\n.wav"]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems refuse such names")
@pytest.mark.parametrize("style", ["jsonl", "csv", "parquet"])
def test_names_that_look_alike_are_told_apart(
    tiny_model: Path, calls: Path, tmp_path: Path, style: str
) -> None:
    if style == "parquet":
        pytest.importorskip("pyarrow")
    call = sorted(calls.rglob("*.wav"))[0]
    folder = tmp_path / "strange"
    folder.mkdir()
    for name in STRANGE:
        shutil.copy(call, folder / name)
    out = tmp_path / f"out.{style}"
    words = ["file", "--model", tiny_model, "-o", out]
    if style != "parquet":
        assert live_ser(*words, *(folder / name for name in STRANGE[:3])).returncode == 0
        run = live_ser(*words, folder, "--resume")
        assert "3 of 6 files are already done" in run.stderr
    else:
        assert live_ser(*words, folder).returncode == 0
    sources = [record["source"] for record in read_records(out)]
    assert sorted(sources) == sorted(str(folder / name) for name in STRANGE)


def test_a_name_that_is_too_long_for_a_folder_costs_its_file_alone(
    tiny_model: Path, calls: Path, tmp_path: Path
) -> None:
    call = sorted(calls.rglob("*.wav"))[0]
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    names = ["a", 251 * "b", "c"]
    for name in names:
        shutil.copy(call, folder / f"{name}.wav")
    for style in ("jsonl", "textgrid", "vtt"):
        words = ["--model", tiny_model, "--format", style]
        run = live_ser("file", folder, *words, "-o", f"{out / style}/")
        held = {path.stem for path in (out / style).iterdir()}
        if style == "vtt":  # an ending of four characters fits
            assert (run.returncode, held) == (0, set(names))
            continue
        assert run.returncode == 1
        line, wrote = run.stderr.splitlines()
        assert "bbb" in line
        assert wrote.endswith("2 recordings, 1 failed")
        assert held == {"a", "c"}


def classified(path: Path) -> list[tuple[object, ...]]:
    return [
        (r["type"], r.get("source"), r.get("start"), r.get("end"), r["label"], r["confidence"])
        for r in read_records(path)
    ]


def test_what_is_classified_already_is_not_classified_again(
    tiny_model: Path, calls: Path, tmp_path: Path
) -> None:
    first = sorted(calls.rglob("*.wav"))[0]
    out = tmp_path / "out.jsonl"
    assert live_ser("file", first, "--model", tiny_model, "-o", out).returncode == 0
    line = out.read_text().replace('"duration": 3', '"duration": 9')
    out.write_text(line)
    run = live_ser("file", calls, "--model", tiny_model, "-o", out, "--resume")
    assert run.returncode == 0
    assert "1 of 12 files are already done" in run.stderr
    assert out.read_text().startswith(line)
    assert len(out.read_text().splitlines()) == 12


@pytest.mark.parametrize(
    ("name", "held", "said"),
    [
        ("out.jsonl", "my notes", "line 1"),
        ("out.jsonl", '{"type": "clip", "of": "another program"}\n', "line 1"),
        ("out.csv", "file,start,end\n1,2,3\n", "line 1"),
        ("out.parquet", "PAR1", "--format"),
        ("out.txt", "", "--format"),
    ],
)
def test_what_cannot_be_gone_on_with_is_left_as_it_is(
    tiny_model: Path, tmp_path: Path, name: str, held: str, said: str
) -> None:
    out = tmp_path / name
    out.write_text(held)
    run = live_ser("file", "call.wav", "--model", tiny_model, "-o", out, "--resume")
    assert run.returncode in (1, 2)
    assert said in run.stderr
    assert "Traceback" not in run.stderr
    assert out.read_text() == held


def test_a_folder_takes_a_file_of_its_own_for_each_session(
    tiny_model: Path, speech: Path, tmp_path: Path
) -> None:
    words = ["listen", "--from", speech, "--speed", "0", "--model", tiny_model]
    for _ in range(2):
        assert live_ser(*words, "-o", f"{tmp_path / 'sessions'}/").returncode == 0
    first, second = sorted((tmp_path / "sessions").iterdir(), key=lambda path: len(path.name))
    assert (first.name, second.name) == (f"{speech.stem}.jsonl", f"{speech.stem}-2.jsonl")
    assert len(list(read_records(first))) == len(list(read_records(second)))


@pytest.mark.parametrize("style", ["jsonl", "csv"])
def test_a_session_is_no_output_to_go_on_with(
    tiny_model: Path, speech: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, style: str
) -> None:
    record = tmp_path / f"session.{style}"
    monkeypatch.chdir(speech.parent)
    speech = Path(speech.name)  # as the session calls it
    model = ("--model", tiny_model)
    assert (
        live_ser("listen", "--from", speech, "--speed", "0", *model, "-o", record).returncode == 0
    )
    held = record.read_bytes()
    run = live_ser("file", speech, *model, "-o", record, "--resume")
    assert run.returncode == 1
    assert "not the output of this command" in run.stderr
    assert record.read_bytes() == held


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals to send")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_is_written_when_it_is_interrupted_is_whole_and_no_worker_stays(
    tiny_model: Path, calls: Path, tmp_path: Path, number: signal.Signals
) -> None:
    out = tmp_path / "out.jsonl"
    words = ["file", *[str(calls)] * 200, "--workers", "2", "--timeline", "--segments"]
    with subprocess.Popen(
        [*LIVE_SER, *words, "--model", str(tiny_model), "-o", str(out)],
        stderr=subprocess.PIPE,
        encoding="utf-8",
        # A test run in the background ignores interrupts, and would hand that down.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    ) as process:
        while not out.exists() or out.stat().st_size < 20_000:
            assert process.poll() is None
            time.sleep(0.05)
        workers = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(number)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    lines = out.read_text("utf-8")
    assert lines.endswith("\n")
    done = sum(record["type"] == "clip" for record in records(lines))
    again = "the same command with --resume does the rest"
    assert (
        said == f"{done} of {200 * len(list(calls.rglob('*.wav')))} recordings are done; {again}\n"
    )
    assert records(lines)[-1]["type"] == "clip"
    psutil.wait_procs(workers, timeout=60)
    assert not any(worker.is_running() for worker in workers)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows stops no processes")
def test_one_interrupt_ends_it_all_stopped_workers_included(
    tiny_model: Path, calls: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.jsonl"
    words = ["file", *[str(calls)] * 200, "--workers", "2", "--model", str(tiny_model)]
    with subprocess.Popen(
        [*LIVE_SER, *words, "-o", str(out)],
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    ) as process:
        while not out.exists() or out.stat().st_size < 2000:
            assert process.poll() is None
            time.sleep(0.05)
        stopped = workers(process.pid)
        assert len(stopped) == 2
        for worker in stopped:
            worker.suspend()
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 1
    psutil.wait_procs(stopped, timeout=60)
    assert not any(worker.is_running() for worker in stopped)
    assert records(out.read_text("utf-8"))[-1]["type"] == "clip"


def test_many_records_go_through_the_disk_and_leave_nothing_there(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    for number in range(20_000):
        spool.write({"type": "mark", "time": number})
    spool.close()
    assert [path.stat().st_size > 100_000 for path in tmp_path.iterdir()] == [True]
    assert [record["time"] for record in spool] == list(range(20_000))
    spool.drop()
    assert list(tmp_path.iterdir()) == []
    assert list(spool) == []


def test_the_bar_tells_files_hours_speed_and_what_is_left(calls: Path) -> None:
    paths = sorted(str(path) for path in calls.rglob("*.wav"))
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=120, color_system=None)
    with FileProgress(console, paths) as bar:
        bar.update(1, 0.5)
        for _ in paths[:6]:
            bar.done(1800.0)
    assert "6/12 files, 3.00 h, " in out.getvalue()
    assert re.search(r"\d+ times real time, 0:00:\d\d left", out.getvalue())


def test_a_list_may_be_a_list_of_patterns_and_ends_where_names_do() -> None:
    listing = io.BytesIO(b"one.wav\n\n two.wav\r\n/nowhere/*.wav\n-\n")
    assert list(expand_paths(["-"], listing)) == ["one.wav", " two.wav", "/nowhere/*.wav"]


def test_no_line_of_a_list_has_a_disk_searched(calls: Path) -> None:
    wide = [f"{calls}/**/*.wav", f"{calls.parent}/*/*.wav", "/*/*/*/*", "**"]
    listing = io.BytesIO("\n".join([*wide, f"{calls}/0/*.wav"]).encode())
    narrow = sorted(str(path) for path in (calls / "0").glob("*.wav"))
    assert list(expand_paths(["-"], listing)) == [*wide, *narrow]  # what is wide gets its line


def test_a_folder_says_what_it_leaves_alone(tiny_model: Path, speech: Path, tmp_path: Path) -> None:
    folder = tmp_path / "calls"
    names = ["clip.flac", "._clip.flac", ".hidden.wav", ".trash/old.wav", "notes.txt", "b/x.TXT"]
    for name in [*names, "b/README", "b/page.pdf"]:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(speech.read_bytes())
    words = ["file", folder, "--model", tiny_model, "--format", "jsonl"]
    run = live_ser(*words)
    assert run.returncode == 0
    assert [record["source"] for record in records(run.stdout)] == [str(folder / "clip.flac")]
    (said,) = run.stderr.splitlines()
    assert "left alone 4 files" in said
    assert "2 .txt" in said
    assert live_ser(*words, "-q").stderr == ""
    assert live_ser("file", folder / "clip.flac", "--model", tiny_model).stderr == ""


def test_every_kind_of_sound_is_found_in_a_folder(tmp_path: Path) -> None:
    kinds = "weba 3ga 3g2 m4v m4r ts flv spx gsm tta voc mpga wav mp3 WAV Mp4"
    names = [f"clip-{number}.{kind}" for number, kind in enumerate(kinds.split())]
    for name in names:
        (tmp_path / name).touch()
    assert sorted(expand_paths([str(tmp_path)])) == sorted(str(tmp_path / name) for name in names)
