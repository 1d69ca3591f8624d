"""The output file of each recording: one file, or files in a folder."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from live_ser.errors import InvalidArgument, OutputError
from live_ser.records.formats import is_folder

_NO_NAME = re.compile(r'[<>:"/\\|?*\x00-\x1f]')  # not allowed in a name on some system


class Places:
    """The output file of each recording.

    A folder reproduces the tree of the recordings, below their common folder. A number
    distinguishes files that would have the same name, such as those of ``a.wav`` and ``a.mp3``.

    Args:
        path: path of the file or folder.
        ending: extension of the files in the folder.
        sources: paths of the recordings that are known in advance.
        one_each: whether a file can contain only one recording.
        option: name of the argument, for messages.
        anew: whether to avoid the names of existing files.

    Attributes:
        is_folder: whether each recording has its own file.

    Raises:
        InvalidArgument: several recordings would share a file that can contain one.
    """

    def __init__(
        self,
        path: str,
        ending: str,
        sources: Sequence[str] = (),
        *,
        one_each: bool = False,
        option: str = "output",
        anew: bool = False,
    ) -> None:
        self._path, self._ending, self._anew = Path(path), ending, anew
        self._taken: set[tuple[str, ...]] = set()
        self._reserved: dict[str, list[Path]] = {}
        self.is_folder = is_folder(path)
        if not self.is_folder:
            if one_each and len(sources) > 1:
                raise InvalidArgument(
                    f"{path} holds one recording, and there are several",
                    f"name a folder, with a slash at its end, for each: `{option}=FOLDER/`",
                )
            return
        root = _common_folder(sources)
        for source in sources:
            self._reserved.setdefault(source, []).append(self._free(_within(root, source)))

    def all(self) -> list[Path]:
        """The files of the recordings that are known in advance."""
        if not self.is_folder:
            return [self._path]
        return [place for places in self._reserved.values() for place in places]

    def make(self) -> None:
        """Create the folder, if it is one.

        Raises:
            LiveSerError: it cannot be created.
        """
        if self.is_folder:
            _make(self._path)

    def of(self, source: str) -> Path:
        """The path of a recording's file; its folder is created."""
        if not self.is_folder:
            return self._path
        reserved = self._reserved.get(source)
        place = reserved.pop(0) if reserved else self._free((Path(source).name,))
        _make(place.parent)
        return place

    def _free(self, parts: Sequence[str]) -> Path:
        """A unique path, always inside the folder."""
        *folders, name = (_NO_NAME.sub("_", part) for part in parts or ("_",))
        stem = Path(name).stem or "_"
        folder = self._path.joinpath(*folders)
        free, number = stem, 1
        while self._is_taken(folder, free):
            number += 1
            free = f"{stem}-{number}"
        # Some file systems are case-insensitive.
        self._taken.add((str(folder).lower(), free.lower()))
        return folder / f"{free}{self._ending}"

    def _is_taken(self, folder: Path, name: str) -> bool:
        if (str(folder).lower(), name.lower()) in self._taken:
            return True
        return self._anew and (folder / f"{name}{self._ending}").exists()


def _common_folder(sources: Sequence[str]) -> str:
    """The common folder; empty if there is none, as on several drives of Windows."""
    try:
        return os.path.commonpath([os.path.dirname(os.path.abspath(source)) for source in sources])
    except ValueError:
        return ""


def _within(root: str, source: str) -> tuple[str, ...]:
    """The parts of a path below a folder, without ``..``."""
    path = os.path.abspath(source)
    return Path(os.path.relpath(path, root) if root else path).parts


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"cannot make the folder {folder}: {error.strerror}", "name another one"
        ) from error
