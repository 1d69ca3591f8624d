"""Pitch compared with ``librosa.pyin`` on real speech, and its cost.

``python -m benchmarks.pitch FOLDER`` draws clips from the folder and its subfolders.
"""

from __future__ import annotations

import argparse
import random
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import live_ser
from live_ser.audio.blocks import Samples
from live_ser.frontend.gate import CHUNK_SECONDS, speech_mask
from live_ser.frontend.pitch import HIGHEST, REFERENCE, VoiceStream, timing
from live_ser.inference.prosody import pitches, prosody_sums

RATE = 16_000
HOP = 8_000  # samples: half a second
WINDOW = 7  # hops


def semitones(clip: Samples) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The pitch of each frame of speech in semitones, ours and pYIN's; NaN if it is unvoiced.

    Speech is what the gate of the default model detects.
    """
    import librosa

    hop, centre = (round(RATE * seconds) for seconds in timing(RATE))
    length = 1024  # of a frame of pYIN
    voice = VoiceStream(RATE).push(clip[length // 2 - centre :])  # so that both have one middle
    mask = speech_mask(clip, RATE, live_ser.load().info.gate)
    middles = (length / 2 + hop * np.arange(len(voice))) / RATE
    speech = mask[np.minimum((middles / CHUNK_SECONDS).astype(int), len(mask) - 1)]
    found, voiced = pitches(voice, speech)
    theirs, is_voiced, _ = librosa.pyin(
        clip, fmin=60, fmax=HIGHEST, sr=RATE, frame_length=length, hop_length=hop, center=False
    )
    theirs = np.where(is_voiced, 12 * np.log2(theirs / REFERENCE), np.nan)
    count = min(len(found), len(theirs))
    theirs = np.where(speech[:count], theirs[:count], np.nan)
    return np.where(voiced, found, np.nan)[:count].astype(np.float64), theirs


def cost(sound: Samples) -> float:
    """Milliseconds of processor time per hop, with the prosody of a window of 3.5 s each time."""
    stream = VoiceStream(RATE)
    hop_seconds, centre = timing(RATE)
    hops = len(sound) // HOP
    window = stream.push(np.zeros(0, np.float32))
    mask = np.ones(WINDOW * HOP // 512, np.bool_)
    start = time.process_time()
    for i in range(hops):
        frames = stream.push(sound[i * HOP : (i + 1) * HOP])
        window = np.concatenate([window, frames])[-round(WINDOW / 2 / hop_seconds) :]
        prosody_sums(window, mask, centre, hop_seconds).prosody()
    return 1000 * (time.process_time() - start) / hops


def main() -> None:
    """Compare and print."""
    import librosa

    parser = argparse.ArgumentParser(prog="python -m benchmarks.pitch", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--clips", type=int, default=100)
    options = parser.parse_args()
    kinds = (".flac", ".wav")
    paths = sorted(path for path in options.folder.rglob("*") if path.suffix in kinds)
    chosen = random.Random(0).sample(paths, min(options.clips, len(paths)))  # noqa: S311
    clips = [librosa.load(path, sr=RATE)[0].astype(np.float32) for path in chosen]
    pairs = [semitones(clip) for clip in clips if len(clip) > 1024]
    ours, theirs = (np.concatenate(column) for column in zip(*pairs, strict=True))
    both = ~np.isnan(ours) & ~np.isnan(theirs)
    apart = np.abs(ours - theirs)[both]
    print(f"{len(pairs)} clips, {np.count_nonzero(both)} frames voiced in both")
    print(f"median difference: {np.median(apart):.2f} semitones")
    print(f"octave errors (over 6 semitones apart): {100 * np.mean(apart > 6):.2f} %")
    voiced = [np.count_nonzero(~np.isnan(column)) for column in (ours, theirs)]
    print(f"voiced in both, of ours: {100 * len(apart) / voiced[0]:.0f} %", end=", ")
    print(f"of pYIN's: {100 * len(apart) / voiced[1]:.0f} %")
    print(f"a hop of 0.5 s: {cost(np.concatenate(clips)):.2f} ms")


if __name__ == "__main__":
    main()
