"""A session or recording as a page.

It is one HTML file that needs nothing else and asks the network for nothing.
"""

from __future__ import annotations

import base64
import hashlib
import html
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Any

from live_ser import __version__
from live_ser.claims import Claims
from live_ser.errors import LiveSerError
from live_ser.new_file import NewFile
from live_ser.palette import colours
from live_ser.printable import printable
from live_ser.record_files import read_records
from live_ser.records import Record
from live_ser.sources import audio_file
from live_ser.spec import ModelInfo
from live_ser.tables import flat
from live_ser.words import clock

_LONGEST = 10  # stretches that are listed
_LABELS = 64  # at most: each has a lane of the timeline
_AUDIO_BYTES = 128 * 2**20  # at most: it travels inside the page
_PLAYED = {".wav": "audio/wav", ".flac": "audio/flac", ".mp3": "audio/mpeg", ".ogg": "audio/ogg"}
_NAMED = 5  # recordings that a message lists
_FLAC_RATE = 44100
_HINT = "take what live-ser listen -o writes, or live-ser file with --timeline or --segments"


@dataclass(frozen=True)
class Window:
    """One judged window or segment, and the stretch of time that it speaks for.

    Attributes:
        since: seconds from the start of the source to the end of the window before it, or to the
            start of the segment.
        end: seconds from the start of the source to the end of the window.
        record: as it was written.
    """

    since: float
    end: float
    record: Record

    @property
    def said(self) -> str:
        """The emotion, or the state where there is none."""
        state, label = str(self.record["state"]), self.record["label"]
        return str(label) if state == "speech" and label is not None else state


@dataclass(frozen=True)
class SessionLog:
    """What the records of one session or recording tell.

    Attributes:
        source: name of what was heard.
        labels: of the model.
        facts: the session record; empty for a recording, which has none.
        windows: in the order of time.
        gaps: start, end and reason of what was not heard.
        marks: seconds at which the user marked a moment.
        seconds: that the session lasted.
        end: the end record; empty where the session was cut off.
        unit: what was judged: ``windows`` or ``segments``.
    """

    source: str
    labels: tuple[str, ...]
    facts: Record
    windows: tuple[Window, ...]
    gaps: tuple[Record, ...] = ()
    marks: tuple[float, ...] = ()
    seconds: float = 0.0
    end: Record = field(default_factory=dict)
    unit: str = "windows"


def write_report(
    session: str | Path,
    output: str | Path,
    *,
    recording: str | None = None,
    audio: str | Path | None = None,
    model: str | Path | None = None,
    force: bool = False,
) -> None:
    """Write the page of a session, or of a recording that was judged window by window.

    Args:
        session: file of its records; JSON Lines, CSV or Parquet.
        recording: which one, where the file holds several: its name, or the end of it.
        output: the page; an existing one is kept unless ``force``.
        audio: file of its sound, to be played on the page.
        model: name or path of the model that judged it, for its card; where there is none, the
            one that came with live-ser, if that is its name.
        force: replace what stands at ``output``.

    Raises:
        LiveSerError: something cannot be read, is no session, or cannot be written.
    """
    claims = Claims()
    for path in (session, audio, model):
        if path is not None:
            claims.read(path)
    claims.write(output)
    log = read_session(session, recording)
    sound = None if audio is None else _sound(Path(audio))
    text = report_page(log, sound=sound, model=_model_of(log, model))
    try:
        with NewFile(output, force=force) as file, io.BufferedWriter(file.raw) as stream:
            stream.write(text.encode())
    except OSError as error:
        raise LiveSerError(f"cannot write {output}: {error.strerror}", "make room") from error


def _model_of(log: SessionLog, wanted: str | Path | None) -> ModelInfo | None:
    """The model that judged a session, if it is at hand."""
    from live_ser.model import load, shipped_models

    if wanted is not None:
        return load(wanted).info
    path = shipped_models().get(str(log.facts.get("model")))
    info = None if path is None else load(path).info
    # A model of the same name that knows other emotions is another one.
    return info if info and set(info.labels) == set(log.labels) else None


