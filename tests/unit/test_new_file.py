"""What is written never costs what stood there before: it is replaced when the new one is whole."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import soundfile

from live_ser.errors import LiveSerError
from live_ser.records.formats import STYLES, Style
from live_ser.records.new_file import NewFile
from live_ser.records.outputs import written
from tests.support.command import LIVE_SER, live_ser, records
from tests.support.tiny_model import LABELS
from tests.unit.test_formats import SEGMENTS

OLD = b"what was there"


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "out.jsonl"
    path.write_bytes(OLD)
    return path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_old_file_is_there_until_the_new_one_is_whole(old: Path) -> None:
    with written(str(old), "jsonl", LABELS, mode="overwrite") as writer:
        writer.write(SEGMENTS[0])
        assert old.read_bytes() == OLD
        assert len(records((old.parent / "out.part.jsonl").read_text("utf-8"))) == 1
    assert len(records(old.read_text("utf-8"))) == 1
    assert names(old.parent) == [old.name]


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("error", [LiveSerError, KeyboardInterrupt])
def test_after_a_failure_the_old_file_is_there_and_what_was_written_is_beside(
    old: Path, style: Style, error: type[BaseException]
) -> None:
    if style == "parquet":
        pytest.importorskip("pyarrow", reason="pyarrow is not installed")

    def fail() -> None:
        with written(str(old), style, LABELS, mode="overwrite") as out:
            for record in SEGMENTS:
                out.write(record)
            raise error("no")

    with pytest.raises(error) as raised:
        fail()
    assert old.read_bytes() == OLD
    beside = old.parent / "out.part.jsonl"
    assert beside.stat().st_size > 0
    assert raised.value.__notes__ == [f"{old} is as it was; what was written is in {beside}"]


def test_nothing_that_a_killed_process_left_is_written_over(old: Path) -> None:
    left = old.with_name("out.part.jsonl")
    left.write_bytes(b"of a killed process")
    with written(str(old), "jsonl", LABELS, mode="overwrite") as writer:
        writer.write(SEGMENTS[0])
    assert left.read_bytes() == b"of a killed process"
    assert names(old.parent) == ["out.jsonl", left.name]


def test_where_nothing_could_be_classified_the_old_file_stays(tiny_model: Path, old: Path) -> None:
    run = live_ser("file", "--model", tiny_model, "mistyped.wav", "-o", old, "--force")
    assert run.returncode == 1
    assert old.read_bytes() == OLD
    assert names(old.parent) == [old.name]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other rights")
def test_mode_and_links_stay(old: Path) -> None:
    old.chmod(0o640)
    link = old.with_name("link.jsonl")
    link.symlink_to(old.name)
    with written(str(link), "jsonl", LABELS, mode="overwrite") as writer:
        writer.write(SEGMENTS[0])
    assert link.is_symlink()
    assert stat.S_IMODE(old.stat().st_mode) == 0o640
    assert len(records(old.read_text("utf-8"))) == 1


@pytest.mark.parametrize("name", ["clip.vtt", "clip.parquet", "clip.png", "clip.html"])
def test_a_file_that_is_of_use_as_a_whole_has_its_name_when_it_is_whole(
    tmp_path: Path, name: str
) -> None:
    path = tmp_path / name
    with NewFile(path) as file:
        file.raw.write(b"half")
        assert not path.exists()
    assert names(tmp_path) == [name]
    with pytest.raises(LiveSerError, match="is there already"):
        NewFile(path)


def test_what_appears_meanwhile_is_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    file = NewFile(path)
    file.raw.write(b"mine")
    path.write_bytes(OLD)
    with pytest.raises(LiveSerError, match="is there already"):
        file.finish()
    assert path.read_bytes() == OLD


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_killed_session_leaves_what_it_was_to_replace_and_what_it_heard(
    tiny_model: Path, speech: Path, old: Path
) -> None:
    sound = old.with_name("kept.wav")
    sound.write_bytes(OLD)
    words = ["listen", "--from", speech, "--model", tiny_model, "-o", old, "--record", sound]
    new = old.with_name("out.part.jsonl")
    with subprocess.Popen(
        [*LIVE_SER, *map(str, words), "--force"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        while not new.exists() or new.read_text().count("\n") < 4:
            assert process.poll() is None
        process.send_signal(signal.SIGKILL)
    assert old.read_bytes() == sound.read_bytes() == OLD
    last = records(new.read_text())[-1]
    assert soundfile.info(sound.with_name("kept.part.wav")).duration > last["end"] - 1


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_written_into(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text("utf-8")))
    reader.start()
    with written(str(pipe), "jsonl", LABELS) as writer:
        writer.write(SEGMENTS[0])
    reader.join()
    assert len(records(read[0])) == 1


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_written_into_and_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    (tmp_path / "link").symlink_to(pipe)
    read: list[bytes] = []
    for name in ("pipe", "link"):
        reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
        reader.start()
        with NewFile(tmp_path / name, mode="overwrite") as file:
            file.raw.write(name.encode())
        reader.join()
    assert read == [b"pipe", b"link"]
    assert pipe.is_fifo()
    assert names(tmp_path) == ["link", "pipe"]
