"""Voice frames: candidate pitches, power and envelope every 16 ms.

A frame does not depend on its neighbours, so the frames do not depend on the block size. Which
candidate is the pitch is decided later, from all frames of a stretch of speech, in
:mod:`live_ser.inference.prosody`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from live_ser.audio.blocks import Samples
from live_ser.frontend.framing import Framing

CANDIDATES = 4
"""Candidate pitches of a frame."""

LOWEST, HIGHEST = 65.0, 700.0
"""Range of the pitch in Hz."""

REFERENCE = 27.5
"""Hz at 0 semitones: the lowest A of a piano, as in openSMILE."""

FAVOUR = 0.04
"""Bonus in strength per octave: without it, half of the pitch would fit nearly as well."""

_WINDOW, _HOP = 0.048, 0.016  # seconds
_BAND = 4000.0  # Hz, upper limit of the spectrum for the autocorrelation
_SYLLABLES = 300.0, 3000.0  # Hz, band of the envelope: vowels without hum and hiss
_TOGETHER = 64  # frames at a time, which stay in the cache
_LEAST = 1e-12  # power of digital silence

VoiceFrames = NDArray[np.float32]
"""``[frames, 2 * CANDIDATES + 2]``: semitones and strength (0 to 1) of each candidate, the mean
power, and the envelope in dB."""


def timing(rate: int) -> tuple[float, float]:
    """Seconds from one frame to the next, and from the start of a frame to its centre."""
    return round(_HOP * rate) / rate, round(_WINDOW * rate) / rate / 2


class VoiceStream:
    """Voice frames of a signal that arrives in blocks.

    Pitches are the peaks of the autocorrelation, divided by that of the window (Boersma 1993).

    Args:
        rate: sample rate of the signal in Hz.
    """

    def __init__(self, rate: int) -> None:
        length = round(_WINDOW * rate)
        times = (np.arange(length) + 0.5) / length
        window = 0.5 - 0.5 * np.cos(2 * np.pi * times)
        self._size = 1 << (length + int(rate / LOWEST)).bit_length()
        # With another norm than "forward", NumPy transforms float32 as float64 and copies it twice.
        # The window contains the factor that this norm divides by, a power of two.
        self._window = (self._size * window).astype(np.float32)
        # Only the lower part of the spectrum is used, so the autocorrelation has a lower rate.
        part = 1
        while rate / (4 * part) >= _BAND:
            part *= 2
        self._bins, self._rate = self._size // (2 * part) + 1, rate / part
        whole = np.fft.irfft(np.abs(np.fft.rfft(window, self._size)) ** 2)[::part]
        self._first = int(self._rate / HIGHEST)
        last = int(np.ceil(self._rate / LOWEST)) + 1
        self._lags = np.arange(self._first, last + 1)
        self._near = slice(self._first - 1, last + 2)
        self._own = (whole[self._near] / whole[0]).astype(np.float32)
        self._favour = (FAVOUR * np.log2(self._lags / self._first)).astype(np.float32)
        hertz = np.arange(self._bins) * rate / self._size
        self._hum = int(np.searchsorted(hertz, LOWEST * 0.7))
        self._vowels = slice(*np.searchsorted(hertz, _SYLLABLES))
        self._scale = float(np.square(window).sum())
        self._framing = Framing(length, round(_HOP * rate))

    def push(self, samples: Samples) -> VoiceFrames:
        """The frames that ``samples`` complete.

        Args:
            samples: float32 ``[n]``, mono, full scale at 1.
        """
        frames = self._framing.push(samples)
        starts = range(0, len(frames), _TOGETHER)
        measured = [self._measured(frames[i : i + _TOGETHER]) for i in starts]
        return np.concatenate(measured) if measured else no_frames()

    def _measured(self, frames: Samples) -> VoiceFrames:
        weighted = (frames - frames.mean(axis=1, keepdims=True)) * self._window
        spectrum = np.fft.rfft(weighted, self._size, norm="forward")[:, : self._bins]
        powers = spectrum.real**2 + spectrum.imag**2
        power = np.einsum("fs,fs->f", weighted, weighted) / (self._size**2 * self._scale)
        vowels = powers[:, self._vowels].sum(axis=1) / (self._size * self._scale / 2)
        powers[:, : self._hum] = 0
        envelope = 10 * np.log10(np.maximum(vowels, _LEAST))
        semitones, strengths = self._pitches(np.fft.irfft(powers))
        columns = [semitones, strengths, power[:, np.newaxis], envelope[:, np.newaxis]]
        return np.concatenate(columns, axis=1).astype(np.float32)

    def _pitches(self, correlation: NDArray) -> tuple[NDArray, NDArray]:  # type: ignore[type-arg]
        """Semitones and strengths of the highest peaks, ``[frames, CANDIDATES]`` each."""
        energy = np.maximum(correlation[:, :1], _LEAST)
        near = correlation[:, self._near] / energy / self._own
        left, middle, right = near[:, :-2], near[:, 1:-1], near[:, 2:]
        peaks = (middle > left) & (middle >= right)
        score = np.where(peaks, middle - self._favour, -1)
        best = np.argpartition(-score, CANDIDATES, axis=1)[:, :CANDIDATES]
        rows = np.arange(len(best))[:, np.newaxis]
        a, b, c, is_peak = (values[rows, best] for values in (left, middle, right, peaks))
        # The top of the parabola through a peak and its neighbours.
        bend = np.where(is_peak, np.maximum(2 * b - a - c, 1e-9), 1)
        shift = np.where(is_peak, (c - a) / (2 * bend), 0)
        semitones = 12 * np.log2(self._rate / (self._lags[best] + shift) / REFERENCE)
        tops = np.minimum(np.maximum(b + (c - a) * shift / 4, 0), 1)
        return semitones, np.where(is_peak, tops, 0)


def no_frames() -> VoiceFrames:
    """An empty array of voice frames."""
    return np.zeros((0, 2 * CANDIDATES + 2), np.float32)
