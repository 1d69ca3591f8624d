"""The demonstration: a bundled recording, round after round, with what is meant in it."""

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
MEANT = DEMO.with_suffix(".json")


@dataclass(frozen=True)
class Meant:
    """An utterance of the recording: from when to when, in seconds, and the emotion meant."""

    start: float
    end: float
    emotion: str


class Demo:
    """The recording, until it is left; each round is another session to whoever hears it.

    Args:
        sound: that decodes it.
        rate: of the blocks, in Hz.
        meant: what is meant in it, in order.
    """

    overflows = 0
    backlog = 0.0
    behind = 0.0
    message = ""
    notes: Sequence[str] = ()
    voices: Sequence[Voice] = ()

    def __init__(self, sound: Decoder, rate: int, meant: Sequence[Meant]) -> None:
        self._file = AudioFile(DEMO, sound, rate, block=BLOCK_SECONDS, speed=1.0)
        self._sound, self._rate, self._meant = sound, rate, meant
        self._round = 1
        self._played = 0  # samples of this round
        self.native_rate = self._file.native_rate

    @property
    def name(self) -> str:
        """What to call it, and how it ends."""
        return f"a recording, round {self._round}; q ends it"

    @property
    def meant(self) -> str:
        """The emotion that is meant now, or was last; empty at the beginning."""
        now = self._played / self._rate
        return next((one.emotion for one in reversed(self._meant) if one.start <= now), "")

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
    """The demonstration as a source of sound.

    Args:
        rate: of the blocks, in Hz.
    """
    meant = [Meant(**one) for one in json.loads(MEANT.read_text("utf-8"))]
    with open_audio(DEMO) as sound:
        yield Demo(sound, rate, meant)
