"""Tables of a session: shares of emotions, longest intervals, marks, labels, and the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from live_ser.palette import colours
from live_ser.records.tables import flat, provenance
from live_ser.report.markup import block, moment
from live_ser.report.session_log import SessionLog, longest_intervals
from live_ser.spec import ModelInfo
from live_ser.text import clock, in_html, percentages

GREY = "var(--faint)"  # for states without an emotion
NO_SPEECH = ("silence", "listening")  # states that do not count as speech


def session_facts(log: SessionLog) -> list[str]:
    """Facts about a session: date, length, losses."""
    facts = [date(log.facts["started"])] if log.facts else []
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


def date(started: str) -> str:
    """A date and time for people."""
    try:
        return f"{datetime.fromisoformat(started):%Y-%m-%d %H:%M}"
    except ValueError:
        return started


def shares_table(found: Mapping[str, float], labels: Sequence[str]) -> str:
    """Seconds of each emotion and state, as shares of the time and of the speech.

    Args:
        found: seconds of each, from :func:`~live_ser.report.session_log.shares`.
        labels: the emotions.
    """
    shade = dict(zip(labels, colours(labels), strict=True))
    spoken = {name: seconds for name, seconds in found.items() if name not in NO_SPEECH}
    of_time, of_speech = percentages(found), percentages(spoken)
    speech = sum(spoken.values()) or 1.0
    rows = []
    for name, seconds in found.items():
        colour = shade[name].hex if name in shade else GREY
        share = f"{of_speech[name]} %" if name in spoken else ""
        bar = block("share", (seconds / speech, colour)) if name in spoken else ""
        rows.append(
            f'<tr><td class="name">{block("swatch", (1, colour))}{in_html(name)}</td>'
            f'<td class="number">{clock(seconds)}</td>'
            f'<td class="number">{of_time[name]} %</td>'
            f'<td class="number">{share}</td><td>{bar}</td></tr>'
        )
    return (
        '<table id="shares"><tr><th>emotion</th><th class="number">time</th>'
        '<th class="number">of the time</th><th class="number">of the speech</th><th></th></tr>'
        f"{''.join(rows)}</table>"
    )


def stretches_table(log: SessionLog) -> str:
    """The longest intervals of one emotion."""
    rows = [
        f'<tr><td>{moment(start)}</td><td class="number">{end - start:.1f} s</td>'
        f"<td>{in_html(name)}</td></tr>"
        for start, end, name in longest_intervals(log)
    ]
    if not rows:
        return "<p>No stretch in which one emotion was heard.</p>"
    return (
        '<table id="stretches"><tr><th>from</th><th class="number">length</th><th>emotion</th></tr>'
        f"{''.join(rows)}</table>"
    )


def timeline(number: int, voice: str) -> str:
    """The timeline of a voice, drawn by the script.

    Args:
        number: number of the voice, from 0.
        voice: its name; empty for a single voice.
    """
    tail = f"-{number}" if number else ""
    of_whom = f" for {in_html(voice)}" if voice else ""
    hint = "" if number else "Click on the timeline for one moment; the wheel looks closer."
    return (
        f"{named(voice)}"
        f'<canvas id="timeline{tail}" tabindex="0" role="img" aria-label="Probability of each '
        f'emotion over time{of_whom}; the tables below say the same in numbers"></canvas>'
        f'<p id="detail{tail}" class="detail" role="status" aria-live="polite">{hint}</p>'
    )


def windows_section(number: int, voice: str, unit: str) -> str:
    """The table of all windows of a voice, filled in by the script.

    Args:
        number: number of the voice, from 0.
        voice: its name; empty for a single voice.
        unit: ``windows`` or ``segments``.
    """
    tail = f"-{number}" if number else ""
    of_whom = f" of {in_html(voice)}" if voice else ""
    return (
        f'<section><details id="windows{tail}"><summary><h2>All {unit}{of_whom}</h2></summary>'
        f'<div class="bar"><p id="page-name{tail}"></p><div class="tools">'
        f'<button type="button" id="earlier{tail}">earlier</button>'
        f'<button type="button" id="later{tail}">later</button></div></div>'
        f'<div class="scroll"><table id="rows{tail}"></table></div></details></section>'
    )


def named(voice: str) -> str:
    """The heading of a voice; empty for a single voice."""
    return f"<h3>{in_html(voice)}</h3>" if voice else ""


def voice_section(logs: Sequence[SessionLog]) -> str:
    """The prosody of each emotion, compared with the speaker's usual."""
    tables = [named(log.voice) + table for log in logs if (table := _voice_table(log))]
    if not tables:
        return ""
    return (
        '<section id="voice"><h2>Prosody</h2>'
        "<p>Measured independently of the model; the usual is that of the same speaker's earlier "
        f"speech.</p>{''.join(tables)}</section>"
    )


