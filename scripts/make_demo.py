"""Makes the demonstration clip: four synthetic voices with silences between them.

    python scripts/make_demo.py [OUTPUT]

Needs espeak-ng. Nobody's voice is in it, so it can be given away with the package.
"""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import soundfile as sf
import soxr

RATE = 16_000
PEAK = 0.5
TARGET = Path(__file__).parent.parent / "live_ser" / "demo.flac"

# Voice, pitch (0 to 99), words a minute, what it says, and the silence after it in seconds.
UTTERANCES = [
    ("en-us", 35, 140, "The train leaves at seven in the morning.", 1.2),
    ("en-gb+f3", 80, 200, "Oh, look at that! It is snowing!", 1.4),
    ("en-us+m3", 15, 100, "Nobody came to see us today.", 1.2),
    ("en-gb+f4", 60, 230, "Put that down at once, do you hear?", 1.0),
]


def main() -> None:
    """Write the clip."""
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else TARGET
    parts = [np.zeros(RATE // 2, np.float32)]
    for voice, pitch, speed, words, pause in UTTERANCES:
        parts += [speak(voice, pitch, speed, words), np.zeros(round(pause * RATE), np.float32)]
    clip = np.concatenate(parts)
    sf.write(target, clip, RATE, subtype="PCM_16")
    print(f"{target}: {len(clip) / RATE:.1f} s, {target.stat().st_size / 1024:.0f} KiB")


def speak(voice: str, pitch: int, speed: int, words: str) -> np.ndarray:
    """One utterance: float32 ``[n]`` at ``RATE``, less the silence at its edges."""
    command = ["espeak-ng", "-v", voice, "-p", str(pitch), "-s", str(speed), "--stdout", words]
    wav = subprocess.run(command, check=True, capture_output=True).stdout  # noqa: S603
    samples, rate = sf.read(io.BytesIO(wav), dtype="float32")
    sound = np.flatnonzero(np.abs(samples) > 0.01)
    samples = soxr.resample(samples[sound[0] : sound[-1] + 1], rate, RATE)
    return (samples * (PEAK / np.abs(samples).max())).astype(np.float32)


if __name__ == "__main__":
    main()
