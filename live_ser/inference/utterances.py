"""Utterances: speech cut at its pauses, block by block.

Speech is cut at every long pause, and then at the longest remaining pauses until no piece is longer
than the model's window. Whether a pause is cut depends only on the sound within a window of it, so
only the newest part of the recording is in memory.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from live_ser.frontend.features import Frames
from live_ser.frontend.gate import CHUNK_SECONDS
from live_ser.frontend.pitch import VoiceFrames, no_frames, timing
from live_ser.inference.prosody import NOTHING, Prosody, ProsodySums, prosody_sums
from live_ser.inference.windows import PAUSE_SECONDS, Ring, first_frame_after
from live_ser.spec import ModelInfo

Mask = NDArray[np.bool_]

_PAUSE = int(PAUSE_SECONDS / CHUNK_SECONDS)  # chunks; longer pauses are cut
_UNBROKEN = 16  # speech without a pause is cut after so many times the longest piece


@dataclass(frozen=True)
class Utterance:
    """A part of a recording that is classified as a whole.

    Attributes:
        start: seconds from the start of the recording.
        end: seconds from the start of the recording.
        frames: float32 ``[frames, n_mels]``; there may be none.
        evidence: seconds of speech in it.
        prosody_sums: sums for its prosody.
        usual: the speaker's usual prosody, before and after it; None after too little speech.
        turn: index of the given interval that it is from.
    """

    start: float
    end: float
    frames: Frames
    evidence: float
    prosody_sums: ProsodySums = NOTHING
    usual: Prosody | None = None
    turn: int = 0


class UtteranceStream:
    """The utterances of a recording, block by block.

    For a model that takes trimmed speech (``info.gate.trim``) these are the utterances; for one
    that does not, consecutive windows of the recording.

    Args:
        info: metadata of the model.
    """

    def __init__(self, info: ModelInfo) -> None:
        self._cutter: _Cutter = _Utterances(info) if info.gate.trim else _Windows(info)
        self._frames = Ring(np.zeros((0, info.features.n_mels), np.float32))
        self._mask = Ring(np.zeros(0, np.bool_))
        self._voice = Ring(no_frames())
        self._voice_hop, self._voice_centre = timing(info.features.sample_rate)
        self._cuts: deque[_Cut] = deque()

    def push(self, frames: Frames, mask: Mask, voice: VoiceFrames) -> Iterator[Utterance]:
        """Add features, and yield the utterances that are complete.

        Args:
            frames: float32 ``[frames, n_mels]``, the next log-mel frames.
            mask: bool ``[chunks]``, the next chunks of the speech mask.
            voice: the next voice frames (pitch and loudness).
        """
        self._frames.push(frames)
        self._mask.push(mask)
        self._voice.push(voice)
        self._cuts += self._cutter.push(mask)
        while self._cuts and self._is_whole(self._cuts[0]):
            yield self._utterance(self._cuts.popleft())
        needed = self._cuts[0] if self._cuts else self._cutter.begun
        self._frames.drop_before(needed.first_frame)
        self._mask.drop_before(needed.first_chunk)
        self._voice.drop_before(self._voice_at(needed.first_chunk))

    def finish(self) -> Iterator[Utterance]:
        """Yield the utterances that end with the recording."""
        self._cuts += self._cutter.finish()
        while self._cuts:
            yield self._utterance(self._cuts.popleft())

    def _is_whole(self, cut: _Cut) -> bool:
        last_voice = self._voice_at(cut.last_chunk)
        return cut.last_frame <= self._frames.stop and last_voice <= self._voice.stop

    def _voice_at(self, chunk: int) -> int:
        """The index of the first voice frame whose centre is at or after a chunk."""
        return first_frame_after(chunk * CHUNK_SECONDS, self._voice_hop, self._voice_centre)

    def _utterance(self, cut: _Cut) -> Utterance:
        mask = self._mask.between(cut.first_chunk, cut.last_chunk)
        first = self._voice_at(cut.first_chunk)
        voice = self._voice.between(first, self._voice_at(cut.last_chunk))
        centre = first * self._voice_hop + self._voice_centre - cut.first_chunk * CHUNK_SECONDS
        return Utterance(
            cut.start,
            min(cut.end, self._mask.stop * CHUNK_SECONDS),
            self._frames.between(cut.first_frame, cut.last_frame),
            float(np.count_nonzero(mask)) * CHUNK_SECONDS,
            prosody_sums(voice, mask, centre, self._voice_hop),
        )


class UtteranceCutter:
    """Cut speech at its pauses into pieces of limited length.

    Args:
        longest: chunks in a piece, at most.
    """

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._chunks = 0  # so far
        self._spoken = np.zeros(0, np.int64)  # chunks of speech in the open piece
        self._before = math.inf  # the pause before it

    @property
    def begun(self) -> int:
        """The chunk at which the open piece starts."""
        return int(self._spoken[0]) if len(self._spoken) else self._chunks

    def push(self, mask: Mask) -> list[tuple[int, int]]:
        """Add chunks, and return the pieces that are complete.

        Args:
            mask: bool ``[chunks]``, the next chunks of the speech mask.

        Returns:
            First chunk and the chunk after the last of each piece, in order. Pieces start and end
            with speech, except those cut in speech without a pause.
        """
        self._spoken = np.concatenate([self._spoken, self._chunks + np.flatnonzero(mask)])
        self._chunks += len(mask)
        if not len(self._spoken):
            return []
        *done, (first, stop, before) = self._cut()
        pieces = [piece for first, stop, _ in done for piece in self._short(first, stop)]
        limit = _UNBROKEN * self._longest
        while stop - first > limit:
            pieces += self._short(first, first + limit)
            first, before = first + limit, 0
        if self._chunks - int(self._spoken[-1]) - 1 > _PAUSE:
            return pieces + self.finish(first)
        self._spoken, self._before = self._spoken[first:], before
        return pieces

    def finish(self, first: int = 0) -> list[tuple[int, int]]:
        """The pieces of what is left."""
        last = self._short(first, len(self._spoken)) if len(self._spoken) else []
        self._spoken, self._before = self._spoken[:0], math.inf
        return last

    def _cut(self) -> list[tuple[int, int, float]]:
        """Ranges of the chunks of speech, and the pause before each.

        A pause is cut if it is long, or if the longest stretch around it without a longer pause is
        too long for a piece. That is certain if a shorter pause before it was cut.
        """
        # Pause i lies between the spoken chunks i and i + 1.
        pauses = np.diff(self._spoken) - 1
        ranges = []
        todo: list[tuple[int, int, float]] = [(0, len(self._spoken), self._before)]
        while todo:
            first, stop, before = todo.pop()
            cut = first + int(np.argmax(pauses[first : stop - 1])) if stop - first > 1 else first
            pause = int(pauses[cut]) if stop - first > 1 else 0
            length = int(self._spoken[stop - 1]) + 1 - int(self._spoken[first])
            if pause and (length > self._longest or pause > min(before, _PAUSE)):
                todo += [(cut + 1, stop, pause), (first, cut + 1, before)]
            else:
                ranges.append((first, stop, before))
        return ranges

    def _short(self, first: int, stop: int) -> list[tuple[int, int]]:
        """Chunks of a range, halved while it is too long: speech without a pause."""
        begin, end = int(self._spoken[first]), int(self._spoken[stop - 1]) + 1
        limit = _UNBROKEN * self._longest
        parts = [(at, min(at + limit, end)) for at in range(begin, end, limit)]
        while any(stop - start > self._longest for start, stop in parts):
            parts = [half for part in parts for half in _halves(part, self._longest)]
        return parts


def pieces(mask: Mask, longest: int) -> list[tuple[int, int]]:
    """Cut the speech of a whole recording, as :class:`UtteranceCutter` does.

    Args:
        mask: bool ``[chunks]``, the speech mask.
        longest: chunks in a piece, at most.
    """
    cutter = UtteranceCutter(longest)
    return cutter.push(mask) + cutter.finish()


class _Cut(NamedTuple):
    """The position of an utterance."""

    start: float
    end: float
    first_frame: int
    last_frame: int  # exclusive, as with chunks
    first_chunk: int
    last_chunk: int


class _Cutter(Protocol):
    """Finds the positions of utterances."""

    @property
    def begun(self) -> _Cut: ...

    def push(self, mask: Mask) -> list[_Cut]: ...

    def finish(self) -> list[_Cut]: ...


class _Utterances:
    def __init__(self, info: ModelInfo) -> None:
        self._hop = info.features.hop_length / info.features.sample_rate
        self._cutter = UtteranceCutter(int(info.window / CHUNK_SECONDS))

    @property
    def begun(self) -> _Cut:
        return self._at(self._cutter.begun, self._cutter.begun)

    def push(self, mask: Mask) -> list[_Cut]:
        return [self._at(*piece) for piece in self._cutter.push(mask)]

    def finish(self) -> list[_Cut]:
        return [self._at(*piece) for piece in self._cutter.finish()]

    def _at(self, first: int, stop: int) -> _Cut:
        start, end = first * CHUNK_SECONDS, stop * CHUNK_SECONDS
        return _Cut(start, end, round(start / self._hop), round(end / self._hop), first, stop)


class _Windows:
    def __init__(self, info: ModelInfo) -> None:
        self._info = info
        self._chunks = 0
        self._start = info.offset

    @property
    def begun(self) -> _Cut:
        # A recording that ends before the offset is classified from its start.
        return self._at(self._start if self._seconds > self._info.offset else 0.0)

    @property
    def _seconds(self) -> float:
        return self._chunks * CHUNK_SECONDS

    def push(self, mask: Mask) -> list[_Cut]:
        self._chunks += len(mask)
        done = []
        while (cut := self._at(self._start)).last_chunk <= self._chunks and cut.end < self._seconds:
            done.append(cut)
            self._start = cut.end
        return done

    def finish(self) -> list[_Cut]:
        cuts = [self.begun]
        while cuts[-1].end < self._seconds:
            cuts.append(self._at(cuts[-1].end))
        return cuts if self._seconds else []

    def _at(self, start: float) -> _Cut:
        spec, window = self._info.features, self._info.window
        first = math.ceil(start * spec.sample_rate / spec.hop_length)
        return _Cut(
            start,
            start + window,
            first,
            first + spec.frames_in(round(window * spec.sample_rate)),
            round(start / CHUNK_SECONDS),
            round((start + window) / CHUNK_SECONDS),
        )


def _halves(part: tuple[int, int], longest: int) -> list[tuple[int, int]]:
    start, stop = part
    middle = (start + stop) // 2
    return [part] if stop - start <= longest else [(start, middle), (middle, stop)]
