"""A cache of the log-mel frames of many clips, in one file."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from live_ser.frontend.features import Frames
from training.corpora.clips import Clip
from training.corpora.published import READERS


def cached_frames(file: Path, compute: Callable[[], Sequence[Frames]]) -> list[Frames]:
    """The frames in a file of the cache, which is computed and written if it does not exist.

    Frames are read back after they were written, so that every run gets the same rounded values.

    Args:
        file: path of the file.
        compute: function that computes the frames.

    Returns:
        float32 ``[n, mels]`` for each clip.
    """
    frames = read_frames(file)
    if frames is None:
        write_frames(file, compute())
        frames = read_frames(file)
    assert frames is not None
    return frames


def read_frames(file: Path) -> list[Frames] | None:
    """The frames that :func:`write_frames` wrote; None if the file is missing or incomplete."""
    try:
        with file.open("rb") as raw, np.load(raw) as stored:
            frames = stored["frames"].astype(np.float32)
            return np.split(frames, np.cumsum(stored["lengths"])[:-1])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None


def write_frames(file: Path, frames: Sequence[Frames]) -> None:
    """Write the log-mel frames of many clips into one file.

    Args:
        file: path of the file; its folder is created.
        frames: float32 ``[n, mels]`` for each clip.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(".part.npz")
    # Half precision errs by 0.06 dB at most, which is inaudible.
    np.savez(
        part, frames=np.concatenate(frames).astype(np.float16), lengths=[len(one) for one in frames]
    )
    part.replace(file)


def sizes(clips: Sequence[Clip]) -> list[tuple[str | int, ...]]:
    """The id and size of each clip, to notice files that were replaced."""
    return [(clip.id, *_size(clip)) for clip in clips]


def _size(clip: Clip) -> tuple[int, ...]:
    """The size of a file; for the user's own recordings also its time, since those may change."""
    stat = clip.path.stat()
    return (stat.st_size,) if clip.corpus in READERS else (stat.st_size, stat.st_mtime_ns)
