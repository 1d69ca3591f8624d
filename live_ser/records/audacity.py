"""Audacity's label track: an annotation as lines of start, end and text."""

from __future__ import annotations

from live_ser.records.annotation import Annotation, in_a_line, labelled_lines


def label_track(annotation: Annotation) -> str:
    """The text of a label track; a label without length is a point."""
    labels = [(s.start, s.end, in_a_line(s)) for s in annotation.intervals]
    labels += [(mark, mark, "marked") for mark in annotation.marks]
    labels += labelled_lines(annotation)
    return "".join(f"{start:.6f}\t{end:.6f}\t{text}\n" for start, end, text in sorted(labels))
