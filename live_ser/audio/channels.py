"""Channels of sound: downmixed to mono, or classified separately."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from live_ser.audio.blocks import NOTHING, Samples, Voice
from live_ser.audio.clipping import CLIPPED, Clipping
from live_ser.audio.counts import checked_count
from live_ser.audio.reading import Reading, checked_names
from live_ser.errors import AudioError, InvalidArgument
from live_ser.text import counted

_FRAME_SECONDS = 0.02
_MEMORY_SECONDS = 0.3  # time constant of the energies
# Energy of the mean, relative to that of the mean of uncorrelated channels.
_CANCELLED = 0.1  # below this the channels cancel each other out
_INTACT = 0.5  # above this the mean is usable again
_LOUDER = 2.0  # relative energy at which another channel replaces the one in use
_MOST = 64  # channels that are classified separately


def mixer(channels: int, rate: int, reading: Reading) -> Downmix | Split:
    """The downmix or the split of several channels.

    Args:
        channels: number of channels.
        rate: sample rate in Hz.
        reading: which channels to use.

    Raises:
        AudioError: there is no such channel, or the names are not as many as the channels.
    """
    if reading.each_channel:
        return Split(channels, rate, reading.names)
    return Downmix(channels, rate, reading.channel)


def voices_of(channels: int, names: Sequence[str] = ()) -> tuple[Voice, ...]:
    """The voice of each channel.

    Args:
        channels: number of channels.
        names: names of the speakers; empty if unknown.

    Raises:
        InvalidArgument: there are too many channels, or the number of names differs.
    """
    if checked_count("channels", channels) > _MOST:
        raise InvalidArgument(
            f"{counted(channels, 'channel')} cannot be classified separately", f"from 1 to {_MOST}"
        )
    names = checked_names(names)
    if names and len(names) != channels:
        who = f"{counted(len(names), 'name')} ({', '.join(names)})"
        raise InvalidArgument(
            f"{counted(channels, 'channel')}, and {who}",
            "give a name for each channel, or none",
        )
    numbers = range(1, channels + 1)
    return tuple(Voice(number, names[number - 1] if names else None) for number in numbers)


def parts(block: ArrayLike, voices: int) -> Sequence[ArrayLike]:
    """Split a block into the samples of each voice.

    Args:
        block: ``[n]`` for mono sound, else ``[n, voices]``.
        voices: number of voices that are classified separately; 0 for mono sound.

    Raises:
        InvalidArgument: the block has another number of channels.
    """
    if not voices:
        return [block]
    sound = np.asarray(block)
    if not len(sound):
        return [NOTHING] * voices
    if sound.ndim != 2 or sound.shape[1] != voices:
        raise InvalidArgument(
            f"blocks: one of shape {list(sound.shape)} is not of {counted(voices, 'channel')}",
            f"give blocks of shape [n, {voices}]",
        )
    return [*sound.T]


class Split:
    """Several channels, each classified separately.

    Args:
        channels: number of channels.
        rate: sample rate in Hz.
        names: names of the speakers; empty if unknown.

    Attributes:
        channels: number of channels.
        voices: the voice of each channel.

    Raises:
        InvalidArgument: there are too many channels, or the number of names differs.
    """

    cancelling: int | None = None

    def __init__(self, channels: int, rate: int, names: Sequence[str] = ()) -> None:
        self.channels = channels
        self.voices = voices_of(channels, names)
        self._clipping = Clipping(rate)

    @property
    def notes(self) -> list[str]:
        """Warnings about the sound so far, a line each."""
        return [CLIPPED] if self._clipping.found else []

    def push(self, block: NDArray[np.float32]) -> Samples:
        """The same block, ``[n, channels]``.

        Channels that a microphone lacks after it was reconnected are silent.
        """
        self._clipping.push(block)
        missing = self.channels - block.shape[1]
        if missing > 0:
            return np.pad(block, ((0, 0), (0, missing)))
        return np.ascontiguousarray(block[:, : self.channels])

    def finish(self) -> Samples:
        """An empty block: no sound waits."""
        return np.zeros((0, self.channels), np.float32)


class Downmix:
    """Several channels as mono: their mean, or one of them.

    Channels that are out of phase cancel each other out in the mean. Where they do, the loudest
    channel is used instead. This is decided every 20 ms from the sound so far, whatever the block
    size, so that a file, its replay and a microphone give the same result. A DC offset is no sound.

    Args:
        channels: number of channels.
        rate: sample rate in Hz.
        channel: the channel to use, from 1; None for the mean.

    Attributes:
        channels: number of channels.
        cancelling: the channel that is used where they cancel each other out, from 1; None if they
            never did.
        voices: empty: there is one voice.

    Raises:
        AudioError: there is no such channel.
    """

    voices: tuple[Voice, ...] = ()

    def __init__(self, channels: int, rate: int, channel: int | None = None) -> None:
        if channel is not None and not 1 <= channel <= channels:
            raise AudioError(
                f"no channel {channel} in {counted(channels, 'channel')}", "count them from 1"
            )
        self.channels = channels
        self.cancelling: int | None = None
        self._channel = channel
        self._frame = max(1, round(rate * _FRAME_SECONDS))
        self._waiting = np.zeros((0, channels), np.float32)  # less than a frame
        self._decay = float(np.exp(-_FRAME_SECONDS / _MEMORY_SECONDS))
        self._energies = [0.0] * channels
        self._energy = 0.0  # of their mean
        self._cancel = False
        self._clipping = Clipping(rate)

    @property
    def notes(self) -> list[str]:
        """Warnings about the sound so far, a line each."""
        notes = [CLIPPED] if self._clipping.found else []
        if self.cancelling is not None:
            used = f"channel {self.cancelling} is used instead"
            notes.insert(0, f"its channels cancel each other out: {used}")
        return notes

    def push(self, block: NDArray[np.float32]) -> Samples:
        """The next samples, float32 ``[n]``, for a block ``[n, channels]`` of any size."""
        if self._channel is not None or block.shape[1] == 1:
            only = (self._channel or 1) - 1
            self._clipping.push(block[:, only : only + 1])
            return np.ascontiguousarray(block[:, only])
        self._clipping.push(block)
        block = np.concatenate([self._waiting, block])
        whole = len(block) // self._frame * self._frame
        self._waiting = block[whole:].copy()
        return self._mixed(block[:whole], self._frame)

    def finish(self) -> Samples:
        """The rest of the last frame; the next block starts another one."""
        rest, self._waiting = self._waiting, self._waiting[:0]
        return self._mixed(rest, max(1, len(rest)))

    def _mixed(self, block: NDArray[np.float32], frame: int) -> Samples:
        # Sums along a long axis take a seventh of the time of sums along a short one.
        channels = np.ascontiguousarray(block.T)
        mean: Samples = channels.mean(axis=0, dtype=np.float32)
        framed = channels.reshape(len(channels), -1, frame)
        mixed = mean.reshape(-1, frame)
        for number, chosen in enumerate(self._chosen(_energies(framed).T, _energies(mixed))):
            if chosen is not None:
                mixed[number] = framed[chosen, number]
        return mean

    def _chosen(
        self, energies: NDArray[np.float32], energy: NDArray[np.float32]
    ) -> Iterator[int | None]:
        """The channel to use in each frame, from 0; None for the mean."""
        for of_channels, of_mean in zip(energies.tolist(), energy.tolist(), strict=True):
            decayed = (self._decay * earlier for earlier in self._energies)
            self._energies = [old + new for old, new in zip(decayed, of_channels, strict=True)]
            self._energy = self._decay * self._energy + of_mean
            expected = sum(self._energies) / len(self._energies) ** 2
            share = _INTACT if self._cancel else _CANCELLED
            self._cancel = self._energy < share * expected
            yield self._loudest() if self._cancel else None

    def _loudest(self) -> int:
        """The loudest channel; the last one used, unless another is much louder."""
        loudest = max(range(len(self._energies)), key=self._energies.__getitem__)
        before = (self.cancelling or loudest + 1) - 1
        if self._energies[loudest] > _LOUDER * self._energies[before]:
            before = loudest
        self.cancelling = before + 1
        return before


def _energies(frames: NDArray[np.float32]) -> NDArray[np.float32]:
    """The energy of each frame about its mean, ``[...]`` of ``[..., samples]``."""
    moving = frames - frames.mean(axis=-1, keepdims=True)
    energies: NDArray[np.float32] = np.einsum("...n,...n->...", moving, moving)
    return energies
