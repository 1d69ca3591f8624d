"""A corpus is downloaded whole or not at all, from a server that misbehaves."""

from __future__ import annotations

import hashlib
import io
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
from rich.console import Console

from live_ser.errors import LiveSerError
from training.corpora.catalogue import read_corpus
from training.fetch import ARCHIVES, Archive, fetch, main


@dataclass
class Server:
    """What a server gives, and how it fails."""

    content: bytes
    breaks: list[int] = field(default_factory=list)  # bytes sent of each answer that breaks off
    ranges: bool = True
    status: int = 200
    asked: list[str] = field(default_factory=list)  # the Range header of each request
    url: str = ""


def start_of(asked: str) -> int:
    """The byte from which a Range header asks."""
    return int(asked.removeprefix("bytes=").removesuffix("-") or 0)


class Handler(BaseHTTPRequestHandler):
    def __init__(self, server: Server, *arguments: object) -> None:
        self.state = server
        super().__init__(*arguments)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        state = self.state
        asked = self.headers.get("Range", "")
        state.asked.append(asked)
        body = state.content
        status = state.status
        if asked and state.ranges and status == 200:
            start = start_of(asked)
            status = 206 if start < len(body) else 416
            body = body[start:]
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if state.breaks:
            self.wfile.write(body[: state.breaks.pop(0)])
        else:
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving(server: Server) -> Iterator[Server]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, server)) as http:
        threading.Thread(target=http.serve_forever, args=(0.01,), daemon=True).start()
        server.url = f"http://127.0.0.1:{http.server_port}/speech.zip"
        yield server
        http.shutdown()


def corpus(extra: dict[str, bytes] | None = None) -> bytes:
    """A ZIP file with one clip of each emotion, and more entries if asked."""
    clip = io.BytesIO()
    soundfile.write(clip, np.random.default_rng(0).normal(0, 0.1, 8000), 16000, format="WAV")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for emotion in range(1, 9):
            archive.writestr(f"Actor_01/03-01-0{emotion}-01-01-01-01.wav", clip.getvalue())
        for name, content in (extra or {}).items():
            archive.writestr(name, content)
    return packed.getvalue()


def published(server: Server) -> Archive:
    """The archive as its publisher describes it."""
    return Archive(
        corpus="ravdess",
        url=server.url,
        size=len(server.content),
        md5=hashlib.md5(server.content, usedforsecurity=False).hexdigest(),
        clips=8,
        licence="CC0-1.0",
    )


@pytest.fixture
def server() -> Iterator[Server]:
    with serving(Server(corpus())) as started:
        yield started


@pytest.fixture
def bring(tmp_path: Path) -> Callable[[Archive], Path]:
    quiet = Console(quiet=True)
    return lambda archive: fetch(archive, tmp_path / "data", quiet, pause=0)


def left(tmp_path: Path) -> list[str]:
    """Files under the data folder."""
    root = tmp_path / "data"
    return sorted(p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file())


Bring = Callable[[Archive], Path]


def test_a_corpus_is_downloaded_checked_and_unpacked(
    server: Server, bring: Bring, tmp_path: Path
) -> None:
    folder = bring(published(server))
    assert folder == tmp_path / "data" / "ravdess"
    assert len(read_corpus("ravdess", tmp_path / "data").clips) == 8
    assert len(left(tmp_path)) == 8


def test_what_is_there_already_is_not_downloaded_again(server: Server, bring: Bring) -> None:
    bring(published(server))
    bring(published(server))
    assert len(server.asked) == 1


def test_a_clip_that_got_lost_is_brought_back(server: Server, bring: Bring, tmp_path: Path) -> None:
    folder = bring(published(server))
    next(folder.rglob("*.wav")).unlink()
    bring(published(server))
    assert len(left(tmp_path)) == 8


def test_a_transfer_that_breaks_goes_on_where_it_broke(server: Server, bring: Bring) -> None:
    server.breaks = [40_000, 40_000]
    bring(published(server))
    first, second, third = (start_of(asked) for asked in server.asked)
    assert first == 0
    assert 0 < second <= 40_000 < third <= 80_000


def test_a_transfer_that_keeps_breaking_is_an_error_and_the_next_run_goes_on(
    server: Server, bring: Bring, tmp_path: Path
) -> None:
    server.breaks = [20_000] * 5
    with pytest.raises(LiveSerError, match="the connection failed 5 times") as caught:
        bring(published(server))
    assert "goes on" in caught.value.hint
    assert left(tmp_path) == ["speech.zip.part"]
    arrived = (tmp_path / "data" / "speech.zip.part").stat().st_size
    assert arrived > 60_000
    bring(published(server))
    assert start_of(server.asked[-1]) == arrived
    assert len(left(tmp_path)) == 8


