"""Degradation of recordings: rooms, noise, telephones, cheap microphones.

It works on the waveform, which is expensive, so that a few takes of each clip are computed once and
cached.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, fftconvolve, sosfilt

from live_ser.audio.blocks import Samples
from training.data.sound import read_sound

Rng = np.random.Generator


@dataclass(frozen=True)
class Surroundings:
    """Noises and impulse responses.

    Attributes:
        noises: float32 ``[n]`` each, mono at the features' rate.
        rooms: impulse responses, float32 ``[n]`` each, at the same rate.
    """

    noises: Sequence[Samples] = ()
    rooms: Sequence[Samples] = ()


def read_surroundings(data: Path, rate: int) -> Surroundings:
    """Read noises and impulse responses.

    Args:
        data: folder with ``noise/esc10`` and ``noise/ir``, either of which may be missing.
        rate: sample rate of the result in Hz.
    """

    def read_all(folder: str) -> list[Samples]:
        paths = sorted((data / "noise" / folder).glob("*.*"))
        return [read_sound(path, rate) for path in paths if path.suffix in (".ogg", ".wav")]

    return Surroundings(read_all("esc10"), read_all("ir"))


def degrade(samples: Samples, rate: int, around: Surroundings, rng: Rng) -> Samples:
    """A clip as another microphone, room or line would have recorded it.

    Args:
        samples: float32 ``[n]``.
        rate: sample rate in Hz.
        around: noises and rooms to draw from.
        rng: random generator.

    Returns:
        float32 ``[n]``, of the same length and timing.
    """
    out = samples.astype(np.float64)
    if rng.random() < 0.5:
        out = reverberate(out, _room(rate, around, rng))
    if rng.random() < 0.6:
        out = add_noise(out, _noise(len(out), rate, around, rng), snr_db=rng.uniform(0, 30))
    if rng.random() < 0.4:
        out = band_limit(out, rate, rng)
    if rng.random() < 0.15:
        out = mu_law(out)
    if rng.random() < 0.15:
        out = clip(out, share=rng.uniform(0.001, 0.03))
    return _at_level(out, level_db=rng.uniform(-45, -12)).astype(np.float32)


def reverberate(samples: NDArray[np.float64], room: NDArray[np.float64]) -> NDArray[np.float64]:
    """The signal in a room, without the delay of the direct sound."""
    wet = fftconvolve(samples, room)[np.argmax(np.abs(room)) :][: len(samples)]
    return np.asarray(wet, np.float64)


def add_noise(
    samples: NDArray[np.float64], noise: NDArray[np.float64], snr_db: float
) -> NDArray[np.float64]:
    """The signal with noise.

    Args:
        samples: float64 ``[n]``.
        noise: float64 ``[n]``.
        snr_db: ratio of the mean powers in dB.
    """
    signal, disturbance = np.mean(samples**2), np.mean(noise**2)
    if disturbance <= 0:
        return samples
    gain = np.sqrt(signal / disturbance / 10 ** (snr_db / 10))
    return samples + noise * float(gain)


def band_limit(samples: NDArray[np.float64], rate: int, rng: Rng) -> NDArray[np.float64]:
    """The signal through a band-pass, as of a telephone, a headset or a cheap microphone."""
    low = rng.choice([60.0, 150.0, 300.0])
    high = min(rng.choice([3400.0, 4000.0, 5500.0, 7000.0]), 0.49 * rate)
    sos = butter(4, [low, high], "bandpass", fs=rate, output="sos")
    return np.asarray(sosfilt(sos, samples))


def mu_law(samples: NDArray[np.float64], levels: int = 256) -> NDArray[np.float64]:
    """The signal after mu-law coding, as on a telephone line (ITU-T G.711)."""
    peak = np.max(np.abs(samples)) or 1.0
    mu = levels - 1
    coded = np.sign(samples) * np.log1p(mu * np.abs(samples / peak)) / np.log1p(mu)
    rounded = np.round((coded + 1) / 2 * mu) / mu * 2 - 1
    decoded = np.sign(rounded) * np.expm1(np.abs(rounded) * np.log1p(mu)) / mu
    return np.asarray(peak * decoded, np.float64)


def clip(samples: NDArray[np.float64], share: float) -> NDArray[np.float64]:
    """The signal of an overdriven input: a share of the samples is clipped."""
    limit = np.quantile(np.abs(samples), 1 - share)
    return np.clip(samples, -limit, limit) if limit > 0 else samples


def coloured_noise(length: int, rng: Rng, slope_db: float) -> NDArray[np.float64]:
    """Noise whose power falls by ``slope_db`` per octave: 0 is white, 3 pink and 6 brown."""
    spectrum = np.fft.rfft(rng.standard_normal(length))
    bins = np.maximum(np.arange(len(spectrum)), 1)
    shaped: NDArray[np.float64] = np.fft.irfft(spectrum * bins ** (-slope_db / 6.02), length)
    return shaped


def _noise(length: int, rate: int, around: Surroundings, rng: Rng) -> NDArray[np.float64]:
    if not around.noises or rng.random() < 0.4:
        return coloured_noise(length, rng, slope_db=rng.uniform(-1, 7))
    noise = around.noises[int(rng.integers(len(around.noises)))]
    start = rng.integers(len(noise))
    return np.asarray(np.resize(np.roll(noise, -start), length), np.float64)


def _room(rate: int, around: Surroundings, rng: Rng) -> NDArray[np.float64]:
    if around.rooms and rng.random() < 0.4:
        return around.rooms[int(rng.integers(len(around.rooms)))].astype(np.float64)
    # Direct sound, then a diffuse tail: noise that decays by 60 dB in the reverberation time.
    decay = rng.uniform(0.1, 0.7)
    times = np.arange(int(decay * rate)) / rate
    tail = rng.standard_normal(len(times)) * 10 ** (-3 * times / decay)
    tail *= np.sqrt(10 ** (-rng.uniform(0, 15) / 10) / np.sum(tail**2))
    tail[0] = 1.0
    return tail


def _at_level(samples: NDArray[np.float64], level_db: float) -> NDArray[np.float64]:
    rms = np.sqrt(np.mean(samples**2))
    if rms <= 0:
        return samples
    scaled: NDArray[np.float64] = samples * 10 ** (level_db / 20) / float(rms)
    return np.clip(scaled, -1, 1)
