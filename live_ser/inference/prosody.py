"""Prosody: pitch, loudness, rate and pauses of a stretch of speech.

These measures do not depend on the model. They help to understand its predictions, and to question
them.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from live_ser.frontend.framing import framed
from live_ser.frontend.gate import CHUNK_SECONDS
from live_ser.frontend.pitch import (
    CANDIDATES,
    FAVOUR,
    HIGHEST,
    LOWEST,
    REFERENCE,
    VoiceFrames,
)

PAUSE = 0.25
"""Minimum length of a pause in seconds; shorter ones may be consonants (Goldman-Eisler 1968)."""

_VOICED = 0.5  # minimum strength of a voiced frame
_AROUND = 8  # frames to either side from which a pitch should not leap
_PULL = 0.1  # strength that it costs for each semitone
_FARTHEST = 12.0  # semitones from which on it costs no more
_DIP = 2.0  # dB between two syllables at least (de Jong and Wempe 2009)
_SILENT = -200.0  # dB of the envelope without speech
_FEWEST = 6  # voiced frames needed for a pitch
_SHORTEST = 1.0  # seconds of speech needed for a rate
_SAME_TIME = 1e-6  # seconds
_STEPS = 10  # bins of the histogram per semitone
_BOTTOM, _TOP = (12 * math.log2(hertz / REFERENCE) for hertz in (LOWEST / 1.03, HIGHEST * 1.03))
_BINS = math.ceil((_TOP - _BOTTOM) * _STEPS)
_RANGE = 0.1, 0.5, 0.9  # quantiles: low, median and high

Mask = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Prosody:
    """The prosody of a stretch of speech; None for measures that are not available.

    Attributes:
        pitch: median of the voiced frames in Hz.
        pitch_low: 10th percentile of the voiced frames in Hz.
        pitch_high: 90th percentile of the voiced frames in Hz.
        pitch_semitones: the median in semitones above 27.5 Hz.
        pitch_range: semitones from low to high.
        loudness: RMS of the speech alone, in dB re full scale.
        rate: syllable nuclei per second of speech; None for less than a second of speech.
        pauses: share of pauses of 0.25 s or more in the time from the first to the last speech.
        pitch_change: semitones above the speaker's usual pitch; None until 10 s of the speaker are
            known.
        loudness_change: dB above the speaker's usual loudness.
        rate_change: relative to the speaker's usual rate: 1.2 is a fifth faster.
    """

    pitch: float | None = None
    pitch_low: float | None = None
    pitch_high: float | None = None
    pitch_semitones: float | None = None
    pitch_range: float | None = None
    loudness: float | None = None
    rate: float | None = None
    pauses: float | None = None
    pitch_change: float | None = None
    loudness_change: float | None = None
    rate_change: float | None = None


MEASURES: tuple[str, ...] = tuple(field.name for field in fields(Prosody))
"""The names of the measures."""


@dataclass(frozen=True)
class ProsodySums:
    """Sums over speech from which its prosody is computed; they can be added.

    Attributes:
        pitches: int64 ``[bins]``, histogram of pitch, a tenth of a semitone per bin.
        power: sum of the powers of the frames.
        frames: number of frames of speech.
        nuclei: number of syllable nuclei.
        speech: seconds of speech.
        paused: seconds of pauses.
        span: seconds from the first to the last speech.
    """

    pitches: NDArray[np.int64]
    power: float = 0.0
    frames: int = 0
    nuclei: int = 0
    speech: float = 0.0
    paused: float = 0.0
    span: float = 0.0

    def __add__(self, other: ProsodySums) -> ProsodySums:
        return ProsodySums(
            self.pitches + other.pitches,
            self.power + other.power,
            self.frames + other.frames,
            self.nuclei + other.nuclei,
            self.speech + other.speech,
            self.paused + other.paused,
            self.span + other.span,
        )

    def after(self, seconds: float) -> ProsodySums:
        """The sums with the time since the speech before, which may be a pause."""
        paused = seconds if seconds >= PAUSE else 0.0
        return replace(self, paused=self.paused + paused, span=self.span + seconds)

    def prosody(self, usual: Prosody | None = None) -> Prosody | None:
        """The prosody; None without speech.

        Args:
            usual: the speaker's usual prosody, if known.
        """
        if not self.frames:
            return None
        low, middle, high = self._quantiles() or (None, None, None)
        loudness = 10 * math.log10(max(self.power / self.frames, 1e-12))
        rate = self.nuclei / self.speech if self.speech >= _SHORTEST else None
        usual = usual or Prosody()
        was = usual.pitch_semitones
        return Prosody(
            pitch=_hertz(middle),
            pitch_low=_hertz(low),
            pitch_high=_hertz(high),
            pitch_semitones=middle,
            pitch_range=None if high is None or low is None else high - low,
            loudness=loudness,
            rate=rate,
            pauses=self.paused / self.span if self.span else 0.0,
            pitch_change=None if middle is None or was is None else middle - was,
            loudness_change=None if usual.loudness is None else loudness - usual.loudness,
            rate_change=rate / usual.rate if rate and usual.rate else None,
        )

    @cached_property
    def known(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Pitch, loudness and rate, ``[3]``, and 1 for each that is known, 0 for the others."""
        prosody = self.prosody() or Prosody()
        values = (prosody.pitch_semitones, prosody.loudness, prosody.rate)
        is_known = np.array([float(value is not None) for value in values])
        return np.array([value or 0.0 for value in values]), is_known

    def _quantiles(self) -> list[float] | None:
        """The quantiles ``_RANGE`` of pitch in semitones."""
        below = np.cumsum(self.pitches)
        if below[-1] < _FEWEST:
            return None
        targets = np.array(_RANGE) * below[-1]
        places = np.searchsorted(below, targets)
        inside = (targets - (below - self.pitches)[places]) / self.pitches[places]
        return [float(x) for x in _BOTTOM + (places + inside) / _STEPS]


