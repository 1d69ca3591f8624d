"""Tables for people on standard output: verdicts, devices, the metadata of a model."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from live_ser.audio.devices import InputDevice
from live_ser.palette import colours
from live_ser.records.intervals import intervals
from live_ser.records.record import Record, is_last, voice_of
from live_ser.spec import ModelInfo
from live_ser.text import abbreviations, clock, in_words, percent, printable

_BLOCKS = " ▁▂▃▄▅▆▇█"
_LONG = 600.0  # seconds, from which a length is shown in hours and minutes


def show(stream: IO[str], what: RenderableType) -> None:
    """Print for people; neither wrapped nor padded in a file or a pipe."""
    console = Console(file=stream, highlight=False, markup=False, emoji=False)
    if console.is_terminal:
        console.print(what)
        return
    console.width = 1000
    with console.capture() as captured:
        console.print(what)
    lines = captured.get().splitlines()
    print(*(line.rstrip() for line in lines), sep="\n", file=stream, flush=True)


class Verdicts:
    """Writes records for people: windows as lines at once, and a table of clips at the end.

    Args:
        stream: the output.
        labels: labels of the model.
    """

    def __init__(self, stream: IO[str], labels: Iterable[str]) -> None:
        self._stream, self._labels = stream, tuple(labels)
        self._clips: list[tuple[Record, list[Record]]] = []
        self._windows: list[Record] = []

    def write(self, record: Record) -> None:
        """Write a record, or add it to the table."""
        if record["type"] in ("window", "segment") and "source" in record:
            self._windows.append(record)
        elif record["type"] == "clip":
            parts = self._windows
            if "parts" in record:
                parts = [part for part in parts if voice_of(part) == voice_of(record)]
            self._clips.append((record, parts))
            if is_last(record):
                self._windows = []
        elif line := _line(record):
            print(line, file=self._stream, flush=True)

    @property
    def _unicode(self) -> bool:
        return Console(file=self._stream).encoding.startswith("utf")

    def close(self) -> None:
        """Write the table of the clips."""
        if self._clips:
            show(self._stream, _clips_table(self._clips, self._labels, self._unicode))
            self._stream.flush()


def devices_table(devices: Iterable[tuple[InputDevice, list[int], bool]]) -> RenderableType:
    """Print the input devices, their sample rates, and which is the default."""
    table = _table("", "device", "system", "channels", "rates in Hz", numbers=(0, 3))
    for device, rates, is_chosen in devices:
        table.add_row(
            f"{'* ' if is_chosen else ''}{device.index}",
            Text(printable(device.name)),
            Text(printable(device.host)),
            str(device.channels),
            ", ".join(map(str, rates)) or "none: busy, or not allowed",
        )
    return table


def model_card(info: ModelInfo, path: Path, *, whole: bool = False) -> RenderableType:
    """Print the metadata of a model.

    Args:
        info: the metadata.
        path: path of the model.
        whole: whether to include all of its provenance.
    """
    spec, gate = info.features, info.gate
    origin = dict(flat(provenance(info)))
    learnt = origin
    rows: dict[str, object] = {
        "model": info.name,
        "file": path,
        "labels": ", ".join(info.labels),
        "window, hop": f"{info.window:g} s, {info.hop:g} s",
        "features": f"{spec.n_mels} mel bands, {spec.fmin:g} to {spec.fmax:g} Hz, "
        f"at {spec.sample_rate} Hz; {1000 * spec.win_length / spec.sample_rate:g} ms frames "
        f"every {1000 * spec.hop_length / spec.sample_rate:g} ms",
        "speech gate": f"from {gate.threshold:g} and {gate.floor_db:g} dB, "
        f"{gate.min_speech:g} s of speech at least, {gate.enough(over=False):g} s while it goes on",
        "uncertain": f"under {percent(info.abstain)}",
        "trained on": ", ".join(
            f"{learnt[name]}{unit}"
            for name, unit in (("corpora", ""), ("clips", " clips"), ("speakers", " speakers"))
            if name in learnt
        ),
        "licence": info.licence,
    }
    table = Table.grid(padding=(0, 2))
    for name, value in [*rows.items(), *(origin.items() if whole else ())]:
        table.add_row(Text(printable(str(name)), style="bold"), Text(printable(str(value))))
    return table


def provenance(info: ModelInfo) -> dict[str, Any]:
    """The provenance of a model, for people: what the network alone learnt from, and how, is apart.

    Args:
        info: the metadata.
    """
    counts = {name: info.learnt_from[name] for name in _COUNTS if name in info.learnt_from}
    shown = {**info.provenance, **counts}
    network = shown.pop("config", {})
    if counts and info.learnt_from is not info.provenance:  # what was joined to it learnt from more
        own = {name: info.provenance[name] for name in _COUNTS[1:] if name in info.provenance}
        network = {**own, **network} if isinstance(network, Mapping) else network
    return {**shown, "network's training": network} if network else shown


_COUNTS = ("corpora", "clips", "speakers")


def _line(record: Record) -> str | None:
    if record["type"] == "window":
        voice = voice_of(record).name
        words = f"{voice}: {in_words(record)}" if voice else in_words(record)
        return f"{record['end']:8.1f} s  {printable(words)}"
    if record["type"] == "mark":
        return f"{record['time']:8.1f} s  marked"
    if record["type"] == "gap":
        seconds = record["end"] - record["start"]
        return f"{record['start']:8.1f} s  {seconds:.1f} s not heard: {record['reason']}"
    return None


def _clips_table(
    clips: list[tuple[Record, list[Record]]], labels: Sequence[str], unicode: bool
) -> Table:
    short = abbreviations(labels, min_length=2)
    heads = " ".join(printable(short[label]) for label in labels)
    table = _table("file", "length", "speech", heads, "verdict", numbers=(1, 2))
    for column in table.columns[1:]:
        column.no_wrap = True
    for clip, parts in clips:
        seconds = clip["duration"]
        name = ", ".join(filter(None, [clip["source"], voice_of(clip).name]))
        table.add_row(
            Text(printable(name), overflow="fold"),
            clock(seconds) if seconds >= _LONG else f"{seconds:.1f} s",
            percent(clip["speech"]),
            _share_bars(clip.get("shares") or {}, short, unicode),
            Text(printable(in_words(clip))),
        )
        for start, end, sounds in _parts(parts):
            times = Text(f"  {start:.1f}-{end:.1f} s")
            table.add_row(times, "", "", "", Text(printable(sounds)), style="dim")
    return table


def _share_bars(shares: Mapping[str, float], short: Mapping[str, str], unicode: bool) -> Text:
    """A bar for each emotion, its height the share of the speech; in ASCII, the share in tenths."""
    bars = Text()
    for (label, head), colour in zip(short.items(), colours(list(short)), strict=True):
        share = shares.get(label, 0.0)
        block = _BLOCKS[math.ceil(share * (len(_BLOCKS) - 1))]
        tenths = f"{math.ceil(10 * share)}" if share else ""
        bar = block * len(head) if unicode else f"{tenths:>{len(head)}}"
        bars.append(f"{bar} ", style=colour.hex)
    return bars


def _parts(records: list[Record]) -> list[tuple[float, float, str]]:
    """Start, end and label of the segments of a recording, or of its merged windows."""
    segments = [record for record in records if record["type"] == "segment"]
    if segments:
        return [(part["start"], part["end"], in_words(part)) for part in segments]
    return [(part.start, part.end, part.text) for part in intervals(records)]


def _table(*columns: str, numbers: tuple[int, ...]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for index, column in enumerate(columns):
        table.add_column(column, justify="right" if index in numbers else "left")
    return table


def flat(tree: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, str]]:
    """Names and values of a nested mapping, without tables such as a confusion matrix."""
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{prefix}{name}: ")
        elif not isinstance(value, list):
            yield f"{prefix}{name}", _in_words(value)
        elif not any(isinstance(item, list | Mapping) for item in value):
            yield f"{prefix}{name}", ", ".join(map(_in_words, value))


def _in_words(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
