"""A recording as a picture: waveform, mel spectrogram, probabilities over time."""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from live_ser.audio.reading import USUAL, Reading
from live_ser.audio.sources import audio_file
from live_ser.errors import LiveSerError
from live_ser.extras import keep_nothing, needed
from live_ser.frontend.features import Frames, FrameStream
from live_ser.palette import colours
from live_ser.records.new_file import NewFile
from live_ser.records.places import Places
from live_ser.records.schema import Record
from live_ser.report.overview import Overview, Values
from live_ser.spec import FeatureSpec, ModelInfo
from live_ser.text import clock, printable

_COLUMNS = 2000  # more than the picture has pixels
_RANGE_DB = 80.0  # from the loudest to what is drawn as silence
_TICKS = (60, 120, 300, 600, 900, 1800, 3600, 7200, 14400)  # seconds
_NAME = 100  # characters of a recording's name that are shown
_HERTZ = (250, 500, 1000, 2000, 4000, 8000)


def draw_plot(
    path: str | Path,
    info: ModelInfo,
    windows: Iterable[Record],
    output: str | Path,
    *,
    force: bool = False,
    reading: Reading = USUAL,
) -> None:
    """Draw a recording and how it sounds, window by window, as PNG.

    The recording is read once, in memory that does not grow with its length.

    Args:
        path: of the recording.
        info: of the model that judged it.
        windows: their records, in the order of time.
        output: the picture; an existing one is kept unless ``force``.
        force: replace what stands at ``output``.
        reading: how the recording is read.

    Raises:
        LiveSerError: matplotlib is not installed, the recording cannot be read, or the picture not
            be written.
    """
    figures = plotting()
    spec = info.features
    envelope = Overview(_extremes, 2, most=_COLUMNS, step=64)
    spectrum = Overview(_mean, spec.n_mels, most=_COLUMNS)
    stream, heard = FrameStream(spec), 0
    with audio_file(path, spec.sample_rate, replace(reading, partial=True)) as blocks:
        for samples in blocks:
            envelope.push(np.stack([samples, samples], axis=1))
            spectrum.push(stream.push(samples))
            heard += len(samples)
    seconds = heard / spec.sample_rate

    figure = figures.Figure(figsize=(12, 8), dpi=120, layout="constrained")
    wave, mel, lanes = figure.subplots(3, sharex=True, height_ratios=(2, 3, 4))
    name = Path(path).name
    name = name if len(name) <= _NAME else name[: _NAME - 1] + "…"
    figure.suptitle(printable(name), parse_math=False)
    _draw_waveform(wave, envelope.columns(), envelope.step / spec.sample_rate)
    _draw_spectrum(mel, spectrum.columns(), spectrum.step, spec)
    _draw_lanes(lanes, info.labels, windows)
    lanes.set_xlim(0, max(seconds, 1e-3))
    lanes.set_xlabel("seconds")
    if seconds > _TICKS[0]:
        step = next((s for s in _TICKS if seconds <= 10 * s), seconds / 10)
        times = np.arange(0, seconds, step)
        lanes.set_xticks(times, [clock(time) for time in times])
        lanes.set_xlabel("hours : minutes : seconds")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of letters that the font lacks; a box is drawn
        try:
            with (
                NewFile(output, mode="overwrite" if force else "new") as file,
                io.BufferedWriter(file.raw) as png,
            ):
                figure.savefig(png, format="png")
        except OSError as error:
            raise LiveSerError(f"cannot write {output}: {error.strerror}", "make room") from error


def picture_places(path: str, sources: Sequence[str]) -> Places:
    """Where the picture of each recording goes.

    Args:
        path: of the picture, or of a folder for several.
        sources: paths of the recordings.

    Raises:
        LiveSerError: matplotlib is not installed, the picture has another ending than ``.png``, or
            would be of several recordings.
    """
    plotting()
    places = Places(path, ".png", sources, one_each=True, option="--plot")
    if not places.is_folder and Path(path).suffix.lower() != ".png":
        raise LiveSerError(f"{path} does not end with .png", "name it NAME.png", exit_code=2)
    return places


def plotting() -> Any:
    """What draws pictures.

    Raises:
        LiveSerError: matplotlib is not installed.
    """
    keep_nothing("MPLCONFIGDIR")
    return needed("matplotlib.figure", "plot")


def _extremes(samples: Values) -> Values:
    return np.stack([samples[..., 0].min(axis=1), samples[..., 1].max(axis=1)], axis=1)


def _mean(values: Values) -> Values:
    mean: Values = values.mean(axis=1)
    return mean


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


def _draw_lanes(axes: Any, labels: Sequence[str], windows: Iterable[Record]) -> None:
    """A lane for each emotion, empty where nobody spoke."""
    times, shares = _steps(windows, labels)
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


def _steps(windows: Iterable[Record], labels: Sequence[str]) -> tuple[NDArray[np.float64], Values]:
    """Times ``[n]`` and probabilities ``[n, labels]``; not a number where nothing was judged.

    Each window speaks for its newest hop.
    """
    nothing = np.full(len(labels), math.nan, np.float32)
    times, rows = [0.0], [nothing]
    for window in windows:
        since, end = max(times[-1], float(window["start"])), float(window["end"])
        judged = window["probabilities"]
        row = np.array([judged[label] for label in labels], np.float32) if judged else nothing
        if since > times[-1]:  # a gap
            times.append(since)
            rows.append(nothing)
        times += [since, end]
        rows += [row, row]
    return np.array(times), np.array(rows)
