"""Sound in memory: checked, downmixed and resampled."""

from __future__ import annotations

import math
from collections.abc import Iterator
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from live_ser.audio.blocks import Samples, Voice
from live_ser.audio.channels import mixer
from live_ser.audio.decoder import Missing
from live_ser.audio.files import HIGHEST_RATE, HIGHEST_SAMPLE, LOWEST_RATE
from live_ser.audio.reading import USUAL, Reading
from live_ser.audio.resampler import Resampler
from live_ser.errors import InvalidArgument

_MOST_CHANNELS = 64
_WIDEST_INTEGER = 4  # bytes: no sound has wider samples, so int64 has no meaningful full scale


def checked_block(samples: ArrayLike, name: str = "blocks") -> Samples:
    """Check mono sound and convert it to float32; the result is a copy.

    Args:
        samples: ``[n]``, ``[n, 1]`` or ``[1, n]``; floats with full scale at 1, or integers of at
            most 32 bits with the full scale of their type.
        name: name of the argument, for errors.

    Returns:
        float32 ``[n]``.

    Raises:
        InvalidArgument: the samples are not mono sound.
    """
    sound = _as_array(samples, name)
    if sound.ndim != 1:
        raise InvalidArgument(
            f"{name}: a block of shape {list(np.shape(samples))} is not mono",
            "give blocks of shape [n]: one channel, or the mean of the channels",
        )
    return _full_scale(sound, name)


class ArraySound:
    """An array of samples as blocks of one second.

    Args:
        samples: ``[n]``, ``[n, channels]`` or ``[1, n]``; floats with full scale at 1, or integers
            of at most 32 bits with the full scale of their type.
        rate: sample rate of the samples in Hz.
        wanted: sample rate of the blocks in Hz.
        name: name of the argument, for errors.
        reading: which channel to use, or whether each is classified separately.

    Attributes:
        missing: always empty.

    Raises:
        InvalidArgument: the samples or the rate are invalid, or there is no such channel.
    """

    missing: tuple[Missing, ...] = ()

    def __init__(
        self,
        samples: ArrayLike,
        rate: float | None,
        wanted: int,
        name: str = "sound",
        *,
        reading: Reading = USUAL,
    ) -> None:
        self._name, self._wanted = name, wanted
        self._sound = _as_array(samples, name)
        self._rate = checked_rate(rate)
        channels = self._sound.shape[1] if self._sound.ndim == 2 else 1
        self._mix = mixer(channels, self._rate, reading)

    @property
    def notes(self) -> list[str]:
        """Warnings about the sound read so far."""
        return [f"{self._name}: {note}" for note in self._mix.notes]

    @property
    def voices(self) -> tuple[Voice, ...]:
        """The voices of the channels, if they are classified separately."""
        return self._mix.voices

    def __iter__(self) -> Iterator[Samples]:
        resample = Resampler(self._rate, self._wanted, len(self.voices))
        for start in range(0, len(self._sound), self._rate):
            samples = self._sound[start : start + self._rate]
            block = _full_scale(samples, self._name, start / self._rate)
            yield resample.push(self._mix.push(block.reshape(len(block), -1)))
        yield resample.push(self._mix.finish())
        yield resample.finish()


def _as_array(samples: ArrayLike, name: str) -> NDArray[Any]:
    """Samples as an array ``[n]``, or ``[n, channels]`` for several channels."""
    hint = "give the path of a sound file, or an array of shape [n] or [n, channels]"
    if samples is None or isinstance(samples, str | bytes | bytearray | memoryview):
        raise InvalidArgument(f"{name}: {type(samples).__name__} is no array of samples", hint)
    try:
        sound = np.asarray(samples)
    except (ValueError, TypeError) as error:
        raise InvalidArgument(f"{name}: {error}", hint) from error
    if sound.dtype.kind not in "iuf" or sound.ndim not in (1, 2):
        raise InvalidArgument(
            f"{name}: samples of type {sound.dtype} and shape {list(sound.shape)} are no sound",
            "give numbers of shape [n] or [n, channels]",
        )
    if sound.dtype.kind in "iu" and sound.dtype.itemsize > _WIDEST_INTEGER:
        raise InvalidArgument(
            f"{name}: integers of {8 * sound.dtype.itemsize} bits have no full scale",
            "give floats between -1 and 1, or integers of the type that they were recorded in: "
            "numpy.asarray(samples, numpy.int16)",
        )
    if sound.ndim == 2 and 1 in sound.shape:
        return sound.reshape(-1)
    if sound.ndim == 2 and not 1 <= sound.shape[1] <= _MOST_CHANNELS:
        raise InvalidArgument(
            f"{name}: samples of shape {list(sound.shape)} have {sound.shape[1]} channels",
            "give them as [n, channels]: samples.T",
        )
    return sound


def checked_rate(rate: object) -> int:
    """A sample rate in Hz, as an integer.

    Raises:
        InvalidArgument: it is not a number, or out of range.
    """
    if rate is None:
        raise InvalidArgument("rate: samples come without it", "give their rate in Hz, too")
    if isinstance(rate, bool) or not isinstance(rate, Real):
        raise InvalidArgument(f"rate: {rate!r} is no number", "give the rate in Hz: 16000")
    if not LOWEST_RATE <= float(rate) <= HIGHEST_RATE or not math.isfinite(float(rate)):
        raise InvalidArgument(
            f"rate: there is no speech at {float(rate):g} samples a second", "give the rate in Hz"
        )
    return round(float(rate))


def _full_scale(block: NDArray[Any], name: str, start: float = 0.0) -> Samples:
    """A float32 copy with full scale at 1."""
    if block.dtype.kind == "f":
        with np.errstate(over="ignore"):  # it is refused below
            sound = block.astype(np.float32)
    else:
        half = 2.0 ** (8 * block.dtype.itemsize - 1)
        middle = half if block.dtype.kind == "u" else 0.0
        sound = ((block - middle) / half).astype(np.float32)
    good = np.abs(sound) < HIGHEST_SAMPLE  # False for NaN, too
    if not good.all():
        raise InvalidArgument(
            f"{name}: a sample after {start:g} s is {float(block[~good][0]):g}, "
            "where full scale is 1",
            "give floats between -1 and 1, or integers",
        )
    return sound
