"""Plots of recordings: utterances, spectrogram, probabilities and activation over time."""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from live_ser.audio.blocks import Samples, Voice
from live_ser.audio.channels import parts
from live_ser.audio.reading import USUAL, Reading
from live_ser.audio.sources import audio_file
from live_ser.errors import InvalidArgument, unwritable
from live_ser.extras import needed
from live_ser.frontend.dc_blocker import DCBlocker
from live_ser.frontend.features import Frames, FrameStream
from live_ser.palette import colours
from live_ser.records.new_file import NewFile
from live_ser.records.places import Places
from live_ser.records.record import Record, voice_of
from live_ser.report.overview import Overview, Values, extremes
from live_ser.spec import FeatureSpec, ModelInfo
from live_ser.system.temporary import keep_nothing
from live_ser.text import clock, clock_ticks, in_words, printable

_COLUMNS = 2000  # more than the picture has pixels
_RANGE_DB = 80.0  # of the spectrogram
_MINUTE = 60  # seconds; longer axes show hours, minutes and seconds
_NAME = 100  # characters of a name, at most
_ENDINGS = (".png", ".svg", ".pdf")
_WIDTH = 12.0  # inches, of the picture
_AXES = 11.0  # inches of it, from the first second to the last
_LETTER = (0.07, 0.14)  # inches, width and height of a letter of an utterance's label
_HERTZ = (250, 500, 1000, 2000, 4000, 8000)


def draw_plot(
    path: str | Path,
    info: ModelInfo,
    records: Iterable[Record],
    output: str | Path,
    *,
    over_time: Literal["window", "segment"] = "window",
    force: bool = False,
    reading: Reading = USUAL,
) -> None:
    """Plot a recording and its results over time, as PNG, SVG or PDF.

    The recording is read once, in constant memory.

    Args:
        path: path of the recording.
        info: metadata of the model.
        records: records of its windows in order of time; of its utterances, to label the waveform;
            and of the verdict, for the title. Voices that are classified separately are plotted
            below each other.
        output: path of the picture; its extension is the format.
        over_time: type of the records to plot over time.
        force: overwrite an existing picture.
        reading: how to read the recording.

    Raises:
        LiveSerError: matplotlib is not installed, the recording cannot be read, or the picture
            cannot be written.
    """
    figures = plotting()
    voices = _voices(path, info, reading)
    for record in records:
        # A recording of one voice has no other.
        voice = next(iter(voices)) if len(voices) == 1 else voice_of(record)
        voices[voice].add(record)
        if record["type"] == over_time:
            voices[voice].steps.add(record)
    figure = figures.Figure(figsize=(_WIDTH, 9 * len(voices)), dpi=120, layout="constrained")
    drawn = figure.subfigures(len(voices), squeeze=False)[:, 0] if len(voices) > 1 else [figure]
    for part, (voice, content) in zip(drawn, voices.items(), strict=True):
        name = ", ".join(filter(None, [Path(path).name, voice.name]))
        # Several speakers in one sound have a verdict each, and no title has room for all.
        clip = content.clips[0] if len(content.clips) == 1 else None
        part.suptitle(_title(name, clip), parse_math=False)
        _draw_voice(part, info, content)
    _save(figure, output, force=force)


def _draw_voice(figure: Any, info: ModelInfo, content: _Content) -> None:
    """Plot the sound and the results of a voice."""
    spec = info.features
    seconds = content.samples / spec.sample_rate
    wave, mel, lanes, scale = figure.subplots(4, sharex=True, height_ratios=(2, 3, 4, 1))
    envelope, spectrum = content.envelope, content.spectrum
    _draw_waveform(wave, envelope.columns(), envelope.step / spec.sample_rate)
    _label_utterances(wave, info.labels, content.segments, seconds)
    _draw_spectrum(mel, spectrum.columns(), spectrum.step, spec)
    times, rows = content.steps.arrays()
    _draw_lanes(lanes, info.labels, times, rows[:, :-1])
    _draw_activation(scale, times, rows[:, -1])
    _draw_times(scale, seconds)