def test_a_server_that_cannot_go_on_starts_again(server: Server, bring: Bring) -> None:
    server.ranges = False
    server.breaks = [40_000]
    bring(published(server))
    assert len(server.asked) == 2


def test_a_wrong_checksum_is_an_error_and_nothing_is_left(
    server: Server, bring: Bring, tmp_path: Path
) -> None:
    archive = published(server)
    server.content = server.content.replace(b"RIFF", b"riff", 1)
    with pytest.raises(LiveSerError, match=archive.md5):
        bring(archive)
    assert left(tmp_path) == []


def test_a_longer_file_than_the_published_one_is_refused(
    server: Server, bring: Bring, tmp_path: Path
) -> None:
    archive = published(server)
    server.content += bytes(1_000_000)
    with pytest.raises(LiveSerError, match="checksum"):
        bring(archive)
    assert left(tmp_path) == []


def test_a_beginning_that_fits_no_more_is_thrown_away(
    server: Server, bring: Bring, tmp_path: Path
) -> None:
    archive = published(server)
    server.content = server.content[:32_768]
    with pytest.raises(LiveSerError, match="416"):
        bring(archive)
    assert left(tmp_path) == []


@pytest.mark.parametrize(
    "name", ["../evil.wav", "Actor_01/../../evil.wav", "/evil.wav", "C:/evil.wav", "..\\evil.wav"]
)
def test_an_entry_outside_of_the_folder_refuses_the_whole_archive(
    name: str, bring: Bring, tmp_path: Path
) -> None:
    with serving(Server(corpus({name: b"evil"}))) as server, pytest.raises(LiveSerError) as caught:
        bring(published(server))
    assert "outside" in caught.value.message
    assert not list(tmp_path.rglob("*.wav"))


def test_an_archive_that_is_none_is_an_error(bring: Bring) -> None:
    with (
        serving(Server(b"<html>not found</html>" * 100)) as server,
        pytest.raises(LiveSerError, match="cannot be unpacked"),
    ):
        bring(published(server))


def test_an_archive_with_too_few_clips_is_an_error(server: Server, bring: Bring) -> None:
    with pytest.raises(LiveSerError, match="8 clips, not 9"):
        bring(replace(published(server), clips=9))


@pytest.mark.parametrize(("status", "hint"), [(404, "--url"), (503, "busy"), (429, "busy")])
def test_an_answer_that_is_no_file_is_an_error(
    server: Server, bring: Bring, status: int, hint: str
) -> None:
    server.status = status
    with pytest.raises(LiveSerError, match=str(status)) as caught:
        bring(published(server))
    assert hint in caught.value.hint


def test_nobody_at_the_address_is_an_error(server: Server, bring: Bring) -> None:
    with pytest.raises(LiveSerError, match="0% arrived"):
        bring(replace(published(server), url="http://127.0.0.1:9/speech.zip"))


def test_no_address_at_all_is_an_error(server: Server, bring: Bring) -> None:
    with pytest.raises(LiveSerError, match="the download failed"):
        bring(replace(published(server), url="speech.zip"))


def test_a_full_disk_is_said_before_anything_is_downloaded(
    server: Server, bring: Bring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=0))
    with pytest.raises(LiveSerError, match="room") as caught:
        bring(published(server))
    assert "--data" in caught.value.hint
    assert server.asked == []


def test_a_folder_that_cannot_be_made_is_an_error(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(LiveSerError) as caught:
        fetch(published(server), tmp_path / "file" / "data", Console(quiet=True))
    assert "--data" in caught.value.hint


def test_the_command_says_in_one_line_what_failed(
    server: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setitem(ARCHIVES, "ravdess", published(server))
    arguments = ["ravdess", "--data", str(tmp_path / "data")]
    server.status = 404
    assert main(arguments) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert "error: " in told.err
    assert "404" in told.err
    assert "Traceback" not in told.err
    server.status = 200
    assert main([*arguments, "--url", server.url]) == 0
    assert main(arguments) == 0
    assert "already" in capsys.readouterr().err


def test_published_archives_are_of_corpora_that_can_be_read() -> None:
    for archive in ARCHIVES.values():
        assert archive.url.startswith("https://")
        assert len(bytes.fromhex(archive.md5)) == 16
        assert archive.file.endswith(".zip")
