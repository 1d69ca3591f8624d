"""``python -m training.fetch NAME``: download a corpus or an encoder, check it, unpack it.

A download that was interrupted is continued by the next attempt. Only an archive with the published
checksum is unpacked.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import time
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath, PureWindowsPath

import requests
import urllib3.exceptions
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TimeRemainingColumn,
    TransferSpeedColumn,
    track,
)

from live_ser.errors import LiveSerError
from training.command import add_data, run
from training.corpora.catalogue import read_corpus
from training.corpora.published import READERS
from training.networks.pretrained import GE2E
from training.networks.pretrained import fetch as fetch_pretrained

_PURPOSE = (
    "Download a corpus or a pretrained encoder, check it, and unpack it. Existing files are left "
    "alone."
)
_ATTEMPTS = 5
_TIMEOUT = (10, 60)  # seconds to connect, and between bytes
_BLOCK = 1 << 14  # bytes; an interrupted transfer loses less than one
_BROKEN = (
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
)


@dataclass(frozen=True)
class Archive:
    """A ZIP file with a corpus, or a part of one.

    Attributes:
        corpus: name of the corpus, and of its folder.
        url: address of the file.
        size: size in bytes.
        md5: published checksum.
        clips: number of clips in it.
        licence: licence of the recordings.
        song: whether it is the sung part.
    """

    corpus: str
    url: str
    size: int
    md5: str
    clips: int
    licence: str
    song: bool = False

    @property
    def file(self) -> str:
        """Name of the ZIP file."""
        return PurePosixPath(self.url.partition("?")[0]).name


_ZENODO = "https://zenodo.org/records/1188976/files"

ARCHIVES: Mapping[str, Archive] = {
    "ravdess": Archive(
        corpus="ravdess",
        url=f"{_ZENODO}/Audio_Speech_Actors_01-24.zip",
        size=208_468_073,
        md5="bc696df654c87fed845eb13823edef8a",
        clips=1440,
        licence="CC BY-NC-SA 4.0",
    ),
    "ravdess-song": Archive(
        corpus="ravdess",
        url=f"{_ZENODO}/Audio_Song_Actors_01-24.zip",
        size=225_505_317,
        md5="5411230427d67a21e18aa4d466e6d1b9",
        clips=1012,
        licence="CC BY-NC-SA 4.0",
        song=True,
    ),
}


def fetch(archive: Archive, data: Path, console: Console, *, pause: float = 1.0) -> Path:
    """Download and unpack a corpus, unless it is there.

    Args:
        archive: the archive.
        data: folder in which the folder of the corpus is created.
        console: console that shows the progress.
        pause: seconds before the second attempt; it doubles with each further one.

    Returns:
        The folder of the corpus.

    Raises:
        LiveSerError: the archive could not be downloaded or unpacked. A partial download is left
            to be continued; an archive with a wrong checksum is removed.
    """
    folder = data / archive.corpus
    if _clips(archive, folder) >= archive.clips:
        console.print(f"{folder} holds it already: {archive.clips} clips")
        return folder
    with _disk(data):
        data.mkdir(parents=True, exist_ok=True)
        packed = data / archive.file
        if not packed.exists():
            _download(archive, packed, console, pause)
        _check(archive, packed)
        _unpack(packed, folder, console)
        if (clips := _clips(archive, folder)) < archive.clips:
            raise LiveSerError(
                f"{packed} held {clips} clips, not {archive.clips}", f"look at {folder}"
            )
        packed.unlink()
    console.print(f"{folder}: {clips} clips, {archive.licence}")
    return folder


def _clips(archive: Archive, folder: Path) -> int:
    """The number of clips of the archive that are in the folder."""
    try:
        corpus = read_corpus(archive.corpus, folder, song=archive.song, labels=())
    except LiveSerError:
        return 0
    return sum(clip.song == archive.song for clip in corpus.clips)


def _download(archive: Archive, packed: Path, console: Console, pause: float) -> None:
    """Download to ``packed``, in several attempts that continue where the last one ended."""
    part = packed.with_name(packed.name + ".part")
    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress("{task.description}", *columns, console=console) as progress:
        task = progress.add_task(archive.file, total=archive.size)
        for attempt in range(_ATTEMPTS):
            with suppress(*_BROKEN):
                for done in _transfer(archive, part):
                    progress.update(task, completed=done)
            if _size(part) >= archive.size:
                part.replace(packed)
                return
            if attempt < _ATTEMPTS - 1:
                time.sleep(pause * 2**attempt)
    raise LiveSerError(
        f"{archive.url} could not be downloaded: {_size(part) / archive.size:.0%} arrived, "
        f"then the connection failed {_ATTEMPTS} times",
        "check the connection and run the command again: it goes on from there",
    )


def _transfer(archive: Archive, part: Path) -> Iterator[int]:
    """Append the rest of the archive to ``part``, and yield its size after each block."""
    have = _size(part)
    if have >= archive.size:
        yield have
        return
    _check_room(part.parent, archive.size - have)
    headers = {"Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    with requests.get(archive.url, headers=headers, stream=True, timeout=_TIMEOUT) as answer:
        if answer.status_code == requests.codes.requested_range_not_satisfiable:
            part.unlink()  # it is not the start of the file at this address
        _check_answer(answer)
        if answer.status_code != requests.codes.partial_content:
            have = 0  # the server does not support ranges, and starts again
        with part.open("ab" if have else "wb") as file:
            for block in answer.iter_content(_BLOCK):
                have += file.write(block)
                yield have
                if have > archive.size:
                    return  # not the published file: the checksum will differ


def _check_answer(answer: requests.Response) -> None:
    if answer.ok:
        return
    busy = answer.status_code in {429, 500, 502, 503, 504}
    raise LiveSerError(
        f"{answer.url} answered {answer.status_code} {answer.reason}",
        "it is busy: try again in some minutes" if busy else "name another address with --url",
    )


def _check(archive: Archive, packed: Path) -> None:
    """Compare the checksum, and remove a file with a wrong one."""
    with packed.open("rb") as file:
        digest = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False))
    if digest.hexdigest() != archive.md5:
        packed.unlink()
        raise LiveSerError(
            f"{archive.file} has the checksum {digest.hexdigest()}, not {archive.md5} as published",
            "run the command again; if that doesn't help, what the address gives has changed",
        )


def _unpack(packed: Path, folder: Path, console: Console) -> None:
    try:
        with zipfile.ZipFile(packed) as archive:
            entries = archive.infolist()
            if outside := [one.filename for one in entries if not _stays_inside(one.filename)]:
                raise LiveSerError(
                    f"{packed} holds {outside[0]!r}, which lies outside of its folder",
                    "nothing was unpacked; don't use this archive",
                )
            _check_room(packed.parent, sum(entry.file_size for entry in entries))
            for entry in track(entries, f"unpacking {packed.name}", console=console):
                archive.extract(entry, folder)
    except (zipfile.BadZipFile, EOFError, RuntimeError, NotImplementedError) as error:
        raise LiveSerError(
            f"{packed} cannot be unpacked: {error}", "remove it and run the command again"
        ) from error


def _stays_inside(name: str) -> bool:
    """Whether the name of an entry is inside of the archive's folder, on every system."""
    posix, windows = PurePosixPath(name), PureWindowsPath(name)
    absolute = posix.is_absolute() or bool(windows.drive or windows.root)
    return not absolute and ".." not in (*posix.parts, *windows.parts)


