"""The files named on the command line: by name, folder, pattern, or a list on standard input."""

from __future__ import annotations

import glob
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from hashlib import blake2b
from typing import BinaryIO

from live_ser.batch.name_list import is_plain, read_names
from live_ser.errors import LiveSerError, unreadable

LIST = "-"  # the list on standard input

# Extensions of sound files in folders; files that are named may have any extension.
_AUDIO = """
    3ga aac ac3 aif aifc aiff amr ape au caf flac gsm m4a m4b m4r mka mp2 mp3 mpga oga ogg opus snd
    sph spx tta voc w64 wav wave weba wma wv
"""
_VIDEO = "3g2 3gp avi flv m4v mkv mov mp4 mpeg mpg ts webm"
_SOUND = frozenset(f".{ending}" for ending in f"{_AUDIO} {_VIDEO}".split())


def is_sound(name: str) -> bool:
    """Whether a file in a folder is a sound file, by its name; hidden files are not."""
    return not is_hidden(name) and os.path.splitext(name)[1].lower() in _SOUND


def is_hidden(name: str) -> bool:
    """Whether a file is hidden, such as the ``._clip.wav`` that macOS adds."""
    return name.startswith(".")


def expand_paths(
    names: Iterable[str],
    listing: BinaryIO | None = None,
    *,
    left_alone: Callable[[str], None] = lambda name: None,
) -> Iterator[str]:
    """Expand names to files, in order; files of a folder are sorted by name.

    Args:
        names: names of files; folders, for the sound files in them and below; patterns with ``*``,
            ``?``, ``[`` and ``**``; ``-`` for a list of any of these, one per line or separated by
            zero bytes, in which only the last part of a path may be a pattern.
        listing: the list for ``-``; None for standard input.
        left_alone: function that is called with each file in a folder that is not a sound file.

    Yields:
        Names of files. A name or pattern without a file is yielded as it is: opening it gives the
        error.

    Raises:
        LiveSerError: the list is empty or invalid.
    """
    for name in names:
        if name == LIST:
            listed = (one for one in read_names(listing or sys.stdin.buffer) if one != LIST)
            for one in listed:
                yield from _listed(one, left_alone)
        elif os.path.isdir(name):
            yield from _in_folder(name, left_alone)
        elif glob.has_magic(name) and not os.path.lexists(name):
            found = sorted(glob.iglob(name, recursive=True))
            yield from (path for path in found if not os.path.isdir(path))
            if not found:
                yield name
        else:
            yield name


def _listed(name: str, left_alone: Callable[[str], None]) -> Iterator[str]:
    """The files of a name in a list."""
    if is_plain(name) and not _is_wide(name):
        return expand_paths([name], left_alone=left_alone)
    return iter([name])


def _is_wide(name: str) -> bool:
    """Whether a pattern searches more than one folder.

    That is allowed on the command line, but not in a list, which may come from anywhere.
    """
    wide = glob.has_magic(os.path.dirname(name)) or "**" in name
    return wide and not os.path.lexists(name)


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
    """A digest of the real path of a file.

    Args:
        path: path of the file, or an address such as ``s3://bucket/call.wav``.
    """
    path = path.removeprefix("file://")
    place = path if "://" in path else os.path.normcase(os.path.realpath(path))
    return blake2b(os.fsencode(place), digest_size=8).hexdigest()


def why_not_a_file(path: str) -> LiveSerError | None:
    """Why a name from :func:`expand_paths` is not a file, if that is clear."""
    if os.path.isdir(path):
        try:
            os.scandir(path).close()
        except OSError as error:
            return unreadable(path, error, LiveSerError)
        return LiveSerError(f"there are no sound files in the folder {path}", "name another one")
    if glob.has_magic(path) and not os.path.lexists(path):
        hint = "see what ls says of it; in a list, only the name of a file may be a pattern"
        return LiveSerError(f"there is no file that fits {path}", hint)
    return None
