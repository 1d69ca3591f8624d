"""Classify recordings: ``python examples/classify_recordings.py clip.wav interview.flac``."""

from __future__ import annotations

import sys

import live_ser


def main() -> None:
    """Print a verdict on each recording, and its utterances."""
    model = live_ser.load()
    for path in sys.argv[1:]:
        verdict = model.predict(path)
        print(f"{path}: {verdict.state}, {verdict.label}, {verdict.evidence:.1f} s of speech")
        for segment in model.segments(path):
            print(f"  {segment.start:7.2f} to {segment.end:7.2f} s: {segment.label}")


if __name__ == "__main__":
    main()