NOTHING = ProsodySums(np.zeros(_BINS, np.int64))


def prosody_sums(voice: VoiceFrames, mask: Mask, centre: float, hop_seconds: float) -> ProsodySums:
    """The sums over a stretch of speech.

    Args:
        voice: its voice frames.
        mask: bool ``[chunks]``, the speech mask.
        centre: seconds from the start of the first chunk to the centre of the first frame.
        hop_seconds: seconds from one frame to the next.
    """
    spoken = np.flatnonzero(mask)
    chunks = ((centre + np.arange(len(voice)) * hop_seconds) / CHUNK_SECONDS).astype(np.int64)
    inside = (chunks >= 0) & (chunks < len(mask))
    speech = np.zeros(len(voice), np.bool_)
    speech[inside] = mask[chunks[inside]]
    if not speech.any():
        return NOTHING
    first, stop = int(spoken[0]), int(spoken[-1]) + 1
    between = spoken[1:] - spoken[:-1] - 1
    semitones, voiced = pitches(voice, speech)
    places = ((semitones[voiced] - _BOTTOM) * _STEPS).astype(np.int64)
    return ProsodySums(
        np.bincount(np.minimum(np.maximum(places, 0), _BINS - 1), minlength=_BINS),
        float(voice[speech, -2].sum(dtype=np.float64)),
        int(np.count_nonzero(speech)),
        _nuclei(np.where(speech, voice[:, -1], _SILENT).tolist(), voiced.tolist()),
        len(spoken) * CHUNK_SECONDS,
        float(between[between >= PAUSE / CHUNK_SECONDS].sum()) * CHUNK_SECONDS,
        (stop - first) * CHUNK_SECONDS,
    )


def pitches(voice: VoiceFrames, speech: Mask) -> tuple[NDArray[np.float32], Mask]:
    """The pitch of each frame: the strongest candidate that does not leap from those around it.

    Args:
        voice: consecutive voice frames.
        speech: bool ``[frames]``, which are speech.

    Returns:
        Semitones above 27.5 Hz, ``[frames]``, and which frames have a pitch, bool ``[frames]``.
    """
    semitones, strengths = voice[:, :CANDIDATES], voice[:, CANDIDATES : 2 * CANDIDATES]
    score = strengths + FAVOUR / 12 * semitones
    rows = np.arange(len(voice))
    best = score.argmax(axis=1)
    for _ in range(2):
        chosen = semitones[rows, best]
        voiced = speech & (strengths[rows, best] > _VOICED)
        if not voiced.any():
            break
        leap = np.abs(semitones - _medians(chosen, voiced)[:, np.newaxis])
        best = (score - _PULL * np.minimum(leap, _FARTHEST)).argmax(axis=1)
    return semitones[rows, best], speech & (strengths[rows, best] > _VOICED)


