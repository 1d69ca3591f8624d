"""Clips strung together: what a corpus of single clips becomes to be like a session."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from live_ser.audio.arrays import ArraySound
from live_ser.audio.blocks import Samples
from live_ser.frontend.gate import CHUNK_SECONDS, speech_mask
from live_ser.inference.recordings import analyse
from live_ser.inference.results import Segment, Verdict
from live_ser.inference.verdict import VerdictSum
from live_ser.model.onnx_model import EmotionModel, Judgement
from live_ser.spec import ModelInfo
from training.corpora.readers import Clip
from training.data.degrade import coloured_noise
from training.data.sound import read_sound

PAUSE = (1.0, 4.0)  # seconds between clips
ROOM_DB = -35.0  # level of the room under the mean level of the clips, pauses included
NOBODY = -1
_TAIL = round(PAUSE[1] / CHUNK_SECONDS)  # chunks of room after the last clip


@dataclass(frozen=True)
class String:
    """Clips one after another.

    Attributes:
        samples: float32 ``[n]``.
        clips: in the order in which they come.
        speaker: int ``[chunks]`` of 32 ms: index of the clip whose speech this is, or ``NOBODY``.
    """

    samples: Samples
    clips: tuple[Clip, ...]
    speaker: NDArray[np.intp]

    def spoken(self, first: int, stop: int) -> NDArray[np.intp]:
        """The clips that the speech in these chunks is of, one for each chunk of speech."""
        inside = self.speaker[first:stop]
        spoken: NDArray[np.intp] = inside[inside != NOBODY]
        return spoken


def most(spoken: NDArray[np.intp]) -> int | None:
    """The clip that most of some speech is of; None without speech."""
    return int(np.bincount(spoken).argmax()) if len(spoken) else None


def string(clips: Sequence[Clip], info: ModelInfo, rng: np.random.Generator) -> String:
    """Put clips in a random order, with pauses between them, into a room."""
    rate = info.features.sample_rate
    order = tuple(clips[i] for i in rng.permutation(len(clips)))
    parts: list[Samples] = []
    speaker: list[NDArray[np.intp]] = []
    for index, clip in enumerate(order):
        pause = round(rng.uniform(*PAUSE) / CHUNK_SECONDS)
        heard = read_sound(clip.path, rate)
        spoken = speech_mask(heard, rate, info.gate)
        if not spoken.any():
            # The corpus says that somebody speaks here, though the gate does not hear it.
            spoken[:] = True
        parts += [_nothing(pause, rate), _whole_chunks(heard, len(spoken), rate)]
        speaker += [np.full(pause, NOBODY), np.where(spoken, index, NOBODY)]
    samples = np.concatenate([*parts, _nothing(_TAIL, rate)])
    level = np.sqrt(np.mean(np.square(samples, dtype=np.float64)))
    samples = samples + hush(len(samples), 20 * np.log10(level) + ROOM_DB, rng)
    return String(samples, order, np.concatenate([*speaker, np.full(_TAIL, NOBODY)]))


def verdicts(model: EmotionModel, clips: Sequence[Clip], *, seed: int) -> dict[str, Verdict]:
    """What is said of each of some clips where they are utterances of one recording.

    Args:
        model: that judges.
        clips: of one speaker.
        seed: of their order and of the room between them.

    Returns:
        By the clip's name, the verdict on the segments that lie in it mostly.
    """
    strung = string(clips, model.info, generator(clips, seed))
    sums = [VerdictSum(model.info) for _ in strung.clips]
    evidence = [0.0] * len(sums)
    rate = model.info.features.sample_rate
    for found in analyse(model, ArraySound(strung.samples, rate, rate), segments=True):
        if not isinstance(found, Segment) or not found.probabilities:
            continue
        first, stop = (round(at / CHUNK_SECONDS) for at in (found.start, found.end))
        place = most(strung.spoken(first, stop))
        if place is not None:
            said = np.array(list(found.probabilities.values()), np.float32)
            sums[place].add(Judgement(said, found.activation or 0.0, None), found.evidence)
            evidence[place] += found.evidence
    return {
        clip.id: one.verdict(seconds, seconds)
        for clip, one, seconds in zip(strung.clips, sums, evidence, strict=True)
    }


def generator(clips: Sequence[Clip], seed: int) -> np.random.Generator:
    """What is random about a string of these clips."""
    return np.random.default_rng([seed, zlib.crc32(clips[0].speaker.encode())])


def by_speaker(clips: Sequence[Clip]) -> list[list[Clip]]:
    """The clips of each speaker."""
    speakers = sorted({clip.speaker for clip in clips})
    return [[clip for clip in clips if clip.speaker == speaker] for speaker in speakers]


def hush(length: int, level_db: float, rng: np.random.Generator) -> Samples:
    """A quiet room: pink noise."""
    return at_level(coloured_noise(length, rng, slope_db=3).astype(np.float32), level_db)


def at_level(samples: Samples, level_db: float) -> Samples:
    """Sound at an RMS level in dB re full scale; silence stays as it is."""
    rms = float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))
    return samples * np.float32(10 ** (level_db / 20) / rms) if rms else samples


def _nothing(chunks: int, rate: int) -> Samples:
    return np.zeros(round(chunks * CHUNK_SECONDS * rate), np.float32)


def _whole_chunks(samples: Samples, chunks: int, rate: int) -> Samples:
    """What the gate has heard: the rest after its last chunk is less than a moment."""
    return samples[: round(chunks * CHUNK_SECONDS * rate)]
