"""Makes the demonstration: a synthetic voice in several emotions, and evaluates the model on it.

    python -m scripts.make_demo [--measure]

It needs espeak-ng. The recording contains no person's voice, so it can be distributed with the
package. The intended emotions are written to ``demo.json`` next to it. With ``--measure``, the
existing recording is evaluated.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

import numpy as np
import soundfile as sf

from live_ser.audio.demo import DEMO, INTENDED, Intended
from live_ser.inference.monitor import Monitor
from live_ser.live.headline import HeadlineTracker
from live_ser.model.onnx_model import load
from scripts.demo_voice import RATE, Voice, speak

# Intended emotion, voice, words, and seconds of silence after them. The voices were found by a
# random search with the shipped model.
UTTERANCES: list[tuple[str, Voice, str, float]] = [
    (
        "neutral",
        Voice("en-gb+whisper", 35, 92, 212, -2.4, 0.0, 0.1, -28.0),
        "Did you hear that? There is somebody outside, at the door.",
        1.3,
    ),
    (
        "angry",
        Voice("en-us+m3", 98, 88, 230, 5.2, 0.6, 0.15, -26.0),
        "Look at all that snow! I never saw so much of it in one night!",
        1.3,
    ),
    (
        "sad",
        Voice("en-us+m3", 14, 2, 80, -6.0, 0.3, 0.0, -36.0),
        "Put that down at once! How often do I have to say it to you!",
        1.3,
    ),
    (
        "fearful",
        Voice("en-gb-x-rp+anika", 79, 33, 170, 2.7, 0.0, 0.12, -13.0),
        "Look at all that snow! I never saw so much of it in one night!",
        1.3,
    ),
    (
        "happy",
        Voice("en-us+croak", 87, 99, 132, -1.5, 0.6, 0.0, -21.0),
        "Nobody came to see us today, and nobody will come tomorrow.",
        1.3,
    ),
    (
        "angry",
        Voice("en-gb+m2", 91, 95, 237, 4.9, 0.0, 0.3, -32.0),
        "Did you hear that? There is somebody outside, at the door.",
        1.3,
    ),
]


def main() -> None:
    """Write the recording, and evaluate the model on it."""
    if "--measure" not in sys.argv[1:]:
        _write()
    _measure()


def _write() -> None:
    parts = [np.zeros(RATE // 2, np.float32)]
    intended = []
    for emotion, voice, words, pause in UTTERANCES:
        start = sum(map(len, parts)) / RATE
        parts.append(speak(voice, words))
        intended.append(Intended(round(start, 2), round(sum(map(len, parts)) / RATE, 2), emotion))
        parts.append(np.zeros(round(pause * RATE), np.float32))
    clip = np.concatenate(parts)
    clip += 1e-4 * np.random.default_rng(0).standard_normal(len(clip)).astype(np.float32)
    sf.write(DEMO, clip, RATE, subtype="PCM_16")
    lines = ",\n".join(json.dumps(asdict(one)) for one in intended)
    INTENDED.write_text(f"[\n{lines}\n]\n", "utf-8")
    print(f"{DEMO}: {len(clip) / RATE:.1f} s, {DEMO.stat().st_size / 1024:.0f} KiB")


def _measure() -> None:
    """Print how often the prediction is the intended emotion, by window and in the headline."""
    intended = [Intended(**one) for one in json.loads(INTENDED.read_text("utf-8"))]
    samples, rate = sf.read(DEMO, dtype="float32")
    tracker = HeadlineTracker()
    hits: dict[str, list[tuple[bool, bool]]] = {one.emotion: [] for one in intended}
    for window in Monitor(load(), [samples[i : i + 800] for i in range(0, len(samples), 800)]):
        headline = tracker.push(window)
        now = next((one for one in intended if one.start <= window.end <= one.end + 0.5), None)
        if now is None or window.label is None:
            continue
        by_window = window.state == "speech" and window.label == now.emotion
        in_headline = headline is not None and headline.labels == (now.emotion,)
        hits[now.emotion].append((by_window, in_headline))
        print(f"{window.end:5.1f} s  intended {now.emotion:9}  got {window.state} {window.label}")
    for name, column in (("windows", 0), ("headline", 1)):
        shares = {e: float(np.mean([x[column] for x in xs])) for e, xs in hits.items() if xs}
        whole = [x[column] for xs in hits.values() for x in xs]
        each = ", ".join(f"{emotion} {100 * share:.0f} %" for emotion, share in shares.items())
        print(f"{rate} Hz, {name} as intended: {100 * float(np.mean(whole)):.0f} % ({each})")


if __name__ == "__main__":
    main()
