"""Synthesised music for tests: chords, arpeggios and drums."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from live_ser.audio.blocks import Samples

Signal = NDArray[np.float64]
Rng = np.random.Generator

_MAJOR = (0, 2, 4, 5, 7, 9, 11)
_PROGRESSIONS = ((0, 4, 5, 3), (0, 5, 3, 4), (5, 3, 0, 4), (0, 3, 4, 4), (1, 4, 0, 5))
_BARS = 8  # in a tune
_LEVEL_DB = -18.0


def music(seconds: float, rate: int, rng: Rng) -> Samples:
    """Synthesise tunes in random keys, tempos, sounds and instruments.

    Args:
        seconds: length.
        rate: sample rate in Hz.
        rng: random generator.

    Returns:
        float32 ``[n]``.
    """
    length = round(seconds * rate)
    tunes: list[Signal] = []
    while sum(map(len, tunes)) < length:
        tunes.append(_Tune(rate, rng).play())
    piece = np.concatenate(tunes)[:length]
    return np.asarray(piece * 10 ** (_LEVEL_DB / 20) / np.sqrt(np.mean(piece**2)), np.float32)


class _Tune:
    """Eight bars of four beats."""

    def __init__(self, rate: int, rng: Rng) -> None:
        self.rate, self.rng = rate, rng
        self.beat = 60 / rng.uniform(70, 150)  # seconds
        self.root = 45 + int(rng.integers(12))  # MIDI note
        self.overtones = rng.uniform(0.3, 0.9) ** np.arange(6)
        self.progression = _PROGRESSIONS[int(rng.integers(len(_PROGRESSIONS)))]
        self.out: Signal = np.zeros(round(4 * _BARS * self.beat * rate))

    def play(self) -> Signal:
        """The tune, by one to three of the instruments."""
        instruments = (self._chords, self._arpeggio, self._drums)
        for place in self.rng.permutation(3)[: int(self.rng.integers(1, 4))]:
            for bar in range(_BARS):
                instruments[place](4 * bar * self.beat, self._chord(self.progression[bar % 4]))
        return self.out

    def _chord(self, degree: int) -> list[int]:
        return [
            self.root + 12 * (note // 7) + _MAJOR[note % 7]
            for note in (degree, degree + 2, degree + 4)
        ]

    def _chords(self, start: float, chord: list[int]) -> None:
        for half in (0, 2):
            for note in chord:
                tone = self._tone(_Note(note, 2 * self.beat, attack=0.05, decay=1.5))
                self._add(start + half * self.beat, 0.3 * tone)

    def _arpeggio(self, start: float, chord: list[int]) -> None:
        for eighth in range(8):
            note = chord[int(self.rng.integers(3))] + 12 * int(self.rng.integers(1, 3))
            tone = self._tone(_Note(note, self.beat, attack=0.005, decay=0.25))
            self._add(start + eighth * self.beat / 2, 0.5 * tone)

    def _drums(self, start: float, chord: list[int]) -> None:
        t = np.arange(round(0.3 * self.rate)) / self.rate
        kick = np.sin(2 * np.pi * (50 * t + 4 * (1 - np.exp(-30 * t)))) * np.exp(-12 * t)
        for quarter in range(4):
            snare = self.rng.standard_normal(len(t)) * np.exp(-20 * t)
            self._add(start + quarter * self.beat, 0.5 * snare if quarter % 2 else kick)
            for eighth in (0.0, 0.5):
                hat = np.diff(self.rng.standard_normal(len(t)), prepend=0.0) * np.exp(-60 * t)
                self._add(start + (quarter + eighth) * self.beat, 0.2 * hat)

    def _tone(self, note: _Note) -> Signal:
        t = np.arange(round(note.seconds * self.rate)) / self.rate
        pitch = 440 * 2 ** ((note.number - 69) / 12)
        envelope = np.minimum(1, t / note.attack) * np.exp(-t / note.decay)
        envelope *= np.minimum(1, (note.seconds - t) / 0.02)  # no click where it ends
        tone = np.zeros(len(t))
        for number, level in enumerate(self.overtones, 1):
            if pitch * number < self.rate / 2:
                tone += level * np.sin(2 * np.pi * pitch * number * t)
        return np.asarray(tone * envelope)

    def _add(self, at: float, sound: Signal) -> None:
        first = round(at * self.rate)
        mine = sound[: max(0, len(self.out) - first)]
        self.out[first : first + len(mine)] += mine


@dataclass(frozen=True)
class _Note:
    """A note: its MIDI number, and its length, attack and decay in seconds."""

    number: int
    seconds: float
    attack: float
    decay: float
