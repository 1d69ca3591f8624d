"""Where the output of each recording goes: one file, or one for each in a folder."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from live_ser.errors import InvalidArgument, OutputError
from live_ser.records.formats import is_folder

_NO_NAME = re.compile(r'[<>:"/\\|?*\x00-\x1f]')  # what some system does not allow in a name


class Places:
    """The file of each recording. Nothing is made before it is asked for.

    A folder keeps the tree of the recordings, less the folders that they all lie in. A number tells
    those apart that would have the same name, as ``a.wav`` and ``a.mp3`` have.

    Args:
        path: of the file, or of the folder.
        ending: of the names in the folder.
        sources: paths of the recordings, as far as they are known beforehand.
        one_each: whether a file holds one recording.
        option: the argument with which it was named.
        anew: whether files that are there keep their names.

    Attributes:
        is_folder: whether each recording has a file of its own.

    Raises:
        InvalidArgument: one file would be for several recordings.
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
        """Every file of the recordings that are known beforehand."""
        if not self.is_folder:
            return [self._path]
        return [place for places in self._reserved.values() for place in places]

    def make(self) -> None:
        """Make the folder, if it is one.

        Raises:
            LiveSerError: it cannot be made.
        """
        if self.is_folder:
            _make(self._path)

    def of(self, source: str) -> Path:
        """The place of a recording's file, in a folder that is there."""
        if not self.is_folder:
            return self._path
        reserved = self._reserved.get(source)
        place = reserved.pop(0) if reserved else self._free((Path(source).name,))
        _make(place.parent)
        return place

    def _free(self, parts: Sequence[str]) -> Path:
        """A place that no other recording has: in the folder, whatever these parts are."""
        *folders, name = (_NO_NAME.sub("_", part) for part in parts or ("_",))
        stem = Path(name).stem or "_"
        folder = self._path.joinpath(*folders)
        free, number = stem, 1
        while self._is_taken(folder, free):
            number += 1
            free = f"{stem}-{number}"
        # Some file systems do not tell Clip from clip.
        self._taken.add((str(folder).lower(), free.lower()))
        return folder / f"{free}{self._ending}"

    def _is_taken(self, folder: Path, name: str) -> bool:
        if (str(folder).lower(), name.lower()) in self._taken:
            return True
        return self._anew and (folder / f"{name}{self._ending}").exists()


def _common_folder(sources: Sequence[str]) -> str:
    """The folder that all of these lie in; empty where there is none, as on drives of Windows."""
    try:
        return os.path.commonpath([os.path.dirname(os.path.abspath(source)) for source in sources])
    except ValueError:
        return ""


def _within(root: str, source: str) -> tuple[str, ...]:
    """The parts of a path below a folder; links and ``..`` lead nowhere else."""
    path = os.path.abspath(source)
    return Path(os.path.relpath(path, root) if root else path).parts


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"cannot make the folder {folder}: {error.strerror}", "name another one"
        ) from error
