"""The voices of the demonstration: espeak-ng with effects that suggest emotions."""

from __future__ import annotations

import io
import subprocess
from dataclasses import dataclass

import numpy as np
import soundfile as sf
import soxr
from numpy.typing import NDArray

RATE = 16_000
_SILENT = 0.01  # of full scale; lower samples at the edges are cut

Sound = NDArray[np.float64]


@dataclass(frozen=True)
class Voice:
    """A voice of espeak-ng with effects.

    Attributes:
        variant: voice of espeak-ng, such as ``en-us+f3``.
        pitch: 0 to 99.
        pitch_range: 0 (monotone) to 99.
        speed: words per minute.
        tilt: spectral tilt in dB per octave: above 0 brighter (shouted), below 0 darker (murmured).
        tremble: depth of a tremolo of 7 Hz, 0 to 1.
        breath: amplitude of breath noise relative to the voice.
        level: RMS in dB re full scale.
    """

    variant: str
    pitch: int
    pitch_range: int
    speed: int
    tilt: float
    tremble: float
    breath: float
    level: float


def speak(voice: Voice, words: str) -> NDArray[np.float32]:
    """Speech, float32 ``[n]`` at :data:`RATE`, without silence at its edges."""
    ssml = f'<speak><prosody range="{voice.pitch_range * 2}%">{words}</prosody></speak>'
    command = ["espeak-ng", "-m", "-v", voice.variant, "-p", str(voice.pitch)]
    command += ["-s", str(voice.speed), "--stdout", ssml]
    wav = subprocess.run(command, check=True, capture_output=True).stdout  # noqa: S603
    samples, rate = sf.read(io.BytesIO(wav), dtype="float64")
    sound = np.flatnonzero(np.abs(samples) > _SILENT)
    spoken: Sound = soxr.resample(samples[sound[0] : sound[-1] + 1], rate, RATE)
    spoken = _breathing(_trembling(_tilted(spoken, voice.tilt), voice.tremble), voice.breath)
    spoken *= 10 ** (voice.level / 20) / np.sqrt(np.mean(np.square(spoken)))
    return np.asarray(0.98 * np.tanh(spoken / 0.98), np.float32)


def _tilted(samples: Sound, decibels: float) -> Sound:
    """Tilt the spectrum around 500 Hz."""
    spectrum = np.fft.rfft(samples)
    frequency = np.maximum(np.fft.rfftfreq(len(samples), 1 / RATE), 60.0)
    gain = 10 ** (decibels * np.log2(frequency / 500) / 20)
    return np.asarray(np.fft.irfft(spectrum * gain, len(samples)))


def _trembling(samples: Sound, depth: float) -> Sound:
    seconds = np.arange(len(samples)) / RATE
    return np.asarray(samples * (1 - depth / 2 + depth / 2 * np.sin(2 * np.pi * 7 * seconds)))


def _breathing(samples: Sound, share: float) -> Sound:
    """Add noise with the envelope of the voice."""
    noise = np.random.default_rng(0).standard_normal(len(samples))
    envelope = np.sqrt(np.convolve(np.square(samples), np.ones(400) / 400, "same"))
    return np.asarray(samples + share * noise * envelope)
