"""Tell a language model how each turn sounds: ``python examples/voice_assistant.py talk.wav``.

An asyncio program, like a voice assistant. It needs frames of sound (here from a recording, at the
pace of a call) and the end of each turn (here a pause of 0.8 s), and adds a line about the voice to
the message for the language model.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import soundfile

import live_ser

FRAME_SECONDS = 0.02
PAUSE_SECONDS = 0.8


class Ears:
    """Classifies one speaker in a thread, so that the event loop does not wait for the network.

    Args:
        model: the model, which several speakers can share.
        rate: sample rate of the frames in Hz.
    """

    def __init__(self, model: live_ser.Model, rate: int) -> None:
        self._stream = model.stream(rate=rate)
        self._thread = ThreadPoolExecutor(1, "ears")  # one, so that frames stay in their order

    async def hear(self, frame: Any) -> list[live_ser.Prediction]:
        """Add a frame ``[n]``, and return the predictions for the hops that it completes."""
        predictions: list[live_ser.Prediction] = await self._run(self._stream.feed, frame)
        return predictions

    async def turn(self) -> live_ser.Verdict:
        """The verdict on the speech since the last turn."""
        verdict: live_ser.Verdict = await self._run(self._stream.turn)
        return verdict

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown(wait=False)

    async def _run(self, work: Any, *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)


def tag(verdict: live_ser.Verdict) -> str:
    """A line about a turn for a language model; empty if nothing is certain."""
    parts = []
    if verdict.state == "speech":
        parts.append(f"sounds {verdict.label}, {100 * (verdict.confidence or 0):.0f} %")
    if verdict.activation is not None and abs(verdict.activation - 0.5) > 0.2:
        parts.append("aroused" if verdict.activation > 0.5 else "calm")
    prosody = verdict.prosody
    if prosody and prosody.rate_change and abs(prosody.rate_change - 1) > 0.15:
        parts.append("faster than usual" if prosody.rate_change > 1 else "slower than usual")
    if prosody and prosody.loudness_change and abs(prosody.loudness_change) > 4:
        parts.append("louder than usual" if prosody.loudness_change > 0 else "softer than usual")
    return f"[voice: {'; '.join(parts)}]" if parts else ""


@dataclass
class Turns:
    """Detects the end of a turn by a pause."""

    quiet: float = 0.0
    spoken: bool = False

    def ended(self, predictions: list[live_ser.Prediction]) -> bool:
        """Whether a turn has just ended."""
        for one in predictions:
            self.spoken = self.spoken or one.state in ("speech", "uncertain")
            self.quiet = 0.0 if one.since_speech is None else one.since_speech
        if self.spoken and self.quiet >= PAUSE_SECONDS:
            self.spoken = False
            return True
        return False


async def answer(words: str, voice: str) -> str:
    """Placeholder for the language model; the words come from a speech recogniser."""
    message = {"role": "user", "content": f"{voice} {words}".strip()}
    return f"the model would be given: {message['content']}"


async def converse(frames: AsyncIterator[Any], rate: int) -> AsyncIterator[str]:
    """Answer each turn of a speaker."""
    ears, turns = Ears(live_ser.load(), rate), Turns()
    try:
        async for frame in frames:
            if turns.ended(await ears.hear(frame)):
                yield await answer("(the words)", tag(await ears.turn()))
        if turns.spoken:
            yield await answer("(the words)", tag(await ears.turn()))
    finally:
        ears.close()


async def frames_of(path: str, speed: float) -> AsyncIterator[Any]:
    """The frames of a recording, at the pace of a call, or faster."""
    with soundfile.SoundFile(path) as sound:
        frames = round(FRAME_SECONDS * sound.samplerate)
        for block in sound.blocks(frames, dtype="float32", always_2d=True):
            await asyncio.sleep(FRAME_SECONDS / speed if speed else 0)
            yield np.ascontiguousarray(block.mean(axis=1))


async def main(path: str, speed: float = 1.0) -> None:
    """Print the answers."""
    rate = soundfile.info(path).samplerate
    async for line in converse(frames_of(path, speed), rate):
        print(line, flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], *map(float, sys.argv[2:])))
