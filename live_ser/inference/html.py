"""Results as HTML and SVG, for notebooks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from live_ser.audio.blocks import Voice
from live_ser.palette import colours
from live_ser.text import clock, clock_ticks, in_html, in_words, percent

Result = Mapping[str, Any]
"""The attributes of a result by name, from :meth:`live_ser.inference.results.Decision.to_dict`."""

_LANE = (1000, 60)  # width and height of a lane, in units of its own
_MARGIN = 30  # beside it, for half the label of a tick
_LATEST = 1e7  # second that is drawn


def card(result: Result) -> str:
    """A result as a heading, its measures, and a bar for each emotion."""
    heading = in_html(in_words(result))
    return (
        '<div style="max-width: 32em">'
        f'<div style="font-size: 1.4em">{heading}</div>'
        f'<div style="opacity: 0.7">{in_html(_measures(result))}</div>'
        f"{_bars(result['probabilities'] or {})}</div>"
    )


def lanes(results: Sequence[Result]) -> str:
    """A lane for each voice, under its name; a lane without a name for a single voice."""
    voices = dict.fromkeys(Voice(one["channel"], one["speaker"]) for one in results)
    if len(voices) < 2:
        return lane(results)
    parts = []
    for voice in voices:
        own = [one for one in results if Voice(one["channel"], one["speaker"]) == voice]
        parts.append(f"<div>{in_html(voice.name)}</div>{lane(own)}")
    return "".join(parts)


def lane(results: Sequence[Result]) -> str:
    """Results along a time axis: a bar each, coloured by emotion, its height the confidence.

    Bars of uncertain results are pale; results with invalid times have none. The emotions that
    occur are listed below the axis.
    """
    results = [one for one in results if -_LATEST <= one["start"] <= one["end"] <= _LATEST]
    if not results:
        return "<div>nothing was found</div>"
    spans = _spans(results)
    first, last = spans[0][0], max(end for _, end in spans)
    scale = _LANE[0] / max(last - first, 1e-9)
    colour = _colours(results)
    shapes = [
        _bar(result, (start - first) * scale, (end - start) * scale, colour)
        for result, (start, end) in zip(results, spans, strict=True)
        if result["label"] is not None
    ]
    marks = [_tick(second, (second - first) * scale) for second in clock_ticks(first, last)]
    occurring = {result["label"] for result in results}
    legend = "".join(
        f'<span style="margin-right: 1em"><span style="color: {hex_}">&#9632;</span> '
        f"{in_html(label)}</span>"
        for label, hex_ in colour.items()
        if label in occurring
    )
    return (
        f'<svg viewBox="{-_MARGIN} 0 {_LANE[0] + 2 * _MARGIN} {_LANE[1] + 24}" '
        f'style="width: 100%; max-width: 60em" role="img" aria-label="{len(results)} results">'
        f'<line x1="0" x2="{_LANE[0]}" y1="{_LANE[1]}" y2="{_LANE[1]}" stroke="currentColor"/>'
        f"{''.join(shapes)}{''.join(marks)}</svg><div>{legend}</div>"
    )


def _measures(result: Result) -> str:
    values = [f"{result['evidence']:.1f} s of speech"]
    if result["activation"] is not None:
        values.append(f"activation {result['activation']:.2f}")
    if result["valence"] is not None:
        values.append(f"valence {result['valence']:+.2f}")
    return ", ".join(values)


def _bars(probabilities: Mapping[str, float]) -> str:
    rows = [
        f'<tr><td style="text-align: left">{in_html(label)}</td>'
        f'<td style="width: 16em"><div style="background: {colour.hex}; height: 0.8em; '
        f'width: {100 * probabilities[label]:.1f}%"></div></td>'
        f"<td>{percent(probabilities[label])}</td></tr>"
        for label, colour in zip(probabilities, colours(list(probabilities)), strict=True)
    ]
    return f"<table>{''.join(rows)}</table>" if rows else ""


def _colours(results: Iterable[Result]) -> dict[str, str]:
    """The colour of each label."""
    labels = next((list(one["probabilities"]) for one in results if one["probabilities"]), [])
    return {label: colour.hex for label, colour in zip(labels, colours(labels), strict=True)}


def _spans(results: Sequence[Result]) -> list[tuple[float, float]]:
    """Start and end of each bar: windows overlap, so each one covers the hop that it adds."""
    spans: list[tuple[float, float]] = []
    for result in results:
        start = max(result["start"], spans[-1][1]) if spans else result["start"]
        spans.append((min(start, result["end"]), result["end"]))
    return spans


def _bar(result: Result, left: float, width: float, colour: Mapping[str, str]) -> str:
    label = result["label"] or ""
    height = _LANE[1] * (result["confidence"] or 0.0)
    pale = 0.35 if result["state"] == "uncertain" else 1
    return (
        f'<rect x="{left:.1f}" y="{_LANE[1] - height:.1f}" width="{max(width, 0.5):.1f}" '
        f'height="{height:.1f}" fill="{colour.get(label, "currentColor")}" opacity="{pale}">'
        f"<title>{in_html(in_words(result))}</title></rect>"
    )


def _tick(second: int, left: float) -> str:
    return (
        f'<line x1="{left:.1f}" x2="{left:.1f}" y1="{_LANE[1]}" y2="{_LANE[1] + 5}" '
        f'stroke="currentColor"/><text x="{left:.1f}" y="{_LANE[1] + 20}" font-size="14" '
        f'text-anchor="middle" fill="currentColor">{clock(second)}</text>'
    )
