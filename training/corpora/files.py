"""The sound files of a corpus, and a check that they can be read."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

_SOUND = {".wav", ".flac", ".aif", ".aiff", ".mp3", ".ogg"}


def sound_files(folder: Path) -> Iterator[Path]:
    """The sound files in a folder and its subfolders."""
    for parent, folders, names in os.walk(folder, followlinks=True):
        folders.sort()
        for name in names:
            path = Path(parent, name)
            # macOS adds a hidden ._name.wav for each file to an archive.
            if path.suffix.lower() in _SOUND and not name.startswith("."):
                yield path


def unusable(path: Path) -> str | None:
    """Why a file cannot be used, by its header and its last sample; None if it can.

    Args:
        path: path of the file.
    """
    import soundfile  # imported late: training on packed features does not need it

    try:
        with soundfile.SoundFile(path) as file:
            if not file.frames:
                return "it holds no sound"
            file.seek(file.frames - 1)
            return None if len(file.read(1)) else "its end is missing"
    except (soundfile.SoundFileError, OSError) as error:
        return f"it cannot be read as sound ({str(error).rstrip('.')})"
