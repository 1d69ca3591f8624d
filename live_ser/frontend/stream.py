"""The front end: samples in; log-mel frames, speech mask, voice frames and level out."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from live_ser.audio.arrays import checked_block
from live_ser.audio.blocks import Samples
from live_ser.frontend.dc_blocker import DCBlocker
from live_ser.frontend.features import Frames, FrameStream
from live_ser.frontend.gate import SpeechGate
from live_ser.frontend.pitch import VoiceFrames, VoiceStream
from live_ser.spec import ModelInfo

_QUIETEST = 1e-6  # RMS: digital silence is -120 dB


@dataclass(frozen=True)
class Features:
    """The features of one step of sound.

    Attributes:
        origin: sample at which this stretch of sound started: 0, or the end of the last gap.
        stop: sample, from the start of the source, at which the step ends.
        frames: float32 ``[frames, n_mels]``, the log-mel frames that the step completes.
        mask: bool ``[chunks]``, the speech mask of the gate's chunks that the step completes.
        voice: the voice frames (pitch and loudness) that the step completes.
        level_db: RMS of the step in dB re full scale.
    """

    origin: int
    stop: int
    frames: Frames
    mask: NDArray[np.bool_]
    voice: VoiceFrames
    level_db: float


class FrontEnd:
    """Features of sound that arrives in blocks, a step at a time.

    Steps end at every multiple of their length from the start of the source; the last one may be
    shorter. The features do not depend on the block size.

    Args:
        info: metadata of the model.
        step: length of a step in seconds.
    """

    def __init__(self, info: ModelInfo, step: float) -> None:
        self._info = info
        self._rate = info.features.sample_rate
        self._step = max(1, round(step * self._rate))
        self._position = 0  # samples from the start of the source to the end of the last step
        self._waiting: list[Samples] = []
        self._waits = 0  # samples in these
        self._begin()

    @property
    def seconds(self) -> float:
        """Seconds from the start of the source to the newest sample."""
        return (self._position + self._waits) / self._rate

    @property
    def lacking(self) -> float:
        """Seconds of sound missing for the next step; 0 or less if it is complete."""
        return (self._to_go - self._waits) / self._rate

    def push(self, samples: ArrayLike) -> Iterator[Features]:
        """Yield the features of the steps that ``samples`` complete.

        Args:
            samples: ``[n]``, mono at the model's rate, as :func:`checked_block` takes them.

        Raises:
            InvalidArgument: the samples are not mono sound.
        """
        self.take(checked_block(samples))
        yield from self.steps()

    def take(self, samples: Samples) -> bool:
        """Add sound without computing features, which is cheap.

        Args:
            samples: float32 ``[n]``, mono at the model's rate, which were checked. They are not
                copied before a step is complete.

        Returns:
            Whether a step is complete.
        """
        self._waiting.append(samples)
        self._waits += len(samples)
        return self._waits >= self._to_go

    def steps(self) -> Iterator[Features]:
        """Yield the features of the steps that are complete."""
        if self._waits < self._to_go:
            return
        sound = np.concatenate(self._waiting)
        while len(sound) >= (length := self._to_go):
            step, sound = sound[:length], sound[length:]
            self._waiting, self._waits = [sound], len(sound)
            yield self._features(step)

    def finish(self) -> Iterator[Features]:
        """Yield the features of the last step, if any sound is left."""
        if self._waits:
            step = np.concatenate(self._waiting)
            self._waiting, self._waits = [], 0
            yield self._features(step)

    def gap(self, seconds: float) -> None:
        """Skip lost sound; no feature reaches across the gap."""
        self._position += self._waits + round(seconds * self._rate)
        self._begin()

    @property
    def _to_go(self) -> int:
        """Samples from the end of the last step to the end of the next one."""
        return self._step - self._position % self._step

    def _begin(self) -> None:
        """Reset all state but the position."""
        self._origin = self._position
        self._waiting, self._waits = [], 0
        self._blocker = DCBlocker(self._rate)
        self._frames = FrameStream(self._info.features)
        self._gate = SpeechGate(self._rate, self._info.gate.floor_db)
        self._voice = VoiceStream(self._rate)

    def _features(self, step: Samples) -> Features:
        self._position += len(step)
        step = self._blocker.push(step)
        return Features(
            origin=self._origin,
            stop=self._position,
            frames=self._frames.push(step),
            mask=self._gate.push(step) >= self._info.gate.threshold,
            voice=self._voice.push(step),
            level_db=level_db(step),
        )


def level_db(samples: Samples) -> float:
    """RMS in dB re full scale; -120 for digital silence, 0 for a square wave at full scale."""
    if not len(samples):
        return 20 * math.log10(_QUIETEST)
    sound = samples.astype(np.float64)
    rms = math.sqrt(sound @ sound / len(sound))
    return 20 * math.log10(max(rms, _QUIETEST))
