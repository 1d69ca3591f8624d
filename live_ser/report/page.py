"""The HTML page of a session or recording: a single file that needs no network."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from pathlib import Path

from live_ser import __version__
from live_ser.audio.reading import USUAL, Reading
from live_ser.errors import unwritable
from live_ser.records.claims import Claims
from live_ser.records.formats import STANDARD_OUTPUT
from live_ser.records.new_file import NewFile
from live_ser.report.embedded_sound import EmbeddedSound, embedded, player
from live_ser.report.markup import filled, json_data
from live_ser.report.session_log import SessionLog, read_voices, shares
from live_ser.report.tables import (
    labels_section,
    marks_section,
    model_card,
    named,
    session_facts,
    shares_table,
    stretches_table,
    timeline,
    voice_section,
    windows_section,
)
from live_ser.report.timeline import timeline_data, windows_together
from live_ser.spec import ModelInfo
from live_ser.text import in_html

_TOLERANCE = 1.0  # seconds, by which sound and session may differ


def write_report(
    session: str | Path,
    output: str | Path,
    *,
    recording: str | None = None,
    audio: str | Path | None = None,
    model: str | Path | None = None,
    title: str | None = None,
    force: bool = False,
    reading: Reading = USUAL,
) -> list[str]:
    """Write the page of a session, or of a recording with windows or segments.

    Args:
        session: file of its records: JSON Lines, CSV or Parquet.
        recording: name of the recording, or the end of it, if the file contains several.
        output: path of the page; ``"-"`` is standard output.
        audio: file of its sound, to embed.
        model: name or path of the model, to describe; None for the model of that name that comes
            with live-ser.
        title: heading of the page; None for the name of the source.
        force: overwrite an existing page.
        reading: how to read the sound.

    Returns:
        A line that says so if the sound is not as long as the session.

    Raises:
        LiveSerError: a file cannot be read, is not a session, or cannot be written.
    """
    claims = Claims()
    for path in (session, audio, model):
        if path is not None:
            claims.read(path)
    if output != STANDARD_OUTPUT:
        claims.write(output)
    logs = read_voices(session, recording)
    sound = None if audio is None else embedded(Path(audio), reading)
    page = report_page(logs, sound=sound, model=_model_of(logs[0], model), title=title)
    write_page(page, output, force=force)
    return [] if sound is None else _other_length(f"{audio}", sound.seconds, logs[0])


def _other_length(audio: str, seconds: float, log: SessionLog) -> list[str]:
    """A note that the sound has another length than the session, if it has."""
    lengths = f"{audio} is {seconds:.1f} s long, and the session {log.seconds:.1f} s"
    if seconds < log.seconds - _TOLERANCE:
        return [f"{lengths}: the rest of the page has no sound"]
    if log.end and seconds > log.seconds + _TOLERANCE:
        return [f"{lengths}: it may be the sound of another one"]
    return []


def write_page(page: str, output: str | Path, *, force: bool) -> None:
    """Write a page to a file, or to standard output for ``"-"``.

    Raises:
        OutputError: it cannot be written, or exists and ``force`` is off.
    """
    if output == STANDARD_OUTPUT:
        sys.stdout.write(page)
        return
    try:
        with (
            NewFile(output, mode="overwrite" if force else "new") as file,
            io.BufferedWriter(file.raw) as stream,
        ):
            stream.write(page.encode())
    except OSError as error:
        raise unwritable(output, error) from error


def report_page(
    logs: Sequence[SessionLog],
    *,
    sound: EmbeddedSound | None,
    model: ModelInfo | None,
    title: str | None = None,
) -> str:
    """The page as HTML.

    Args:
        logs: the log of each voice.
        sound: the embedded sound, if any.
        model: the metadata of the model, if known.
        title: heading of the page; None for the name of the source.
    """
    log = logs[0]
    heading = log.source if title is None else title
    facts = session_facts(log) if title is None else [log.source, *session_facts(log)]
    values = {
        "title": in_html(f"{heading}: how it sounded"),
        "heading": in_html(heading),
        "facts": in_html(" · ".join(facts)),
        "player": "" if sound is None else player(sound),
        "timelines": "".join(timeline(number, one.voice) for number, one in enumerate(logs)),
        "shares": "".join(named(x.voice) + shares_table(shares(x), x.labels) for x in logs),
        "stretches": "".join(named(one.voice) + stretches_table(one) for one in logs),
        "voices": voice_section(logs),
        "marks": marks_section(log),
        "labels": labels_section(log),
        "windows": "".join(_windows(number, one) for number, one in enumerate(logs)),
        "card": model_card(log, model),
        "version": in_html(__version__),
        # Each voice has its level; the sound is that of all of them.
        "data": json_data(
            timeline_data(logs, sound.waveform if sound and len(logs) == 1 else None)
        ),
    }
    return filled("page.html", values, scripts=("page.js",))


def _windows(number: int, log: SessionLog) -> str:
    """The table of all windows of a voice."""
    together = windows_together(log)
    unit = log.unit + (f", {together} at a time" if together > 1 else "")
    return windows_section(number, log.voice, unit)


def _model_of(log: SessionLog, wanted: str | Path | None) -> ModelInfo | None:
    """The metadata of the model of a session, if it is known."""
    from live_ser.model.onnx_model import load, shipped_models

    if wanted is not None:
        return load(wanted).info
    path = shipped_models().get(str(log.facts.get("model")))
    info = None if path is None else load(path).info
    # A model of the same name with other labels is another one.
    return info if info and set(info.labels) == set(log.labels) else None
