"""A session or recording as a page.

It is one HTML file that needs nothing else and asks the network for nothing.
"""

from __future__ import annotations

import base64
import hashlib
import html
import io
import json
import math
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

from live_ser import __version__
from live_ser.audio.reading import USUAL, Reading
from live_ser.audio.sources import audio_file
from live_ser.errors import LiveSerError, OutputError
from live_ser.palette import colours
from live_ser.records.claims import Claims
from live_ser.records.formats import STANDARD_OUTPUT
from live_ser.records.new_file import NewFile
from live_ser.records.tables import flat
from live_ser.report.session_log import SessionLog, longest_intervals, read_session, shares
from live_ser.report.window_columns import STATES
from live_ser.spec import ModelInfo
from live_ser.text import clock, printable

_DRAWN = 20_000  # windows that a page holds one by one: nearly three hours, at two a second
_AUDIO_BYTES = 128 * 2**20  # at most: it travels inside the page
_PLAYED = {".wav": "audio/wav", ".flac": "audio/flac", ".mp3": "audio/mpeg", ".ogg": "audio/ogg"}
_FLAC_RATE = 44100


def write_report(
    session: str | Path,
    output: str | Path,
    *,
    recording: str | None = None,
    audio: str | Path | None = None,
    model: str | Path | None = None,
    force: bool = False,
    reading: Reading = USUAL,
) -> None:
    """Write the page of a session, or of a recording that was judged window by window.

    Args:
        session: file of its records; JSON Lines, CSV or Parquet.
        recording: which one, where the file holds several: its name, or the end of it.
        output: the page; an existing one is kept unless ``force``; ``"-"`` is standard output.
        audio: file of its sound, to be played on the page.
        model: name or path of the model that judged it, for its card; where there is none, the
            one that came with live-ser, if that is its name.
        force: replace what stands at ``output``.
        reading: how the sound is read; a channel or track that is chosen is played alone.

    Raises:
        LiveSerError: something cannot be read, is no session, or cannot be written.
    """
    claims = Claims()
    for path in (session, audio, model):
        if path is not None:
            claims.read(path)
    if output != STANDARD_OUTPUT:
        claims.write(output)
    log = read_session(session, recording)
    sound = None if audio is None else _sound(Path(audio), reading)
    text = report_page(log, sound=sound, model=_model_of(log, model))
    if output == STANDARD_OUTPUT:
        sys.stdout.write(text)
        return
    try:
        with (
            NewFile(output, mode="overwrite" if force else "new") as file,
            io.BufferedWriter(file.raw) as stream,
        ):
            stream.write(text.encode())
    except OSError as error:
        raise OutputError(f"cannot write {output}: {error.strerror}", "make room") from error


def _model_of(log: SessionLog, wanted: str | Path | None) -> ModelInfo | None:
    """The model that judged a session, if it is at hand."""
    from live_ser.model.onnx_model import load, shipped_models

    if wanted is not None:
        return load(wanted).info
    path = shipped_models().get(str(log.facts.get("model")))
    info = None if path is None else load(path).info
    # A model of the same name that knows other emotions is another one.
    return info if info and set(info.labels) == set(log.labels) else None


def report_page(log: SessionLog, *, sound: str | None, model: ModelInfo | None) -> str:
    """The page.

    Args:
        log: of the session.
        sound: ``data:`` address of its sound; None where there is none.
        model: that judged it, for its card.
    """
    style, script = _resource("page.css"), _resource("page.js")
    player = f'<audio id="player" controls preload="metadata" src="{sound}"></audio>'
    values = {
        "title": _text(f"{log.source}: how it sounded"),
        "heading": _text(log.source),
        "facts": _text(" · ".join(_facts(log))),
        "player": player if sound else "",
        "shares": _shares_table(log),
        "stretches": _stretches_table(log),
        "marks": _marks(log),
        "unit": log.unit + (f", {_together(log)} at a time" if _together(log) > 1 else ""),
        "card": _card(log, model),
        "version": _text(__version__),
        "data": _json(_data(log)),
        "style": style,
        "script": script,
        "style_hash": _hash(style),
        "script_hash": _hash(script),
    }
    # In one pass: what is filled in is never looked at again.
    return re.sub(r"\{\{(\w+)\}\}", lambda hole: values[hole[1]], _resource("page.html"))


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
        for start, end, name in longest_intervals(log)
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
        "windows": [*_drawn(log)],
    }


def _drawn(log: SessionLog) -> Iterator[dict[str, Any]]:
    """The windows as the page has them: several as one, where they are very many."""
    many = _together(log)
    windows = log.windows.joined(many) if many > 1 else log.windows
    names = [*map(printable, log.labels), None]
    columns = {
        "since": windows.since.round(3).tolist(),
        "end": windows.end.round(3).tolist(),
        "state": [STATES[state] for state in windows.state],
        "label": [names[label] for label in windows.label],
        "confidence": map(_number, windows.confidence.round(6).tolist()),
        "probabilities": map(_numbers, windows.probabilities.tolist()),
        "activation": map(_number, windows.activation.round(6).tolist()),
        "speech": windows.speech.round(4).tolist(),
        "level_db": map(_number, windows.level_db.round(1).tolist()),
        "valence": map(_number, windows.valence.round(6).tolist()),
    }
    for name, column in windows.prosody.items():
        columns[name] = map(_number, column.round(2).tolist())
    if windows.sounded is not None:
        columns["sounded"] = windows.sounded.tolist()
    for row in zip(*columns.values(), strict=True):
        yield dict(zip(columns, row, strict=True))


def _numbers(row: list[float]) -> list[float] | None:
    return None if not row or math.isnan(row[0]) else [round(share, 4) for share in row]


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value


def _together(log: SessionLog) -> int:
    """How many windows are one on the page."""
    return math.ceil(len(log.windows) / _DRAWN)


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
    return (files("live_ser.report") / name).read_text("utf-8")


def _sound(path: Path, reading: Reading) -> str:
    """A ``data:`` address of a recording; what browsers do not play becomes FLAC.

    Raises:
        LiveSerError: it cannot be read, or is too large to travel inside a page.
    """
    import soundfile

    kind = _PLAYED.get(path.suffix.lower()) if reading == USUAL else None
    try:
        data = path.read_bytes() if kind else _as_flac(path, reading)
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
            "leave out `audio`, or give a compressed copy (OGG, MP3)",
        )
    return f"data:{kind or 'audio/flac'};base64,{base64.b64encode(data).decode()}"


def _as_flac(path: Path, reading: Reading) -> bytes:
    """A recording as FLAC, mono."""
    import soundfile

    stream = io.BytesIO()
    with (
        audio_file(path, _FLAC_RATE, replace(reading, partial=True)) as blocks,
        soundfile.SoundFile(stream, "w", _FLAC_RATE, 1, "PCM_16", format="FLAC") as flac,
    ):
        for samples in blocks:
            flac.write(samples)
    return stream.getvalue()
