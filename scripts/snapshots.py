"""Draws every state of the dashboard as SVG, from the real thing.

    python scripts/snapshots.py [FOLDER]

What it shows is made up, without a model; how it is shown is what ``live-ser listen`` draws.
The pictures go into docs/images.
"""

from __future__ import annotations

import io
import re
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import soundfile as sf
from rich.console import Console
from rich.terminal_theme import DEFAULT_TERMINAL_THEME, MONOKAI, TerminalTheme

from live_ser.dashboard.last_minute import Moment
from live_ser.dashboard.meters import Level, Spectrogram
from live_ser.dashboard.state import DashboardState
from live_ser.dashboard.view import render
from live_ser.live.headline import Headline
from live_ser.spec import FeatureSpec, pack_matrix

FOLDER = Path(__file__).parent.parent / "docs" / "images"
CLIP = Path(__file__).parent.parent / "live_ser" / "demo.flac"
LABELS = ("neutral", "happy", "sad", "angry", "fearful", "disgust", "surprised")
SIZES = ((80, 24), (120, 40))

# The last minute: until which second, in which state, sounding how.
STORY = (
    (5.0, "silence", None),
    (6.0, "listening", None),
    (19.0, "speech", "neutral"),
    (25.0, "speech", "happy"),
    (28.0, "uncertain", "happy"),
    (34.0, "silence", None),
    (41.0, "speech", "surprised"),
    (45.0, "speech", "angry"),
    (60.0, "speech", "happy"),
)


def main() -> None:
    """Write the pictures."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for name, state in states().items():
        for width, height in SIZES:
            write(folder / f"{name}-{width}.svg", state, width, height, MONOKAI)
    for width, height in SIZES:
        path = folder / f"speech-{width}-light.svg"
        write(path, states()["speech"], width, height, DEFAULT_TERMINAL_THEME)


def write(path: Path, state: DashboardState, width: int, height: int, theme: TerminalTheme) -> None:
    """Write one picture."""
    console = Console(
        width=width,
        height=height,
        record=True,
        file=io.StringIO(),
        force_terminal=True,
        color_system="truecolor",
        legacy_windows=False,
        _environ={},
    )
    console.print(render(state), end="")
    svg = console.export_svg(title="live-ser listen", theme=theme, unique_id=path.stem)
    # The picture must not fetch its font: whoever looks at it has one with even widths.
    svg = re.sub(r"@font-face \{.*?\n    \}", "", svg, flags=re.DOTALL)
    svg = svg.replace("Fira Code", "DejaVu Sans Mono")
    path.write_text("\n".join(line.rstrip() for line in svg.splitlines()) + "\n", "utf-8")
    print(path)


def states() -> dict[str, DashboardState]:
    """The states of the dashboard to draw, by name."""
    moments = story()
    speech = DashboardState(
        model="live_ser",
        labels=LABELS,
        window=3.5,
        min_speech=0.7,
        source="Built-in Microphone",
        sample_rate=48000,
        seconds=761,
        state="speech",
        headline=Headline("speech", ("happy",), 0.81),
        evidence=2.4,
        since_speech=0.0,
        probabilities=(0.04, 0.81, 0.01, 0.06, 0.02, 0.01, 0.05),
        raw=(0.02, 0.92, 0.0, 0.02, 0.01, 0.0, 0.03),
        activation=0.77,
        valence=0.42,
        prosody=(
            "5 dB louder, 20 % faster than usual (182 Hz, -23 dB, 4.6 syllables/s)",
            "5 dB louder, 20 % faster than usual (182 Hz, -23 dB)",
        ),
        moments=moments,
        level=Level(rms=-23.1, peak=-11.5),
        spectrogram=demo_spectrogram(),
        latency=(2.9, 3.4),
        cpu=0.02,
        recording=True,
        baseline="baseline 84 s",
        marks=2,
    )
    quiet = Level(rms=-58.2, peak=-49.0)
    return {
        "listening": replace(
            speech,
            state="listening",
            headline=None,
            evidence=0.2,
            probabilities=None,
            raw=None,
            activation=None,
            valence=None,
            prosody=(),
            moments=moments[:11],
            seconds=6,
            recording=False,
            baseline="",
            learning="learning your voice, 0 of 15 s",
            marks=0,
        ),
        "speech": speech,
        "silence": replace(
            speech,
            state="silence",
            headline=Headline("speech", ("happy",), 0.81, age=4.0),
            evidence=0.4,
            since_speech=4.2,
            level=quiet,
            moments=(
                *moments[:-8],
                *(replace(m, state="silence", label=None) for m in moments[-8:]),
            ),
        ),
        "uncertain": replace(
            speech,
            state="uncertain",
            headline=Headline("uncertain", ("happy",), 0.31),
            evidence=1.1,
            probabilities=(0.24, 0.31, 0.05, 0.09, 0.08, 0.03, 0.2),
            raw=(0.18, 0.37, 0.05, 0.08, 0.06, 0.02, 0.24),
            activation=0.55,
            valence=-0.08,
            prosody=("as usual (168 Hz, -27 dB, 4.1 syllables/s)",),
            level=Level(rms=-14.0, peak=-0.0, clipped=True),
        ),
        "paused": replace(speech, paused=True),
        "microphone-gone": replace(
            speech,
            connected=False,
            message="Built-in Microphone stopped delivering sound; trying to have it back",
            since_speech=9.0,
            level=Level(),
            overflows=1,
        ),
        "help": replace(speech, help_page=1),
    }


def story() -> tuple[Moment, ...]:
    """Predictions of the last minute, smoothed as by the monitor."""
    moments = []
    smoothed = np.full(len(LABELS), 1 / len(LABELS))
    for tick in range(1, 121):
        end = tick / 2
        state, label = next((s, x) for until, s, x in STORY if end <= until)
        if label is None:
            moments.append(Moment(end, state, None, None))
            continue
        share = 0.85 if state == "speech" else 0.35
        target = np.full(len(LABELS), (1 - share) / (len(LABELS) - 1))
        target[LABELS.index(label)] = share
        smoothed += 0.35 * (target - smoothed)
        moments.append(Moment(end, state, label, tuple(map(float, smoothed))))
    return tuple(moments)


def demo_spectrogram() -> tuple[bytes, ...]:
    """The spectrogram of the demonstration clip."""
    from librosa.filters import mel

    basis = mel(sr=16000, n_fft=400, n_mels=64, fmin=50, fmax=8000)
    spec = FeatureSpec(16000, 400, 400, 160, 64, 50, 8000, 1e-10, pack_matrix(basis))
    samples, _ = sf.read(CLIP, dtype="float32")
    spectrogram = Spectrogram(spec)
    spectrogram.push(samples)
    return spectrogram.columns()


if __name__ == "__main__":
    main()