def _check_room(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise LiveSerError(
            f"{folder} has room for {free / 1e6:.0f} MB; {needed / 1e6:.0f} MB are needed",
            "make room, or name another folder with --data",
        )


@contextmanager
def _disk(data: Path) -> Iterator[None]:
    """Turn errors of the disk and of the transfer into errors of one line."""
    try:
        yield
    except urllib3.exceptions.HTTPError as error:
        raise LiveSerError(f"the download failed: {error}", "check the address") from error
    except OSError as error:
        if isinstance(error, requests.RequestException):
            raise LiveSerError(f"the download failed: {error}", "check the address") from error
        raise LiveSerError(
            f"{error.filename or data} cannot be written: {error.strerror or error}",
            "make room, or name another folder with --data",
        ) from error


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m training.fetch", description=_PURPOSE)
    parser.add_argument("name", choices=(*ARCHIVES, GE2E.name), help="what to download")
    parser.add_argument("--url", help="take it from another address; the checksum stays")
    add_data(parser)
    options = parser.parse_args(arguments)
    console = Console(stderr=True, markup=False, soft_wrap=True)
    if options.name == GE2E.name:
        console.print(f"{GE2E.title} is licensed {GE2E.licence}")
        return run(lambda: fetch_pretrained(GE2E, options.data, console, url=options.url))
    archive = ARCHIVES[options.name]
    if options.url:
        archive = replace(archive, url=options.url)
    console.print(f"{READERS[archive.corpus].title} is licensed {archive.licence}")
    return run(lambda: fetch(archive, options.data, console))


if __name__ == "__main__":
    raise SystemExit(main())
