"""ELAN's annotation format: an annotation as tiers, one for each field."""

from __future__ import annotations

import mimetypes
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import count
from urllib.parse import quote
from xml.etree import ElementTree as ET  # for writing only

from live_ser.records.annotation import MARK_SECONDS, Annotation
from live_ser.records.intervals import Interval
from live_ser.text import printable

_TYPE = "default-lt"
_SCHEMA = "http://www.mpi.nl/tools/elan/EAFv3.0.xsd"
_INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"
_FIELDS: dict[str, Callable[[Interval], str]] = {
    "emotion": lambda s: s.label or "",
    "state": lambda s: s.state,
    "confidence": lambda s: "" if s.confidence is None else f"{s.confidence:.4f}",
    "activation": lambda s: "" if s.activation is None else f"{s.activation:.4f}",
    "valence": lambda s: "" if s.valence is None else f"{s.valence:.4f}",
}
_Interval = tuple[int, int, str]  # milliseconds


def eaf(annotation: Annotation) -> str:
    """The text of an ``.eaf`` file (EAF 3.0) with the tiers emotion, state, confidence, activation.

    There are also tiers ``valence``, if the model estimates it, ``labels`` for the user's labels
    and ``marks``. With several voices, each has tiers of its own, such as ``agent emotion``, and is
    their participant.
    """
    tiers = {
        (voice, name): [(_ms(s.start), _ms(s.end), field(s)) for s in intervals]
        for voice, intervals in annotation.tracks()
        for name, field in _FIELDS.items()
        if name != "valence" or annotation.has_valence
    }
    if annotation.labels:
        tiers["", "labels"] = [
            (_ms(start), _ms(end), label) for start, end, label in annotation.labels
        ]
    if annotation.marks:
        marks = sorted({_ms(mark) for mark in annotation.marks})
        ends = [*marks[1:], marks[-1] + _ms(MARK_SECONDS)]
        tiers["", "marks"] = [
            (mark, min(end, mark + _ms(MARK_SECONDS)), "marked")
            for mark, end in zip(marks, ends, strict=True)
        ]
    return _document(annotation.source, tiers)


def _document(source: str, tiers: dict[tuple[str, str], list[_Interval]]) -> str:
    ET.register_namespace("xsi", _INSTANCE)
    document = ET.Element(
        "ANNOTATION_DOCUMENT",
        {
            "AUTHOR": "live-ser",
            "DATE": datetime.now().astimezone().isoformat(timespec="seconds"),
            "FORMAT": "3.0",
            "VERSION": "3.0",
            f"{{{_INSTANCE}}}noNamespaceSchemaLocation": _SCHEMA,
        },
    )
    header = ET.SubElement(document, "HEADER", MEDIA_FILE="", TIME_UNITS="milliseconds")
    kind, _ = mimetypes.guess_type(source)
    if kind and kind.startswith(("audio/", "video/")):  # not a microphone
        name = f"./{quote(source, errors='replace')}"
        ET.SubElement(
            header, "MEDIA_DESCRIPTOR", MEDIA_URL=name, RELATIVE_MEDIA_URL=name, MIME_TYPE=kind
        )
    used = ET.SubElement(header, "PROPERTY", NAME="lastUsedAnnotationId")
    used.text = str(_add_tiers(document, tiers))
    ET.SubElement(
        document,
        "LINGUISTIC_TYPE",
        GRAPHIC_REFERENCES="false",
        LINGUISTIC_TYPE_ID=_TYPE,
        TIME_ALIGNABLE="true",
    )
    ET.indent(document, "    ")
    text = ET.tostring(document, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _add_tiers(document: ET.Element, tiers: dict[tuple[str, str], list[_Interval]]) -> int:
    """Add the tiers and their annotations to a document; return the number of annotations."""
    order = ET.SubElement(document, "TIME_ORDER")
    slots, annotations = count(1), 0
    for (voice, name), intervals in tiers.items():
        identity = printable(f"{voice} {name}".strip())
        tier = ET.SubElement(document, "TIER", TIER_ID=identity, LINGUISTIC_TYPE_REF=_TYPE)
        if voice:
            tier.set("PARTICIPANT", printable(voice))
        for start, end, text in _apart(intervals):
            ends = [f"ts{next(slots)}", f"ts{next(slots)}"]
            for slot, time in zip(ends, (start, end), strict=True):
                ET.SubElement(order, "TIME_SLOT", TIME_SLOT_ID=slot, TIME_VALUE=str(time))
            annotations += 1
            value = ET.SubElement(
                ET.SubElement(tier, "ANNOTATION"),
                "ALIGNABLE_ANNOTATION",
                ANNOTATION_ID=f"a{annotations}",
                TIME_SLOT_REF1=ends[0],
                TIME_SLOT_REF2=ends[1],
            )
            ET.SubElement(value, "ANNOTATION_VALUE").text = printable(text)
    return annotations


def _apart(intervals: Iterable[_Interval]) -> Iterator[_Interval]:
    """Intervals without overlap and with a length, as tiers require."""
    until = 0
    for start, end, text in intervals:
        if end > max(start, until):
            yield max(start, until), end, text
            until = end


def _ms(seconds: float) -> int:
    return round(1000 * seconds)