_VOICE = (
    *(("pitch", "pitch", "{:.0f} Hz"), ("pitch_change", "from usual", "{:+.1f} semitones")),
    *(("loudness", "loudness", "{:.0f} dB"), ("loudness_change", "from usual", "{:+.1f} dB")),
    *(("rate", "rate", "{:.1f} syllables/s"), ("rate_change", "of the usual", "{:.2f} times")),
)


def _voice_table(log: SessionLog) -> str:
    """Means over the windows of each emotion; empty without measures."""
    windows = log.windows
    if not windows.prosody or np.isnan(windows.prosody["loudness"]).all():
        return ""
    names, codes = windows.best_labels()
    known = [one for one in _VOICE if not np.isnan(windows.prosody[one[0]]).all()]
    rows = []
    for code in dict.fromkeys(codes.tolist()):
        if names[code] in NO_SPEECH:
            continue
        cells = "".join(
            f'<td class="number">{_mean(windows.prosody[measure][codes == code], form)}</td>'
            for measure, _, form in known
        )
        rows.append(f'<tr><td class="name">{in_html(names[code])}</td>{cells}</tr>')
    heads = "".join(f'<th class="number">{head}</th>' for _, head, _ in known)
    return (
        f'<div class="scroll"><table><tr><th>emotion</th>{heads}</tr>{"".join(rows)}</table></div>'
    )


def _mean(values: NDArray[np.float32], form: str) -> str:
    known = values[~np.isnan(values)]
    return form.format(known.mean()) if len(known) else ""


def marks_section(log: SessionLog) -> str:
    """The user's marks; empty if there are none."""
    if not log.marks:
        return ""
    items = " ".join(moment(mark) for mark in log.marks)
    return f'<section id="marks"><h2>Marked moments</h2><p>{items}</p></section>'


def labels_section(log: SessionLog) -> str:
    """The user's labels and the model's predictions; empty without labels."""
    given = log.labels_given
    if not given:
        return ""
    agreed = sum(one["label"] == one["guess"] for one in given)
    rows = "".join(
        f"<tr><td>{moment(one['start'])}</td><td>{in_html(one['label'])}</td>"
        f"<td>{in_html(one['guess'] or 'nothing')}</td></tr>"
        for one in given
    )
    return (
        '<section id="labels"><h2>Your labels</h2>'
        f"<p>The model agreed on {agreed} of {len(given)} labelled utterances "
        f"({100 * agreed / len(given):.0f} %).</p>"
        f"<table><tr><th>from</th><th>you</th><th>the model</th></tr>{rows}</table></section>"
    )


def model_card(log: SessionLog, model: ModelInfo | None) -> str:
    """The metadata of the model, and its settings."""
    entries: dict[str, object] = {
        "name": log.facts.get("model", "not recorded"),
        "emotions": ", ".join(log.labels),
    }
    if log.facts:
        entries["windows"] = (
            f"{log.facts['window']:g} s at most, each {log.facts['hop']:g} s, "
            f"at {log.facts['sample_rate']:g} Hz"
        )
    if model is not None:
        entries["licence"] = model.licence
        entries |= {name: _brief(value) for name, value in provenance(model).items()}
    rows = (f"<dt>{in_html(str(k))}</dt><dd>{in_html(str(v))}</dd>" for k, v in entries.items())
    return f'<dl id="card">{"".join(rows)}</dl>'


def _brief(value: object) -> str:
    """A value of the metadata in a line."""
    group = value if isinstance(value, Mapping) else {"": value}
    return " · ".join(f"{name} {told}".strip() for name, told in flat(group))
