"""Recording conditions: noise, sample rates, and little speech.

Each condition turns a clip into blocks at the model's rate. The random generator is seeded by the
clip's id, so that the same clip has the same noise at every level.
"""

from __future__ import annotations

import tempfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from live_ser.audio.blocks import Samples
from live_ser.audio.sources import audio_file
from live_ser.errors import LiveSerError
from live_ser.frontend.gate import CHUNK_SECONDS, speech_mask
from live_ser.spec import ModelInfo
from training.corpora.clips import Clip
from training.data.degrade import (
    Surroundings,
    add_noise,
    coloured_noise,
    degrade,
    read_surroundings,
)
from training.data.sound import read_sound

SNR_DB = (20, 10, 5, 0)
RATES = (8_000, 16_000, 44_100, 48_000)
SECONDS = (0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5)

Followers = Mapping[str, Sequence[Clip]]
"""Other clips of the same speaker and emotion, by the id of a clip."""


def as_recorded(clip: Clip, info: ModelInfo) -> Iterator[Samples]:
    """The clip as it is."""
    with audio_file(clip.path, info.features.sample_rate) as blocks:
        yield from blocks


def noisy(
    clip: Clip, info: ModelInfo, *, snr_db: float, data: Path, seed: int
) -> Iterator[Samples]:
    """The clip in noise: from ESC-10 for half of the clips, white to brown for the others.

    Args:
        clip: the clip.
        info: metadata of the model.
        snr_db: ratio of the mean power of the clip, with its pauses, to that of the noise in dB.
        data: folder that holds ``noise/esc10``.
        seed: seed of the noise.
    """
    rate = info.features.sample_rate
    samples = read_sound(clip.path, rate).astype(np.float64)
    rng = np.random.default_rng([seed, zlib.crc32(clip.id.encode())])
    noise = _noise(len(samples), rate, data, rng)
    yield add_noise(samples, noise, snr_db).astype(np.float32)


def degraded(clip: Clip, info: ModelInfo, *, data: Path, seed: int) -> Iterator[Samples]:
    """The clip as another microphone, room or line would have recorded it, as in training.

    Args:
        clip: the clip.
        info: metadata of the model.
        data: folder with ``noise``.
        seed: seed of the degradation.
    """
    rate = info.features.sample_rate
    rng = np.random.default_rng([seed, zlib.crc32(clip.id.encode())])
    around = Surroundings(esc10(data, rate))
    yield degrade(read_sound(clip.path, rate), rate, around, rng)


def at_rate(clip: Clip, info: ModelInfo, *, rate: int) -> Iterator[Samples]:
    """The clip as a file with another sample rate in Hz."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "clip.wav")
        soundfile.write(path, read_sound(clip.path, rate), rate, subtype="FLOAT")
        with audio_file(path, info.features.sample_rate) as blocks:
            yield from blocks


def for_seconds(
    clip: Clip, info: ModelInfo, *, seconds: float, followers: Followers
) -> Iterator[Samples]:
    """The clip up to an amount of speech; a short one is continued with its followers.

    Args:
        clip: the clip.
        info: metadata of the model.
        seconds: seconds of speech.
        followers: other clips of the speaker and emotion; only their speech is appended.
    """
    rate = info.features.sample_rate
    wanted = int(np.ceil(seconds / CHUNK_SECONDS - 1e-9))
    samples = read_sound(clip.path, rate)
    others = iter(followers.get(clip.id, ()))
    while True:
        speech = np.flatnonzero(speech_mask(samples, rate, info.gate))
        if len(speech) >= wanted:
            # The gate is causal, so that its mask of the cut clip is the same.
            yield samples[: round((speech[wanted - 1] + 1) * CHUNK_SECONDS * rate)]
            return
        follower = next(others, None)
        if follower is None:
            yield samples
            return
        end = round((speech[-1] + 1) * CHUNK_SECONDS * rate) if len(speech) else len(samples)
        samples = np.concatenate([samples[:end], _speech(read_sound(follower.path, rate), info)])


def followers_of(clips: Sequence[Clip]) -> Followers:
    """For each clip, those of its speaker and emotion: first those after it, then those before."""
    groups: dict[tuple[str, str], list[Clip]] = {}
    for clip in clips:
        groups.setdefault((clip.speaker, clip.emotion), []).append(clip)
    return {
        clip.id: (*group[place + 1 :], *group[:place])
        for group in groups.values()
        for place, clip in enumerate(group)
    }


@lru_cache(maxsize=1)
def esc10(data: Path, rate: int) -> Sequence[Samples]:
    """Noises of ESC-10.

    Raises:
        LiveSerError: there are none.
    """
    noises = read_surroundings(data, rate).noises
    if not noises:
        raise LiveSerError(
            f"no noise in {data / 'noise' / 'esc10'}",
            "put clips of ESC-10 there, or leave out the parts noise and stream with --parts",
        )
    return noises


def _noise(length: int, rate: int, data: Path, rng: np.random.Generator) -> NDArray[np.float64]:
    if rng.random() < 0.5:
        return coloured_noise(length, rng, slope_db=rng.uniform(0, 6))
    noises = esc10(data, rate)
    noise = noises[int(rng.integers(len(noises)))]
    return np.resize(np.roll(noise, -int(rng.integers(len(noise)))), length).astype(np.float64)


def _speech(samples: Samples, info: ModelInfo) -> Samples:
    """The samples from the first to the last speech; all if there is none."""
    rate = info.features.sample_rate
    spoken = np.flatnonzero(speech_mask(samples, rate, info.gate))
    if not len(spoken):
        return samples
    first, last = round(spoken[0] * CHUNK_SECONDS * rate), spoken[-1] + 1
    return samples[first : round(last * CHUNK_SECONDS * rate)]
