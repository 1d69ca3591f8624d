"""Synthetic sessions: clips of one speaker, concatenated in a quiet room."""

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
from live_ser.model.onnx_model import EmotionModel, ModelOutput
from live_ser.spec import ModelInfo
from training.corpora.clips import Clip
from training.data.degrade import coloured_noise
from training.data.sound import read_sound

PAUSE = (1.0, 4.0)  # seconds between clips
ROOM_DB = -35.0  # level of the room relative to that of the session
NO_CLIP = -1
_TAIL = round(PAUSE[1] / CHUNK_SECONDS)  # chunks of room tone after the last clip


@dataclass(frozen=True)
class Session:
    """Clips one after another.

    Attributes:
        samples: float32 ``[n]``.
        clips: the clips in their order.
        clip_at: int ``[chunks]``: index of the clip whose speech is in each chunk of 32 ms, or
            ``NO_CLIP``.
    """

    samples: Samples
    clips: tuple[Clip, ...]
    clip_at: NDArray[np.intp]

    def clips_in(self, first: int, stop: int) -> NDArray[np.intp]:
        """Index of the clip of each chunk of speech in a range of chunks."""
        inside = self.clip_at[first:stop]
        spoken: NDArray[np.intp] = inside[inside != NO_CLIP]
        return spoken


def most_frequent(indices: NDArray[np.intp]) -> int | None:
    """The most frequent index of a clip; None without any."""
    return int(np.bincount(indices).argmax()) if len(indices) else None


def concatenate(clips: Sequence[Clip], info: ModelInfo, rng: np.random.Generator) -> Session:
    """Concatenate clips in a random order, with pauses between them, in a quiet room.

    Args:
        clips: clips of one speaker.
        info: metadata of the model.
        rng: random generator.
    """
    rate = info.features.sample_rate
    order = tuple(clips[i] for i in rng.permutation(len(clips)))
    pieces: list[Samples] = []
    clip_at: list[NDArray[np.intp]] = []
    for index, clip in enumerate(order):
        pause = round(rng.uniform(*PAUSE) / CHUNK_SECONDS)
        samples = read_sound(clip.path, rate)
        speech = speech_mask(samples, rate, info.gate)
        if not speech.any():
            # According to the corpus there is speech, although the gate does not detect any.
            speech[:] = True
        pieces += [_zeros(pause, rate), _whole_chunks(samples, len(speech), rate)]
        clip_at += [np.full(pause, NO_CLIP), np.where(speech, index, NO_CLIP)]
    samples = np.concatenate([*pieces, _zeros(_TAIL, rate)])
    level = np.sqrt(np.mean(np.square(samples, dtype=np.float64)))
    samples = samples + room_tone(len(samples), 20 * np.log10(level) + ROOM_DB, rng)
    return Session(samples, order, np.concatenate([*clip_at, np.full(_TAIL, NO_CLIP)]))


def predict_session(model: EmotionModel, clips: Sequence[Clip], *, seed: int) -> dict[str, Verdict]:
    """Predict clips as utterances of one recording.

    Args:
        model: the model.
        clips: clips of one speaker.
        seed: seed of their order and of the room.

    Returns:
        The verdict on each clip, by its id, from the segments that are mostly in it.
    """
    session = concatenate(clips, model.info, generator(clips, seed))
    sums = [VerdictSum(model.info) for _ in session.clips]
    evidence = [0.0] * len(sums)
    rate = model.info.features.sample_rate
    for segment in analyse(model, ArraySound(session.samples, rate, rate), segments=True):
        if not isinstance(segment, Segment) or not segment.probabilities:
            continue
        first, stop = (round(at / CHUNK_SECONDS) for at in (segment.start, segment.end))
        place = most_frequent(session.clips_in(first, stop))
        if place is not None:
            probabilities = np.array(list(segment.probabilities.values()), np.float32)
            output = ModelOutput(probabilities, segment.activation or 0.0, None)
            sums[place].add(output, segment.evidence)
            evidence[place] += segment.evidence
    return {
        clip.id: one.verdict(seconds, seconds)
        for clip, one, seconds in zip(session.clips, sums, evidence, strict=True)
    }


def generator(clips: Sequence[Clip], seed: int) -> np.random.Generator:
    """The random generator of a session of clips."""
    return np.random.default_rng([seed, zlib.crc32(clips[0].speaker.encode())])


def by_speaker(clips: Sequence[Clip]) -> list[list[Clip]]:
    """The clips of each speaker."""
    speakers = sorted({clip.speaker for clip in clips})
    return [[clip for clip in clips if clip.speaker == speaker] for speaker in speakers]


def room_tone(length: int, level_db: float, rng: np.random.Generator) -> Samples:
    """The sound of a quiet room: pink noise at a level in dB re full scale."""
    return at_level(coloured_noise(length, rng, slope_db=3).astype(np.float32), level_db)


def at_level(samples: Samples, level_db: float) -> Samples:
    """Sound scaled to an RMS level in dB re full scale; silence is unchanged."""
    rms = float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))
    return samples * np.float32(10 ** (level_db / 20) / rms) if rms else samples


def _zeros(chunks: int, rate: int) -> Samples:
    return np.zeros(round(chunks * CHUNK_SECONDS * rate), np.float32)


def _whole_chunks(samples: Samples, chunks: int, rate: int) -> Samples:
    """The samples of whole chunks of the gate, without the rest."""
    return samples[: round(chunks * CHUNK_SECONDS * rate)]
