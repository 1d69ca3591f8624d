"""Utterances as inputs of the network: log-mel frames of speech, and batches of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from live_ser.frontend.features import Frames
from training.corpora.clips import Clip


@dataclass(frozen=True)
class Utterances:
    """The log-mel frames of the speech in clips.

    Attributes:
        clips: the clips.
        takes: versions of each clip, float32 ``[n, mels]`` in dB: first as recorded, then
            degraded.
    """

    clips: tuple[Clip, ...]
    takes: tuple[tuple[Frames, ...], ...]

    def where(self, keep: Sequence[bool] | NDArray[np.bool_]) -> Utterances:
        """The utterances where a mask ``[clips]`` is True."""
        chosen = np.flatnonzero(keep)
        return Utterances(
            tuple(self.clips[i] for i in chosen), tuple(self.takes[i] for i in chosen)
        )

    def newest(self, window: int, count: int) -> Utterances:
        """The newest frames of each take.

        Args:
            window: frames of each at most, from its middle.
            count: frames that are left of these, the newest.
        """
        takes = tuple(
            tuple(_middle(one, min(window, len(one)))[-count:] for one in takes)
            for takes in self.takes
        )
        return Utterances(self.clips, takes)

    def starts(self, counts: Sequence[int]) -> Utterances:
        """The first frames of each take.

        Args:
            counts: numbers of frames, which the clips have in turn; shorter takes stay whole.
        """
        takes = tuple(
            tuple(one[: counts[i % len(counts)]] for one in takes)
            for i, takes in enumerate(self.takes)
        )
        return Utterances(self.clips, takes)

    def __len__(self) -> int:
        return len(self.clips)


def batches_by_length(
    frames: Sequence[Frames], max_frames: int, size: int = 64, step: int = 8
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.float32]]]:
    """Whole utterances in batches of equal length, without padding, as the runtime has none.

    Args:
        frames: log-mel frames of each utterance, float32 ``[n, mels]``.
        max_frames: maximum number of frames; longer utterances are cut to their middle.
        size: maximum number of utterances in a batch.
        step: lengths are cut to a multiple of this, so that more utterances have the same one.

    Yields:
        Indices ``[batch]`` and frames ``[batch, length, mels]``.
    """
    lengths = np.array([max(step, min(len(one), max_frames) // step * step) for one in frames])
    for length in np.unique(lengths):
        members = np.flatnonzero(lengths == length)
        for part in np.array_split(members, -(-len(members) // size)):
            yield part, np.stack([_middle(frames[i], int(length)) for i in part])


def _middle(frames: Frames, length: int) -> Frames:
    if len(frames) < length:
        return np.resize(frames, (length, frames.shape[1]))
    start = (len(frames) - length) // 2
    return frames[start : start + length]
