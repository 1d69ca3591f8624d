"""Channels: the one that is heard of them, or their mean where none of it is lost."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from live_ser.audio.blocks import Samples
from live_ser.errors import AudioError

_FRAME_SECONDS = 0.02
_MEMORY_SECONDS = 0.3  # after which what was heard counts for 1/e of what is heard now
# Energy of the mean, by what channels that have nothing in common would leave of theirs.
_CANCELLED = 0.1  # at most: most of it is lost
_INTACT = 0.5  # at least: the mean is worth hearing again
_LOUDER = 2.0  # energy of another channel by that of the one that is heard, to take its place


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

    Raises:
        AudioError: there is no such channel.
    """

    def __init__(self, channels: int, rate: int, channel: int | None = None) -> None:
        if channel is not None and not 1 <= channel <= channels:
            there = "1 channel" if channels == 1 else f"{channels} channels"
            raise AudioError(f"no channel {channel} in {there}", "count them from 1")
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
