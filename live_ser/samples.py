"""Sound that is in memory already: checked, and brought to the rate that is wanted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from live_ser.blocks import Resampler, mean_of_channels
from live_ser.errors import LiveSerError
from live_ser.features import Samples
from live_ser.sound_file import HIGHEST_SAMPLE, LOWEST_RATE

_MOST_CHANNELS = 64


def sound_in_memory(samples: ArrayLike, rate: float, wanted: int) -> Iterator[Samples]:
    """Blocks of one second of sound that is held as an array.

    Args:
        samples: ``[n]`` or ``[n, channels]``; floats with full scale at 1, or integers with that of
            their type.
        rate: of it, in Hz.
        wanted: rate of the blocks, in Hz.

    Raises:
        LiveSerError: this is no sound.
    """
    sound = np.asarray(samples)
    if sound.dtype.kind not in "iuf" or sound.ndim not in (1, 2):
        raise LiveSerError(
            f"samples of type {sound.dtype} and shape {list(sound.shape)} are no sound",
            "give numbers of shape [n] or [n, channels]",
        )
    if sound.ndim == 2 and not 1 <= sound.shape[1] <= _MOST_CHANNELS:
        raise LiveSerError(
            f"samples of shape {list(sound.shape)} have {sound.shape[1]} channels",
            "give them as [n, channels]: samples.T",
        )
    if not LOWEST_RATE <= rate <= 1e6:
        raise LiveSerError(
            f"there is no speech at a rate of {rate:g} samples a second", "give the rate in Hz"
        )
    return _blocks(sound, round(rate), wanted)


def _blocks(sound: NDArray[Any], rate: int, wanted: int) -> Iterator[Samples]:
    resample = Resampler(rate, wanted)
    for start in range(0, len(sound), rate):
        block = _full_scale(sound[start : start + rate])
        good = np.abs(block) < HIGHEST_SAMPLE  # false for what is not a number, too
        if not good.all():
            value = float(block[~good][0])
            raise LiveSerError(
                f"a sample after {start / rate:g} s is {value:g}, where full scale is 1",
                "give floats between -1 and 1, or integers",
            )
        mono = mean_of_channels(block) if block.ndim == 2 else block
        yield resample.push(np.ascontiguousarray(mono))
    yield resample.finish()


def _full_scale(block: NDArray[Any]) -> Samples:
    """Floats with full scale at 1."""
    if block.dtype.kind == "f":
        return block.astype(np.float32)
    half = 2.0 ** (8 * block.dtype.itemsize - 1)
    middle = half if block.dtype.kind == "u" else 0.0
    return ((block - middle) / half).astype(np.float32)
