"""Channels: the one that is heard of them, their mean where none of it is lost, or each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from live_ser.audio.blocks import NOTHING, Samples, Voice
from live_ser.audio.reading import Reading, checked_names
from live_ser.errors import AudioError, InvalidArgument
from live_ser.text import counted

_FRAME_SECONDS = 0.02
_MEMORY_SECONDS = 0.3  # after which what was heard counts for 1/e of what is heard now
# Energy of the mean, by what channels that have nothing in common would leave of theirs.
_CANCELLED = 0.1  # at most: most of it is lost
_INTACT = 0.5  # at least: the mean is worth hearing again
_LOUDER = 2.0  # energy of another channel by that of the one that is heard, to take its place
_MOST = 64  # channels that are classified separately


def mixer(channels: int, rate: int, reading: Reading) -> Downmix | Split:
    """What makes of several channels what is classified.

    Args:
        channels: how many there are.
        rate: in Hz.
        reading: which of them are heard.

    Raises:
        AudioError: there is no such channel, or the names are not as many as the channels.
    """
    if reading.each_channel:
        return Split(channels, reading.names)
    return Downmix(channels, rate, reading.channel)


def voices_of(channels: int, names: Sequence[str] = ()) -> tuple[Voice, ...]:
    """Who speaks in each channel.

    Args:
        channels: how many there are.
        names: of who speaks in each; none where nobody says it.

    Raises:
        InvalidArgument: there are too many channels, or the names are not as many.
    """
    if not 1 <= channels <= _MOST:
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
    """What of a block each voice is classified by.

    Args:
        block: ``[n]``, or ``[n, voices]`` where there are any.
        voices: that are classified separately; 0 for mono sound.

    Raises:
        InvalidArgument: it has another number of channels.
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
    """Sound of several channels, each of which is classified separately.

    Args:
        channels: how many there are.
        names: of who speaks in each; none where nobody says it.

    Attributes:
        channels: how many there are.
        voices: who speaks in each.

    Raises:
        InvalidArgument: there are too many channels, or the names are not as many.
    """

    cancelling: int | None = None
    note = ""

    def __init__(self, channels: int, names: Sequence[str] = ()) -> None:
        self.channels = channels
        self.voices = voices_of(channels, names)

    def push(self, block: NDArray[np.float32]) -> Samples:
        """The same block, ``[n, channels]``.

        A microphone that comes back with fewer channels leaves the others silent.
        """
        missing = self.channels - block.shape[1]
        if missing > 0:
            return np.pad(block, ((0, 0), (0, missing)))
        return np.ascontiguousarray(block[:, : self.channels])

    def finish(self) -> Samples:
        """Nothing: no sound waits."""
        return np.zeros((0, self.channels), np.float32)


class Downmix:
    """Sound of several channels, as it comes, as sound of one: their mean, or one of them.

    Where channels are out of phase they cancel, and nothing of the voice is left in their mean.
    There the loudest of them is heard instead. That is decided for each 20 ms from what was heard
    up to their end, however it comes in blocks, so that a file, its replay and a microphone agree.

    Args:
        channels: how many there are.
        rate: in Hz.
        channel: the one to hear, from 1; None for the mean.

    Attributes:
        channels: how many there are.
        cancelling: the channel that is heard where the others cancel it, from 1; None as long as
            they never did.
        voices: none: all of them are one.

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

    @property
    def note(self) -> str:
        """What to tell the user of it, in a line; empty where all is well."""
        if self.cancelling is None:
            return ""
        return f"its channels cancel each other out: channel {self.cancelling} is heard instead"

    def push(self, block: NDArray[np.float32]) -> Samples:
        """The next samples, float32 ``[n]``, for a block ``[n, channels]`` of any size."""
        if self._channel is not None or block.shape[1] == 1:
            return np.ascontiguousarray(block[:, (self._channel or 1) - 1])
        block = np.concatenate([self._waiting, block])
        whole = len(block) // self._frame * self._frame
        self._waiting = block[whole:].copy()
        return self._mixed(block[:whole], self._frame)

    def finish(self) -> Samples:
        """What is left of the last frame; the next block begins another one."""
        rest, self._waiting = self._waiting, self._waiting[:0]
        return self._mixed(rest, max(1, len(rest)))

    def _mixed(self, block: NDArray[np.float32], frame: int) -> Samples:
        # Sums along a long axis take a seventh of the time of those along a short one.
        channels = np.ascontiguousarray(block.T)
        mean: Samples = channels.mean(axis=0, dtype=np.float32)
        framed = channels.reshape(len(channels), -1, frame)
        energies = np.einsum("cfn,cfn->fc", framed, framed)
        mixed = mean.reshape(-1, frame)
        energy = np.einsum("fn,fn->f", mixed, mixed)
        for number, chosen in enumerate(self._chosen(energies, energy)):
            if chosen is not None:
                mixed[number] = framed[chosen, number]
        return mean

    def _chosen(
        self, energies: NDArray[np.float32], energy: NDArray[np.float32]
    ) -> Iterator[int | None]:
        """The channel to hear in each frame, from 0; None for the mean."""
        for of_channels, of_mean in zip(energies.tolist(), energy.tolist(), strict=True):
            kept = (self._decay * earlier for earlier in self._energies)
            self._energies = [old + new for old, new in zip(kept, of_channels, strict=True)]
            self._energy = self._decay * self._energy + of_mean
            expected = sum(self._energies) / len(self._energies) ** 2
            share = _INTACT if self._cancel else _CANCELLED
            self._cancel = self._energy < share * expected
            yield self._loudest() if self._cancel else None

    def _loudest(self) -> int:
        """The loudest channel; the one that was heard before, where no other is much louder."""
        loudest = max(range(len(self._energies)), key=self._energies.__getitem__)
        before = (self.cancelling or loudest + 1) - 1
        if self._energies[loudest] > _LOUDER * self._energies[before]:
            before = loudest
        self.cancelling = before + 1
        return before