class _Content:
    """The data of a voice to plot.

    Args:
        info: metadata of the model.

    Attributes:
        envelope: lowest and highest samples.
        spectrum: mean log-mel frames.
        samples: number of samples.
        steps: probabilities and activation over time.
        segments: records of its utterances.
        clips: records of its verdicts.
    """

    def __init__(self, info: ModelInfo) -> None:
        spec = info.features
        self.envelope = Overview(extremes, 2, max_columns=_COLUMNS, step=64)
        self.spectrum = Overview(_mean, spec.n_mels, max_columns=_COLUMNS)
        self._blocker = DCBlocker(spec.sample_rate)
        self._stream = FrameStream(spec)
        self.samples = 0
        self.steps = _Steps(info.labels)
        self.segments: list[Record] = []
        self.clips: list[Record] = []

    def push(self, samples: Samples) -> None:
        """Add samples, ``[n]``."""
        self.envelope.push(np.stack([samples, samples], axis=1))
        self.spectrum.push(self._stream.push(self._blocker.push(samples)))
        self.samples += len(samples)

    def add(self, record: Record) -> None:
        """Add the next record."""
        if record["type"] == "segment":
            self.segments.append(record)
        elif record["type"] == "clip":
            self.clips.append(record)


def _voices(path: str | Path, info: ModelInfo, reading: Reading) -> dict[Voice, _Content]:
    """The sound of each voice of a recording."""
    rate = info.features.sample_rate
    with audio_file(path, rate, replace(reading, partial=True)) as blocks:
        voices = {voice: _Content(info) for voice in blocks.voices or (Voice(),)}
        for block in blocks:
            channels = parts(block, len(blocks.voices))
            for content, samples in zip(voices.values(), channels, strict=True):
                content.push(np.ascontiguousarray(samples, np.float32))
    return voices


def _save(figure: Any, output: str | Path, *, force: bool) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about letters that the font lacks
        try:
            with (
                NewFile(output, mode="overwrite" if force else "new") as file,
                io.BufferedWriter(file.raw) as picture,
            ):
                figure.savefig(picture, format=Path(output).suffix[1:].lower() or "png")
        except OSError as error:
            raise unwritable(output, error) from error


def picture_places(path: str, sources: Sequence[str]) -> Places:
    """The file of each recording's picture.

    Args:
        path: path of the picture, or of a folder for several.
        sources: paths of the recordings.

    Raises:
        LiveSerError: matplotlib is not installed, the picture has another ending than ``.png``,
            ``.svg`` or ``.pdf``, or would be of several recordings.
    """
    plotting()
    places = Places(path, ".png", sources, one_each=True, option="plot")
    if not places.is_folder and Path(path).suffix.lower() not in _ENDINGS:
        raise InvalidArgument(f"{path} does not end with .png, .svg or .pdf", "name it NAME.png")
    return places


def plotting() -> Any:
    """Import matplotlib.

    Raises:
        LiveSerError: matplotlib is not installed.
    """
    keep_nothing("MPLCONFIGDIR")
    return needed("matplotlib.figure", "plot")


def _mean(values: Values) -> Values:
    mean: Values = values.mean(axis=1)
    return mean


def _title(name: str, clip: Record | None) -> str:
    name = printable(name if len(name) <= _NAME else name[: _NAME - 1] + "…")
    return f"{name}: {printable(in_words(clip))}" if clip else name


def _draw_times(axes: Any, seconds: float) -> None:
    axes.set_xlim(0, max(seconds, 1e-3))
    axes.set_xlabel("seconds")
    if seconds > _MINUTE:
        times = clock_ticks(0, seconds, max_ticks=12)
        axes.set_xticks(times, [clock(time) for time in times])
        axes.set_xlabel("hours : minutes : seconds")


def _label_utterances(
    axes: Any, labels: Sequence[str], segments: Iterable[Record], seconds: float
) -> None:
    """Draw each utterance in its emotion's colour, with its label if it fits."""
    shades = dict(zip(labels, colours(labels), strict=True))
    for segment in segments:
        label, start, end = segment["label"], segment["start"], segment["end"]
        if label is None:
            continue
        sure = segment["state"] == "speech"
        text = label if sure else f"{label}?"
        axes.axvspan(start, end, color=shades[label].hex, alpha=0.25 if sure else 0.08, lw=0)
        room = (end - start) * _AXES / max(seconds, 1e-3)
        if room < _LETTER[1]:
            continue
        axes.text(
            (start + end) / 2,
            0.97,
            printable(text),
            transform=axes.get_xaxis_transform(),
            rotation=0 if room >= len(text) * _LETTER[0] else 90,
            ha="center",
            va="top",
            fontsize=8,
            parse_math=False,
        )


