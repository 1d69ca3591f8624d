"""Sliding windows over the features of a source.

A window ends at each step, and starts one window length earlier or where the sound starts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from live_ser.frontend.features import Frames
from live_ser.frontend.gate import CHUNK_SECONDS, frame_range
from live_ser.frontend.pitch import VoiceFrames, no_frames, timing
from live_ser.frontend.stream import Features
from live_ser.inference.prosody import ProsodySums, prosody_sums
from live_ser.spec import ModelInfo

PAUSE_SECONDS = 1.0  # a longer pause ends an utterance
# Once there is enough speech after a longer pause, it is classified without the speech before the
# pause, because the emotion may have changed.
_RESTART_SECONDS = 0.45


@dataclass(frozen=True)
class Window:
    """The features of one window.

    Attributes:
        start: seconds from the start of the source.
        end: seconds from the start of the source.
        frames: float32 ``[frames, n_mels]``, the log-mel frames inside the window.
        mask: bool ``[chunks]``, which chunks of the speech gate inside the window are speech that
            is classified: all of it, or what followed the last pause.
        resumed: seconds from the start of the source to the first speech after that pause; None
            where all of it is.
        offset: seconds from the start of the first chunk to the start of the first frame.
        since_speech: seconds since the last speech; None if there was none.
        level_db: RMS of the newest hop in dB re full scale.
        voice: the voice frames (pitch and loudness) whose centres lie in the chunks.
        voice_centre: seconds from the start of the first chunk to the centre of the first of them.
    """

    start: float
    end: float
    frames: Frames
    mask: NDArray[np.bool_]
    resumed: float | None
    offset: float
    since_speech: float | None
    level_db: float
    voice: VoiceFrames
    voice_centre: float

    @property
    def evidence(self) -> float:
        """Seconds of speech."""
        return float(np.count_nonzero(self.mask)) * CHUNK_SECONDS

    @property
    def speech(self) -> float:
        """Share of the window that is speech, 0 to 1."""
        return min(1.0, self.evidence / (self.end - self.start))

    def spoken(self, hop_seconds: float) -> Frames:
        """The log-mel frames from the first to the last speech.

        Args:
            hop_seconds: seconds from one frame to the next.
        """
        first, stop = frame_range(self.mask, hop_seconds, len(self.frames), self.offset)
        return self.frames[first:stop]

    def prosody_sums(self, voice_hop: float) -> ProsodySums:
        """Sums for the prosody of the window.

        Args:
            voice_hop: seconds from one voice frame to the next.
        """
        return prosody_sums(self.voice, self.mask, self.voice_centre, voice_hop)


class SlidingWindows:
    """The newest window of a source, after each step.

    Args:
        info: metadata of the model.
    """

    def __init__(self, info: ModelInfo) -> None:
        self._spec = info.features
        self._restart = restart_seconds(info)
        self._enough = round(info.gate.enough(over=False) / CHUNK_SECONDS)
        self._length = round(info.window * info.features.sample_rate)
        self._voice_hop, self._voice_centre = timing(info.features.sample_rate)
        self._last_speech: float | None = None
        self._begin(0)

    def push(self, features: Features) -> Window:
        """Add a step, and return the window that ends with it.

        Args:
            features: features of the next step. No window reaches across a gap.
        """
        if features.origin != self._origin:
            self._begin(features.origin)
        self._frames.push(features.frames)
        self._mask.push(features.mask)
        self._voice.push(features.voice)

        # In samples and seconds from the origin, where frames and chunks begin.
        rate, hop = self._spec.sample_rate, self._spec.hop_length
        start = max(0, features.stop - self._origin - self._length)
        first_frame = -(-start // hop)
        first_chunk = math.ceil(start / rate / CHUNK_SECONDS - 1e-9)
        self._frames.drop_before(first_frame)
        self._mask.drop_before(first_chunk)
        since = first_chunk * CHUNK_SECONDS
        first_voice = first_frame_after(since, self._voice_hop, self._voice_centre)
        self._voice.drop_before(first_voice)

        end = features.stop / rate
        self._look_for_speech(end)
        mask, first_speech = _newest_part(self._mask.items, self._restart, self._enough)
        resumed = None
        if first_speech is not None:
            resumed = self._origin / rate + (first_chunk + first_speech) * CHUNK_SECONDS
        return Window(
            start=(self._origin + start) / rate,
            end=end,
            frames=self._frames.items,
            mask=mask,
            resumed=resumed,
            offset=first_frame * hop / rate - first_chunk * CHUNK_SECONDS,
            since_speech=None if self._last_speech is None else end - self._last_speech,
            level_db=features.level_db,
            voice=self._voice.items,
            voice_centre=first_voice * self._voice_hop + self._voice_centre - since,
        )

    def _begin(self, origin: int) -> None:
        self._origin = origin
        self._frames = Ring(np.zeros((0, self._spec.n_mels), np.float32))
        self._mask = Ring(np.zeros(0, np.bool_))
        self._voice = Ring(no_frames())

    def _look_for_speech(self, end: float) -> None:
        spoken = np.flatnonzero(self._mask.items)
        if len(spoken):
            last = self._mask.first + int(spoken[-1]) + 1
            origin = self._origin / self._spec.sample_rate
            self._last_speech = min(end, origin + last * CHUNK_SECONDS)


def restart_seconds(info: ModelInfo) -> float:
    """Seconds from which a pause separates utterances in live windows."""
    # A model that was trained with pauses gets the window with its short pauses.
    return _RESTART_SECONDS if info.gate.trim else PAUSE_SECONDS


def stretches(mask: NDArray[np.bool_], pause: float) -> list[tuple[int, int]]:
    """The stretches of speech between pauses: the first chunk of each, and the one after its last.

    Args:
        mask: bool ``[chunks]``.
        pause: seconds from which a pause counts.
    """
    spoken = np.flatnonzero(mask)
    if not len(spoken):
        return []
    last = np.flatnonzero(np.diff(spoken) > pause / CHUNK_SECONDS)
    starts, stops = spoken[[0, *(last + 1)]], spoken[[*last, -1]] + 1
    return [(int(start), int(stop)) for start, stop in zip(starts, stops, strict=True)]


def first_frame_after(seconds: float, hop: float, centre: float) -> int:
    """The index of the first voice frame whose centre is at or after a time."""
    return max(0, math.ceil((seconds - centre) / hop - 1e-9))


def _newest_part(
    mask: NDArray[np.bool_], restart: float, enough: int
) -> tuple[NDArray[np.bool_], int | None]:
    """The mask without the speech before the last pause, which may sound different.

    A pause that does not end the utterance counts once there is enough speech after it.

    Args:
        mask: bool ``[chunks]``.
        restart: seconds from which a pause counts.
        enough: chunks of speech.

    Returns:
        The mask, and the first chunk of speech after the pause; None if there was none.
    """
    spoken = np.flatnonzero(mask)
    pauses = spoken[1:] - spoken[:-1]
    for last in np.flatnonzero(pauses > restart / CHUNK_SECONDS)[::-1]:
        is_long = pauses[last] > PAUSE_SECONDS / CHUNK_SECONDS
        if is_long or len(spoken) - last > enough:
            first = int(spoken[last + 1])
            newest = mask.copy()
            newest[:first] = False
            return newest, first
    return mask, None


class Ring:
    """The newest items of a stream, by their index in the stream.

    Attributes:
        items: the items in memory.
        first: index of the first of them.
    """

    def __init__(self, empty: NDArray) -> None:  # type: ignore[type-arg]
        self.items = empty
        self.first = 0

    @property
    def stop(self) -> int:
        """Index of the next item."""
        return self.first + len(self.items)

    def push(self, items: NDArray) -> None:  # type: ignore[type-arg]
        """Append items."""
        self.items = np.concatenate([self.items, items])

    def between(self, start: int, stop: int) -> NDArray:  # type: ignore[type-arg]
        """The items in memory from one index to another."""
        return self.items[max(0, start - self.first) : max(0, stop - self.first)]

    def drop_before(self, number: int) -> None:
        """Drop the items before an index."""
        drop = min(max(0, number - self.first), len(self.items))
        self.items = self.items[drop:]
        self.first += drop
