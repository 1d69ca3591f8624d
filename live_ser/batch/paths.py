"""Which files are meant: by name, in folders, by pattern, or in a list on standard input."""

from __future__ import annotations

import glob
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from hashlib import blake2b
from typing import BinaryIO

from live_ser.batch.name_list import is_plain, read_names
from live_ser.errors import LiveSerError

LIST = "-"  # stands for the list on standard input

# What is taken for sound in a folder; a file that is named is tried whatever its ending.
_AUDIO = """
    3ga aac ac3 aif aifc aiff amr ape au caf flac gsm m4a m4b m4r mka mp2 mp3 mpga oga ogg opus snd
    sph spx tta voc w64 wav wave weba wma wv
"""
_VIDEO = "3g2 3gp avi flv m4v mkv mov mp4 mpeg mpg ts webm"
_SOUND = frozenset(f".{ending}" for ending in f"{_AUDIO} {_VIDEO}".split())


def is_sound(name: str) -> bool:
    """Whether a file in a folder is taken for sound, by its name; hidden ones are not."""
    return not is_hidden(name) and os.path.splitext(name)[1].lower() in _SOUND


def is_hidden(name: str) -> bool:
    """Whether a name in a folder is hidden, as what macOS adds to a file is: ``._clip.wav``."""
    return name.startswith(".")


def files_meant(
    words: Iterable[str],
    listing: BinaryIO | None = None,
    *,
    left_alone: Callable[[str], None] = lambda name: None,
) -> Iterator[str]:
    """The files that are meant, in the order of the words; those of a folder by name.

    Args:
        words: names of files; folders, for the sound files in them and below; patterns with ``*``,
            ``?``, ``[`` and ``**``; ``-`` for a list of any of these, one a line or with zero bytes
            between them, where only the last part of a path may be a pattern.
        listing: that ``-`` stands for; standard input if None.
        left_alone: told the name of each file in a folder that is not taken for sound.

    Returns:
        Names. What is no file, folder or pattern that fits is among them as it was written: whoever
        opens it will say why that fails.

    Raises:
        LiveSerError: the list is empty, or no list.
    """
    for word in words:
        if word == LIST:
            names = [name for name in read_names(listing or sys.stdin.buffer) if name != LIST]
            for name in names:
                if is_plain(name) and not _is_wide(name):
                    yield from files_meant([name], left_alone=left_alone)
                else:
                    yield name
        elif os.path.isdir(word):
            yield from _in_folder(word, left_alone)
        elif glob.has_magic(word) and not os.path.lexists(word):
            found = sorted(glob.iglob(word, recursive=True))
            yield from (name for name in found if not os.path.isdir(name))
            if not found:
                yield word
        else:
            yield word


def _is_wide(word: str) -> bool:
    """Whether a pattern looks into more than one folder.

    What is typed may; a line of a list, which may come from anywhere, would have a disk searched.
    """
    wide = glob.has_magic(os.path.dirname(word)) or "**" in word
    return wide and not os.path.lexists(word)


def _in_folder(folder: str, left_alone: Callable[[str], None]) -> Iterator[str]:
    found = False
    closed: list[OSError] = []
    for place, folders, names in os.walk(folder, onerror=closed.append):
        folders[:] = sorted(name for name in folders if not is_hidden(name))
        for name in sorted(names):
            if is_sound(name):
                found = True
                yield os.path.join(place, name)
            elif not is_hidden(name):
                left_alone(name)
    yield from (error.filename for error in closed)
    if not found and not closed:
        yield folder


def key_of(path: str) -> str:
    """A digest of where a file lies, the same however its name is typed and through whatever link.

    Args:
        path: of the file, or an address such as ``s3://bucket/call.wav``, which is taken as it is.
    """
    path = path.removeprefix("file://")
    place = path if "://" in path else os.path.normcase(os.path.realpath(path))
    return blake2b(os.fsencode(place), digest_size=8).hexdigest()


def not_meant(path: str) -> LiveSerError | None:
    """Why a name that came out of :func:`files_meant` is no file, if it is plain."""
    if os.path.isdir(path):
        try:
            os.scandir(path).close()
        except OSError as error:
            return LiveSerError(f"cannot read {path}: {error.strerror}", "check its rights")
        return LiveSerError(f"there are no sound files in the folder {path}", "name another one")
    if glob.has_magic(path) and not os.path.lexists(path):
        hint = "see what ls says of it; in a list, only the name of a file may be a pattern"
        return LiveSerError(f"there is no file that fits {path}", hint)
    return None