def _medians(values: NDArray[np.float32], of: Mask) -> NDArray[np.float32]:
    """The running median of the values that count; that of all of them where none does."""
    edge = np.full(_AROUND, np.nan, np.float32)
    padded = np.concatenate([edge, np.where(of, values, np.float32(np.nan)), edge])
    around = np.sort(framed(padded, 2 * _AROUND + 1), axis=1)  # NaN comes last
    count = (~np.isnan(around)).sum(axis=1)
    medians: NDArray[np.float32] = around[np.arange(len(values)), np.maximum(count - 1, 0) // 2]
    if not count.all():
        ordered = np.sort(values[of])
        medians[count == 0] = (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2
    return medians


def _nuclei(envelope: Sequence[float], voiced: Sequence[bool]) -> int:
    """The number of voiced peaks of the envelope with a dip on both sides."""
    count, rising = 0, False
    low, high, top = _SILENT, _SILENT, 0
    for place, value in enumerate(envelope):
        if rising and value > high:
            high, top = value, place
        elif rising and value <= high - _DIP:
            count += voiced[top]
            rising, low = False, value
        elif not rising and value < low:
            low = value
        elif not rising and value >= low + _DIP:
            rising, high, top = True, value, place
    return count + (rising and voiced[top])


def _hertz(semitones: float | None) -> float | None:
    return None if semitones is None else REFERENCE * 2 ** (semitones / 12)


@dataclass(frozen=True)
class _Stretch:
    """A stretch of speech, and the sums of a window that ends with it."""

    start: float
    end: float
    sums: ProsodySums


class UsualProsody:
    """The usual prosody of a speaker, from their speech so far; new speech counts most.

    Its seconds are those of the speaker's baseline: from the first to the last speech of each
    stretch.
    """

    MEMORY = 120.0  # seconds of speech after which older speech counts for less
    ENOUGH = 10.0  # seconds of speech needed

    def __init__(self) -> None:
        self._sums: NDArray[np.float64] = np.zeros(3)
        self._seconds: NDArray[np.float64] = np.zeros(3)
        self._pending: deque[_Stretch] = deque()
        self._until = 0.0

    def before(self, start: float) -> Prosody | None:
        """The usual prosody at a time; None after too little speech.

        Args:
            start: seconds from the start of the source.
        """
        while self._pending and self._pending[0].end <= start + _SAME_TIME:
            stretch = self._pending.popleft()
            self._add(stretch.sums, stretch.end - stretch.start)
        return self.with_later(())

    def update(self, end: float, sums: ProsodySums) -> None:
        """Add a stretch of speech; speech that was added before is not counted twice.

        A stretch that contains earlier ones replaces them, as a longer one is more reliable. Of
        one that overlaps earlier ones, only the new seconds count.

        Args:
            end: its end, in seconds from the start of the source.
            sums: sums over it.
        """
        if not sums.frames or end <= self._until + _SAME_TIME:
            return
        start = end - sums.span
        while self._pending and self._pending[-1].start >= start - _SAME_TIME:
            self._until = self._pending.pop().start
        self._pending.append(_Stretch(max(start, self._until), end, sums))
        self._until = end

    def add(self, sums: ProsodySums) -> None:
        """Add speech that overlaps none that was added before."""
        self._add(sums, sums.span)

    def _add(self, sums: ProsodySums, seconds: float) -> None:
        values, is_known = sums.known
        self._sums += seconds * values
        self._seconds += seconds * is_known
        kept = np.minimum(1, self.MEMORY / np.maximum(self._seconds, self.MEMORY))
        self._sums *= kept
        self._seconds *= kept

    def with_later(self, later: Sequence[ProsodySums]) -> Prosody | None:
        """The usual prosody including later speech; None after too little speech."""
        sums, seconds = self._sums, self._seconds
        for one in later:
            values, is_known = one.known
            sums, seconds = sums + one.span * values, seconds + one.span * is_known
        if seconds[1] < self.ENOUGH:
            return None
        known = [
            float(total / weight) if weight >= self.ENOUGH / 2 else None
            for total, weight in zip(sums, seconds, strict=True)
        ]
        return Prosody(pitch_semitones=known[0], loudness=known[1], rate=known[2])