def read_session(path: str | Path, recording: str | None = None) -> SessionLog:
    """Read the records of a session, or the windows or segments of a recording.

    Args:
        path: of their file.
        recording: which one, where the file holds several: its name, or the end of it.

    Raises:
        LiveSerError: they cannot be read, or are not of exactly one session or recording.
    """
    source, kinds = _records_of_one(path, recording)
    judged = kinds.get("window") or kinds.get("segment")
    if not judged:
        raise LiveSerError(f"{path} holds no judged window or segment", _HINT)
    heads = kinds.get("session", []) + kinds.get("clip", [])
    head, end = heads[0] if heads else judged[0], kinds.get("end", [{}])[-1]
    gaps = sorted(kinds.get("gap", []), key=lambda gap: gap["start"])
    windows = _windows(judged, gaps)
    labels = tuple(head.get("labels") or _labels([*judged, *kinds.get("clip", [])]))
    if len(labels) > _LABELS:
        raise LiveSerError(f"{path} knows {len(labels)} emotions; a page shows {_LABELS}", _HINT)
    unknown = {w.record["label"] for w in windows} - {*labels, None}
    if unknown:
        raise LiveSerError(
            f"{path} names {sorted(unknown)[0]!r:.40}, which is no label of it", _HINT
        )
    lengths = [end.get("seconds", 0), *(clip["duration"] for clip in kinds.get("clip", []))]
    times = [windows[-1].end, *(gap["end"] for gap in gaps), *lengths]
    return SessionLog(
        source=source,
        labels=labels,
        facts=head if head["type"] == "session" else {},
        windows=windows,
        gaps=tuple(gaps),
        marks=tuple(sorted(float(mark["time"]) for mark in kinds.get("mark", []))),
        seconds=float(max(times)),
        end=end,
        unit=f"{judged[0]['type']}s",
    )


def _records_of_one(path: str | Path, recording: str | None) -> tuple[str, dict[str, list[Record]]]:
    """Name and records, by their type, of the one session or recording that is meant."""
    found: dict[str, dict[str, list[Record]]] = {}
    source = ""
    for record in read_records(path):
        # A window of a session does not say whose it is: it follows the record that does.
        source = str(record.get("source", source))
        kinds = found.setdefault(source, {})
        # What cannot be meant need not be remembered, but for its name.
        first = len(found.keys() - {""}) < 2 if recording is None else _is_called(source, recording)
        if first or not source:
            kinds.setdefault(str(record["type"]), []).append(record)
    strays = found.pop("", {})  # from before the record that says whose they are
    names = [name for name in found if recording is None or _is_called(name, recording)]
    names = [recording] if recording in names else names
    if not found:
        raise LiveSerError(f"{path} holds no session and no recording", _HINT)
    if len(names) != 1:
        listed = ", ".join([*found][:_NAMED]) + (", …" if len(found) > _NAMED else "")
        what = f"{len(names)} recordings" + (f" called {recording}" if recording else "")
        raise LiveSerError(
            f"{path} holds {what}; a page shows one", f"--recording NAME, of these: {listed}"
        )
    kinds = found[names[0]]
    for kind, records in strays.items():
        kinds[kind] = records + kinds.get(kind, [])
    for kind in ("session", "clip"):
        if len(kinds.get(kind, [])) > 1:
            raise LiveSerError(
                f"{path} holds {len(kinds[kind])} sessions of {names[0]}; a page shows one", _HINT
            )
    return names[0], kinds


def _is_called(source: str, name: str) -> bool:
    """Whether a recording's path is this one, or ends with it."""
    parts, wanted = Path(source).parts, Path(name).parts
    return source == name or (bool(wanted) and parts[-len(wanted) :] == wanted)


def shares(log: SessionLog) -> dict[str, float]:
    """Seconds of each emotion and state, longest first; what was not heard is left out."""
    seconds: dict[str, float] = {}
    for window in log.windows:
        seconds[window.said] = seconds.get(window.said, 0.0) + window.end - window.since
    return dict(sorted(seconds.items(), key=lambda item: -item[1]))


def longest_stretches(log: SessionLog) -> list[tuple[float, float, str]]:
    """The longest stretches in which one emotion was heard: start, end, emotion."""
    found: list[tuple[float, float, str]] = []
    for before, window in pairwise([None, *log.windows]):
        if window is None or window.record["state"] != "speech":
            continue
        if before and before.said == window.said and before.end == window.since:
            found[-1] = (found[-1][0], window.end, window.said)
        else:
            found.append((window.since, window.end, window.said))
    return sorted(found, key=lambda stretch: stretch[0] - stretch[1])[:_LONGEST]


