"""The sound of the benchmarks: the bundled recording, repeated."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path

import numpy as np
import soundfile
import soxr

from live_ser.audio.blocks import Samples

DEMO = Path(str(files("live_ser"))) / "demo.flac"


@cache
def demo(rate: int) -> Samples:
    """The recording at a sample rate in Hz, float32 ``[n]``."""
    sound, native = soundfile.read(DEMO, dtype="float32")
    return np.asarray(soxr.resample(sound, native, rate), np.float32)


def write_long(path: Path, seconds: float, rate: int = 16_000) -> Path:
    """Write a number of seconds as 16-bit WAV, piece by piece."""
    sound = demo(rate)
    left = round(seconds * rate)
    with soundfile.SoundFile(path, "w", rate, 1, subtype="PCM_16") as file:
        while left > 0:
            file.write(sound[:left])
            left -= len(sound)
    return path


def write_short(folder: Path, count: int, seconds: float = 3.0, rate: int = 16_000) -> list[Path]:
    """Write a number of clips, each with a different start."""
    sound = demo(rate)
    size = round(seconds * rate)
    starts = np.linspace(0, len(sound) - size, count).astype(int)
    paths = [folder / f"clip-{i:04}.wav" for i in range(count)]
    for path, start in zip(paths, starts, strict=True):
        soundfile.write(path, sound[start : start + size], rate)
    return paths
