"""Tag the turns of a dialogue: ``python examples/tag_turns.py turn1.wav turn2.wav``.

A voice assistant has the sound already, block by block, and knows when a turn ends. Here the turns
are recordings of one speaker; each is measured against how the voice sounded before.
"""

from __future__ import annotations

import sys

import soundfile

import live_ser

BLOCK_SECONDS = 0.02


def main() -> None:
    """Print what a language model would be given with each turn."""
    model = live_ser.load()
    stream = None
    for path in sys.argv[1:]:
        with soundfile.SoundFile(path) as sound:
            stream = stream or model.stream(rate=sound.samplerate)
            for block in sound.blocks(round(BLOCK_SECONDS * sound.samplerate), always_2d=True):
                stream.feed(block.mean(axis=1))
        verdict = stream.turn()
        heard = verdict.label if verdict.state == "speech" else verdict.state
        print(f"<turn sounds={heard!r} confidence={verdict.confidence or 0:.2f}>{path}</turn>")


if __name__ == "__main__":
    main()
