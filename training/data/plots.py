"""Plots of a corpus.

Three PNG files: how many clips there are of each emotion, a waveform of each, and two emotions side
by side as waveform, MFCC and mel spectrogram.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import librosa
import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from numpy.typing import NDArray

from live_ser.audio.blocks import Samples
from live_ser.errors import LiveSerError
from live_ser.frontend.features import Frames, log_mel
from live_ser.palette import colours
from live_ser.spec import FeatureSpec
from training.corpora.catalogue import titles
from training.corpora.clips import Clip, Corpus
from training.corpora.emotions import EMOTIONS
from training.data.features import FeatureConfig
from training.data.sound import read_sound

_HEX = dict(zip(EMOTIONS, (colour.hex for colour in colours(EMOTIONS)), strict=True))
_MFCC = 13
_POINTS = 2000  # of a waveform
_DYNAMIC_RANGE = 80.0  # dB shown below the loudest point
_STYLE = {
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": "medium",
    "axes.titleweight": "bold",
    "axes.axisbelow": True,
    "grid.color": "#dddddd",
    "savefig.dpi": 150,
}


def draw_counts(corpora: Sequence[Corpus]) -> Figure:
    """The number of clips of each emotion, as bars stacked by corpus."""
    clips = [clip for corpus in corpora for clip in corpus.clips]
    emotions = _in_order(clips)
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    base = np.zeros(len(emotions))
    shades = np.linspace(1, 0.35, len(corpora))
    for corpus, shade in zip(corpora, shades, strict=True):
        count = Counter(clip.emotion for clip in corpus.clips)
        heights = np.array([count[emotion] for emotion in emotions])
        bars = axes.bar(
            emotions,
            heights,
            bottom=base,
            color=[_HEX[emotion] for emotion in emotions],
            alpha=shade,
            label=f"{titles([corpus.name])} ({len(corpus.clips)})",
        )
        base += heights
    axes.bar_label(bars, labels=[f"{total:.0f}" for total in base], padding=2)
    axes.set_ylabel("clips")
    axes.set_title(f"{len(clips)} clips of {len({clip.speaker for clip in clips})} speakers")
    axes.grid(axis="y")
    if len(corpora) > 1:
        figure.legend(loc="outside lower center", frameon=False, ncols=len(corpora))
    return figure


def draw_waveforms(clips: Sequence[Clip], rate: int = 16_000) -> Figure:
    """The waveforms of clips, on one scale, so that loud emotions look loud."""
    figure = Figure(figsize=(9, 1.0 + 1.1 * len(clips)), layout="constrained")
    rows = figure.subplots(len(clips), sharex=True, sharey=True, squeeze=False)[:, 0]
    sounds = [read_sound(clip.path, rate) for clip in clips]
    for axes, clip, samples in zip(rows, clips, sounds, strict=True):
        _waveform(axes, samples, rate, clip.emotion)
        axes.set_title(f" {clip.emotion}", color=_HEX[clip.emotion], loc="left", y=0.75)
    rows[-1].set_xlabel("time (s)")
    rows[-1].set_xlim(0, max(len(samples) for samples in sounds) / rate)
    figure.supylabel("amplitude (full scale = 1)", fontsize="medium")
    figure.suptitle(f"Waveforms of {clips[0].speaker}", fontweight="bold")
    return figure


def draw_side_by_side(left: Clip, right: Clip, spec: FeatureSpec) -> Figure:
    """The waveforms, MFCCs and mel spectrograms of two clips, each row on one scale."""
    clips = (left, right)
    sounds = [read_sound(clip.path, spec.sample_rate) for clip in clips]
    mels = [log_mel(samples, spec) for samples in sounds]
    mfccs = [_mfcc(frames) for frames in mels]
    figure = Figure(figsize=(11, 8), layout="constrained")
    grid = figure.subplots(3, 2, sharex=True, sharey="row")
    for axes, clip, samples in zip(grid[0], clips, sounds, strict=True):
        _waveform(axes, samples, spec.sample_rate, clip.emotion)
        axes.set_title(f"{clip.emotion}\n", color=_HEX[clip.emotion])
        axes.text(0.5, 1.02, clip.id, transform=axes.transAxes, ha="center", fontsize="small")
    # One click must not pale all the rest.
    reach = float(np.quantile(np.abs(np.concatenate(mfccs)), 0.995))
    for axes, mfcc in zip(grid[1], mfccs, strict=True):
        edges = (0.5, _MFCC + 0.5)
        image = _image(axes, mfcc, spec, y=edges, limits=(-reach, reach), cmap="coolwarm")
    figure.colorbar(image, ax=grid[1], label="MFCC (dB)", pad=0.01, extend="both")
    top = max(float(frames.max()) for frames in mels)
    for axes, frames in zip(grid[2], mels, strict=True):
        edges = (_mel(spec.fmin), _mel(spec.fmax))
        limits = (top - _DYNAMIC_RANGE, top)
        image = _image(axes, frames, spec, y=edges, limits=limits, cmap="magma")
        axes.set_xlabel("time (s)")
    figure.colorbar(image, ax=grid[2], label="power (dB re full scale)", pad=0.01, extend="min")
    ticks = [hz for hz in (250, 500, 1000, 2000, 4000, 8000) if spec.fmin <= hz <= spec.fmax]
    grid[1, 0].set_yticks([1, 4, 7, 10, 13])
    grid[2, 0].set_yticks([_mel(hz) for hz in ticks], [f"{hz}" for hz in ticks])
    for axes, label in zip(grid[:, 0], ("amplitude", "coefficient", "frequency (Hz)"), strict=True):
        axes.set_ylabel(label)
    grid[0, 0].set_xlim(0, max(len(samples) for samples in sounds) / spec.sample_rate)
    return figure


def choose(corpus: Corpus, pair: Sequence[str], speaker: str | None = None) -> dict[str, Clip]:
    """Choose one clip of each emotion of one speaker, as similar as their names allow.

    Args:
        corpus: the corpus.
        pair: emotions that the speaker must have.
        speaker: the corpus's name of the speaker; None for the one with the most emotions.

    Returns:
        The clips by emotion.

    Raises:
        LiveSerError: no speaker has these emotions.
    """
    shown: dict[str, dict[str, Clip]] = {}
    # By name: the first is the one of the lowest intensity, statement and repetition.
    for clip in sorted(corpus.clips, key=lambda clip: clip.id):
        shown.setdefault(clip.speaker.partition("/")[2], {}).setdefault(clip.emotion, clip)
    fitting = [
        clips
        for name, clips in sorted(shown.items())
        if speaker in (None, name) and clips.keys() >= set(pair)
    ]
    if not fitting:
        raise LiveSerError(
            f"no {titles([corpus.name])} speaker{f' {speaker}' if speaker else ''} shows "
            f"{' and '.join(pair)}",
            f"it has the emotions {', '.join(_in_order(corpus.clips))}, "
            f"and the speakers {', '.join(sorted(shown))}",
        )
    return max(fitting, key=len)


def explore(
    corpora: Sequence[Corpus],
    output: Path,
    *,
    pair: tuple[str, str] = ("disgust", "surprised"),
    speaker: str | None = None,
) -> list[Path]:
    """Draw all plots.

    Args:
        corpora: the corpora; waveforms and spectrograms are those of the first.
        output: folder for the plots, created if necessary.
        pair: two emotions to compare side by side.
        speaker: the corpus's name of the speaker; None for the one with the most emotions.

    Returns:
        Paths of the plots.

    Raises:
        LiveSerError: a clip is missing, or the folder cannot be written.
    """
    spec = FeatureConfig().spec()
    clips = choose(corpora[0], pair, speaker)
    left, right = (clips[emotion] for emotion in pair)
    with rc_context(_STYLE):
        figures = {
            "clips_per_emotion.png": draw_counts(corpora),
            "waveforms.png": draw_waveforms([clips[e] for e in _in_order(clips.values())]),
            f"{left.emotion}_{right.emotion}.png": draw_side_by_side(left, right, spec),
        }
        try:
            output.mkdir(parents=True, exist_ok=True)
            for name, figure in figures.items():
                figure.savefig(output / name)
        except OSError as error:
            raise LiveSerError(
                f"{output} cannot be written: {error.strerror or error}",
                "name another folder with -o",
            ) from error
    return [output / name for name in figures]


def _mel(hz: float) -> float:
    return float(librosa.hz_to_mel(hz))


def _waveform(axes: Axes, samples: Samples, rate: int, emotion: str) -> None:
    """Draw the envelope: the minimum and maximum of the samples at each point."""
    step = max(1, len(samples) // _POINTS)
    whole = samples[: len(samples) // step * step].reshape(-1, step)
    times = np.arange(len(whole)) * step / rate
    axes.fill_between(
        times, whole.min(axis=1), whole.max(axis=1), color=_HEX[emotion], linewidth=0.8
    )
    axes.grid()


def _mfcc(frames: Frames) -> NDArray[np.float32]:
    """MFCCs ``[frames, 13]``, without the first, which is the level and far greater."""
    return np.asarray(librosa.feature.mfcc(S=frames.T, n_mfcc=_MFCC + 1)[1:].T)


def _image(
    axes: Axes,
    values: NDArray[np.float32],
    spec: FeatureSpec,
    *,
    y: tuple[float, float],
    limits: tuple[float, float],
    cmap: str,
) -> AxesImage:
    """Draw values ``[frames, bands]`` over time; each frame is at its centre.

    Args:
        axes: the axes.
        values: the values.
        spec: specification of the frames.
        y: lower and upper edge on the y axis.
        limits: lowest and highest value of the colours.
        cmap: name of the colour map.
    """
    hop = spec.hop_length / spec.sample_rate
    start = spec.n_fft / spec.sample_rate / 2 - hop / 2
    return axes.imshow(
        values.T,
        origin="lower",
        aspect="auto",
        interpolation="nearest",
        extent=(start, start + len(values) * hop, *y),
        vmin=limits[0],
        vmax=limits[1],
        cmap=cmap,
    )


def _in_order(clips: Iterable[Clip]) -> list[str]:
    """The emotions of clips, in the order of :data:`EMOTIONS`."""
    shown = {clip.emotion for clip in clips}
    return [emotion for emotion in EMOTIONS if emotion in shown]
