"""A cache of the log-mel frames of many clips, in one file."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from live_ser.frontend.features import Frames
from training.corpora.clips import Clip
from training.corpora.published import READERS


def kept_frames(file: Path, compute: Callable[[], Sequence[Frames]]) -> list[Frames]:
    """The frames of a file of the cache; they are computed and written where it isn't there.

    They are read back then: who computes them hears the very numbers that others will.
    """
    frames = read_frames(file)
    if frames is None:
        write_frames(file, compute())
        frames = read_frames(file)
    assert frames is not None
    return frames


def read_frames(file: Path) -> list[Frames] | None:
    """The frames that :func:`write_frames` kept; ``None`` where there is no such file, or half."""
    try:
        with file.open("rb") as raw, np.load(raw) as stored:
            frames = stored["frames"].astype(np.float32)
            return np.split(frames, np.cumsum(stored["lengths"])[:-1])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None


def write_frames(file: Path, frames: Sequence[Frames]) -> None:
    """Keep log-mel frames of many clips in one file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(".part.npz")
    # Half precision is 0.06 dB at worst, far under what a microphone tells apart.
    np.savez(
        part, frames=np.concatenate(frames).astype(np.float16), lengths=[len(one) for one in frames]
    )
    part.replace(file)


def sizes(clips: Sequence[Clip]) -> list[tuple[str | int, ...]]:
    """Ids and sizes of clips, which distinguish them from others of the same names."""
    return [(clip.id, *_size(clip)) for clip in clips]


def _size(clip: Clip) -> tuple[int, ...]:
    """The size of a published file; recordings of one's own may be replaced by others of a size."""
    stat = clip.path.stat()
    return (stat.st_size,) if clip.corpus in READERS else (stat.st_size, stat.st_mtime_ns)