def report_page(log: SessionLog, *, sound: str | None, model: ModelInfo | None) -> str:
    """The page.

    Args:
        log: of the session.
        sound: ``data:`` address of its sound; None where there is none.
        model: that judged it, for its card.
    """
    style, script = _resource("report.css"), _resource("report.js")
    player = f'<audio id="player" controls preload="metadata" src="{sound}"></audio>'
    values = {
        "title": _text(f"{log.source}: how it sounded"),
        "heading": _text(log.source),
        "facts": _text(" · ".join(_facts(log))),
        "player": player if sound else "",
        "shares": _shares_table(log),
        "stretches": _stretches_table(log),
        "marks": _marks(log),
        "unit": log.unit,
        "card": _card(log, model),
        "version": _text(__version__),
        "data": _json(_data(log)),
        "style": style,
        "script": script,
        "style_hash": _hash(style),
        "script_hash": _hash(script),
    }
    # In one pass: what is filled in is never looked at again.
    return re.sub(r"\{\{(\w+)\}\}", lambda hole: values[hole[1]], _resource("report.html"))


def _windows(records: Iterable[Record], gaps: Sequence[Record]) -> tuple[Window, ...]:
    ordered = sorted(records, key=lambda record: record["end"])
    windows = []
    before, next_gap = 0.0, 0
    for record in ordered:
        while next_gap < len(gaps) and gaps[next_gap]["end"] <= record["end"]:
            before = max(before, gaps[next_gap]["end"])
            next_gap += 1
        end = float(record["end"])
        windows.append(Window(min(max(before, float(record["start"])), end), end, record))
        before = end
    return tuple(windows)


def _labels(records: Iterable[Record]) -> tuple[str, ...]:
    """The labels of a timeline, which does not say them by themselves."""
    for record in records:
        if record["probabilities"]:
            return tuple(record["probabilities"])
    return ()


def _facts(log: SessionLog) -> list[str]:
    facts = [_date(log.facts["started"])] if log.facts else []
    facts.append(f"{clock(log.seconds)} long")
    facts.append(f"{len(log.windows)} {log.unit}")
    lost = sum(gap["end"] - gap["start"] for gap in log.gaps)
    if lost:
        facts.append(f"{lost:.0f} s not heard")
    if log.end.get("skipped"):
        facts.append(f"windows skipped: {log.end['skipped']:.0f}")
    if log.end.get("overflows"):
        facts.append(f"sound lost: {log.end['overflows']:.0f} times")
    if log.facts and not log.end:
        facts.append("cut off before its end")
    return facts


def _date(started: str) -> str:
    try:
        return f"{datetime.fromisoformat(started):%Y-%m-%d %H:%M}"
    except ValueError:
        return started


def _shares_table(log: SessionLog) -> str:
    shade = dict(zip(log.labels, colours(log.labels), strict=True))
    found = shares(log)
    total = sum(found.values()) or 1.0
    rows = []
    for name, seconds in found.items():
        colour = shade[name].hex if name in shade else "#9aa3ae"
        swatch = _block("swatch", 1, colour)
        bar = _block("share", seconds / total, colour)
        rows.append(
            f"<tr><td>{swatch}{_text(name)}</td>"
            f'<td class="number">{clock(seconds)}</td>'
            f'<td class="number">{100 * seconds / total:.0f} %</td>'
            f"<td>{bar}</td></tr>"
        )
    return (
        '<table id="shares"><tr><th>sounded</th><th class="number">time</th>'
        f'<th class="number">share</th><th></th></tr>{"".join(rows)}</table>'
    )


def _block(kind: str, share: float, colour: str) -> str:
    """A block of colour; drawn, because the page allows no style but its own."""
    return (
        f'<svg class="{kind}" viewBox="0 0 1 1" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect width="{share:.4f}" height="1" fill="{colour}"/></svg>'
    )


def _stretches_table(log: SessionLog) -> str:
    rows = [
        f'<tr><td>{_moment(start)}</td><td class="number">{end - start:.1f} s</td>'
        f"<td>{_text(name)}</td></tr>"
        for start, end, name in longest_stretches(log)
    ]
    if not rows:
        return "<p>No stretch in which one emotion was heard.</p>"
    return (
        '<table id="stretches"><tr><th>from</th><th class="number">length</th><th>sounded</th></tr>'
        f"{''.join(rows)}</table>"
    )