def _draw_activation(axes: Any, times: NDArray[np.float64], activation: Values) -> None:
    """Draw activation over time, with gaps in silence."""
    axes.plot(times, activation, color="#3b424a", lw=1.2)
    axes.set_ylim(-0.05, 1.05)  # so that lines at the ends are not on the frame
    axes.set_yticks([0, 1], ["calm", "aroused"])
    axes.set_ylabel("activation")


def _draw_waveform(axes: Any, envelope: Values, seconds: float) -> None:
    """The lowest and highest sample of each column."""
    times = np.arange(len(envelope)) * seconds
    axes.fill_between(times, envelope[:, 0], envelope[:, 1], step="post", color="#5b6570", lw=0)
    loudest = float(np.abs(envelope).max(initial=0.0)) or 1.0
    axes.set_ylim(-1.05 * loudest, 1.05 * loudest)
    axes.set_ylabel("amplitude")


def _draw_spectrum(axes: Any, frames: Frames, step: int, spec: FeatureSpec) -> None:
    axes.set_ylabel("Hz, mel scale")
    if not len(frames):
        axes.set_yticks([])
        return
    loudest = float(frames.max())
    end = len(frames) * step * spec.hop_length / spec.sample_rate
    axes.imshow(
        frames.T,
        origin="lower",
        aspect="auto",
        extent=(0, end, 0, spec.n_mels),
        cmap="magma",
        vmin=loudest - _RANGE_DB,
        vmax=loudest,
    )
    centres = spec.mel_matrix.argmax(axis=1) * spec.sample_rate / spec.n_fft
    shown = [hertz for hertz in _HERTZ if centres[0] <= hertz <= centres[-1]]
    bands = np.arange(spec.n_mels) + 0.5
    axes.set_yticks(np.interp(shown, centres, bands), [str(hertz) for hertz in shown])


def _draw_lanes(
    axes: Any, labels: Sequence[str], times: NDArray[np.float64], shares: Values
) -> None:
    """Draw a lane for each emotion, with gaps in silence."""
    lanes = len(labels)
    for number, colour in enumerate(colours(labels)):
        base = lanes - 1 - number
        axes.axhline(base, color="#c8ccd2", lw=0.6)
        axes.fill_between(times, base, base + 0.92 * shares[:, number], color=colour.hex, lw=0)
    axes.set_ylim(0, lanes)
    axes.set_yticks(np.arange(lanes) + 0.45, [printable(label) for label in reversed(labels)])
    for tick in axes.get_yticklabels():
        tick.set_parse_math(False)
    axes.tick_params("y", length=0)
    axes.set_ylabel("probability, 0 to 1 in each lane")


class _Steps:
    """Probabilities and activation over time; each window stands for its newest hop.

    Args:
        labels: labels of the model.
    """

    def __init__(self, labels: Sequence[str]) -> None:
        self._labels = labels
        self._nothing = np.full(len(labels) + 1, math.nan, np.float32)
        self._times, self._rows = [0.0], [self._nothing]

    def add(self, window: Record) -> None:
        """Add the next window."""
        since, end = max(self._times[-1], float(window["start"])), float(window["end"])
        probabilities = window["probabilities"]
        row = self._nothing
        if probabilities:
            shares = [probabilities[label] for label in self._labels]
            row = np.array([*shares, window["activation"]], np.float32)
        if since > self._times[-1]:  # a gap
            self._times.append(since)
            self._rows.append(self._nothing)
        self._times += [since, end]
        self._rows += [row, row]

    def arrays(self) -> tuple[NDArray[np.float64], Values]:
        """Times ``[n]``, and probabilities and activation ``[n, labels + 1]``.

        They are NaN where nothing was classified.
        """
        return np.array(self._times), np.array(self._rows)
