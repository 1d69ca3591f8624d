"""The demonstration: a bundled recording with its intended emotions, repeated."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from live_ser.audio.blocks import AGAIN, Block, Gap, Voice
from live_ser.audio.decoder import Decoder
from live_ser.audio.devices import BLOCK_SECONDS
from live_ser.audio.files import AudioFile, open_audio

DEMO = Path(str(files("live_ser"))) / "demo.flac"
INTENDED = DEMO.with_suffix(".json")


@dataclass(frozen=True)
class Intended:
    """An utterance of the recording: start and end in seconds, and the intended emotion."""

    start: float
    end: float
    emotion: str


class Demo:
    """The recording, repeated without end; a gap separates the rounds, as between speakers.

    Args:
        sound: its decoder.
        rate: sample rate of the blocks in Hz.
        intended: its utterances in order.
    """

    overflows = 0
    backlog = 0.0
    behind = 0.0
    message = ""
    notes: Sequence[str] = ()
    voices: Sequence[Voice] = ()

    def __init__(self, sound: Decoder, rate: int, intended: Sequence[Intended]) -> None:
        self._file = AudioFile(DEMO, sound, rate, block=BLOCK_SECONDS, speed=1.0)
        self._sound, self._rate, self._intended = sound, rate, intended
        self._round = 1
        self._played = 0  # samples of this round
        self.native_rate = self._file.native_rate

    @property
    def name(self) -> str:
        """Its name, short enough to be whole in the header of a dashboard of 80 columns."""
        return f"demo, round {self._round}"

    @property
    def intended(self) -> str:
        """The intended emotion now, or the last one; empty at the start."""
        now = self._played / self._rate
        return next((one.emotion for one in reversed(self._intended) if one.start <= now), "")

    def __iter__(self) -> Iterator[Block]:
        while True:
            for samples in self._file:
                self._played += len(samples)
                yield samples
            self._sound.rewind()
            self._round, self._played = self._round + 1, 0
            yield Gap(0.0, AGAIN)


@contextmanager
def demo(rate: int) -> Iterator[Demo]:
    """The demonstration as a source.

    Args:
        rate: sample rate of the blocks in Hz.
    """
    intended = [Intended(**one) for one in json.loads(INTENDED.read_text("utf-8"))]
    with open_audio(DEMO) as sound:
        yield Demo(sound, rate, intended)
