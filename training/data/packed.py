"""Log-mel frames of many clips as bytes, to train on a machine without the corpora.

A byte step is a decibel, much less than the difference between two takes of a sentence. The
differences from one frame to the next are stored, which compress to about half.
"""

from __future__ import annotations

import json
import lzma
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from live_ser.errors import LiveSerError
from live_ser.frontend.features import Frames
from training.corpora.clips import Clip
from training.data.utterances import Utterances

_LOWEST = -100.0  # dB; the frames' own floor
_FILTER = {"id": lzma.FILTER_LZMA2, "preset": 2, "lc": 4, "lp": 0, "pb": 0}
_FRAMES, _CLIPS = "frames.xz", "clips.json"


def packed_runs(folder: Path) -> list[Path]:
    """The folders of the runs in a packed folder.

    Raises:
        LiveSerError: there are none.
    """
    runs = sorted(path.parent for path in folder.glob("runs/*/config.json"))
    if not runs:
        raise LiveSerError(f"{folder} holds no runs", "pack them with python -m training.pack")
    return runs


def packed_ids(folder: Path) -> list[str] | None:
    """The ids of the packed clips; None if the folder contains none."""
    path = folder / _CLIPS
    if not path.is_file():
        return None
    return [clip["id"] for clip in json.loads(path.read_text("utf-8"))["clips"]]


def write_packed(folder: Path, utterances: Utterances, step: float = 1.0) -> None:
    """Write utterances into a folder, as ``frames.xz`` and ``clips.json``.

    Args:
        folder: folder for the files.
        utterances: the utterances, whose frames are rounded.
        step: decibels of a byte step.
    """
    takes = [take for takes in utterances.takes for take in takes]
    clips = [
        {**asdict(clip), "path": "", "lengths": [len(take) for take in takes]}
        for clip, takes in zip(utterances.clips, utterances.takes, strict=True)
    ]
    about = {"step": step, "mels": takes[0].shape[1], "clips": clips}
    content = lzma.compress(_changes(takes, step).tobytes(), filters=[_FILTER])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _FRAMES).write_bytes(content)
    (folder / _CLIPS).write_text(json.dumps(about), "utf-8")


def read_packed(folder: Path) -> Utterances:
    """Read the utterances that :func:`write_packed` wrote; their clips have no path.

    Raises:
        LiveSerError: the folder contains none, or they are damaged.
    """
    try:
        about = json.loads((folder / _CLIPS).read_text("utf-8"))
        changes = np.frombuffer(lzma.decompress((folder / _FRAMES).read_bytes()), np.uint8)
        lengths = [length for clip in about["clips"] for length in clip["lengths"]]
        levels = np.cumsum(changes.reshape(sum(lengths), about["mels"]), axis=0, dtype=np.uint8)
    except (OSError, ValueError, KeyError, lzma.LZMAError) as error:
        raise LiveSerError(
            f"{folder} holds no packed features: {error}", "make it with python -m training.pack"
        ) from error
    frames = iter(np.split(levels, np.cumsum(lengths)[:-1]))
    clips, takes = [], []
    for clip in about["clips"]:
        takes.append(
            tuple(
                np.asarray(_LOWEST + about["step"] * next(frames), np.float32)
                for _ in clip.pop("lengths")
            )
        )
        clips.append(Clip(**{**clip, "path": Path()}))
    return Utterances(tuple(clips), tuple(takes))


def _changes(takes: Sequence[Frames], step: float) -> NDArray[np.uint8]:
    """``[frames, mels]``: each frame less the one before it, modulo 256."""
    rounded = np.round((np.concatenate(takes) - _LOWEST) / step)
    levels = np.clip(rounded, 0, 255).astype(np.uint8)
    return np.diff(levels, axis=0, prepend=np.zeros_like(levels[:1]))