def _marks(log: SessionLog) -> str:
    if not log.marks:
        return ""
    items = " ".join(_moment(mark) for mark in log.marks)
    return f'<section id="marks"><h2>Marked moments</h2><p>{items}</p></section>'


def _moment(seconds: float) -> str:
    return f'<button type="button" class="link" value="{seconds:.3f}">{clock(seconds)}</button>'


def _card(log: SessionLog, model: ModelInfo | None) -> str:
    entries: dict[str, object] = {
        "name": log.facts.get("model", "not recorded"),
        "emotions": ", ".join(log.labels),
    }
    if log.facts:
        entries["hears"] = (
            f"{log.facts['window']:g} s at most, each {log.facts['hop']:g} s, "
            f"at {log.facts['sample_rate']:g} Hz"
        )
    if model is not None:
        entries["licence"] = model.licence
        entries |= {name: _brief(value) for name, value in model.provenance.items()}
    rows = (f"<dt>{_text(str(k))}</dt><dd>{_text(str(v))}</dd>" for k, v in entries.items())
    return f'<dl id="card">{"".join(rows)}</dl>'


def _brief(value: object) -> str:
    """What a model says of one matter, in one line."""
    group = value if isinstance(value, Mapping) else {"": value}
    return " · ".join(f"{name} {told}".strip() for name, told in flat(group))


def _data(log: SessionLog) -> dict[str, Any]:
    """What the script of the page draws from."""
    return {
        "labels": [printable(label) for label in log.labels],
        "colours": [colour.hex for colour in colours(log.labels)],
        "seconds": log.seconds,
        "marks": log.marks,
        "gaps": [{**gap, "reason": printable(gap["reason"])} for gap in log.gaps],
        "windows": [
            {
                "since": round(window.since, 3),
                "end": round(window.end, 3),
                "state": window.record["state"],
                "label": window.record["label"] and printable(window.record["label"]),
                "confidence": window.record["confidence"],
                "probabilities": _ordered(window.record["probabilities"], log.labels),
                "activation": window.record["activation"],
                "speech": window.record["speech"],
                "level_db": window.record.get("level_db"),
            }
            for window in log.windows
        ],
    }


def _ordered(shares: dict[str, float] | None, labels: Sequence[str]) -> list[float] | None:
    return None if not shares else [round(shares.get(label, 0.0), 4) for label in labels]


def _json(data: object) -> str:
    """JSON that cannot end the element that it stands in."""
    text = json.dumps(data, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _text(text: str) -> str:
    return html.escape(printable(text))


def _hash(text: str) -> str:
    """The name by which the page allows this script or style, and no other."""
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"


def _resource(name: str) -> str:
    return (files("live_ser") / name).read_text("utf-8")


def _sound(path: Path) -> str:
    """A ``data:`` address of a recording; what browsers do not play becomes FLAC.

    Raises:
        LiveSerError: it cannot be read, or is too large to travel inside a page.
    """
    import soundfile

    kind = _PLAYED.get(path.suffix.lower())
    try:
        data = path.read_bytes() if kind else _as_flac(path)
        if kind:
            soundfile.info(io.BytesIO(data))
    except OSError as error:
        raise LiveSerError(f"cannot read {path}: {error.strerror}", "check the name") from error
    except (soundfile.LibsndfileError, ValueError) as error:
        raise LiveSerError(f"cannot read {path} as sound", "give WAV, FLAC, OGG or MP3") from error
    if len(data) > _AUDIO_BYTES:
        raise LiveSerError(
            f"{path} is too large to travel inside a page: {len(data) / 2**20:.0f} MB, "
            f"at most {_AUDIO_BYTES / 2**20:.0f}",
            "leave out --audio, or give a compressed copy (OGG, MP3)",
        )
    return f"data:{kind or 'audio/flac'};base64,{base64.b64encode(data).decode()}"


def _as_flac(path: Path) -> bytes:
    """A recording as FLAC, mono."""
    import soundfile

    stream = io.BytesIO()
    with (
        audio_file(path, _FLAC_RATE) as blocks,
        soundfile.SoundFile(stream, "w", _FLAC_RATE, 1, "PCM_16", format="FLAC") as flac,
    ):
        for samples in blocks:
            flac.write(samples)
    return stream.getvalue()
