"""BIDS: an annotation as a table of events, and the sidecar that describes its columns."""

from __future__ import annotations

import json
from collections.abc import Iterable

from live_ser.records.annotation import Annotation
from live_ser.text import printable

_COLUMNS = (
    *("onset", "duration", "trial_type", "state", "confidence", "activation", "valence"),
    "speaker",
)
_MISSING = "n/a"  # according to the specification


def events(annotation: Annotation) -> str:
    """The text of an ``_events.tsv`` file (Brain Imaging Data Structure, task events)."""
    rows: list[tuple[float, float, *tuple[float | str | None, ...]]] = [
        (s.start, s.end - s.start, s.label, s.state, s.confidence, s.activation, s.valence, s.voice)
        for s in annotation.intervals
    ]
    rows += [
        (start, end - start, label, "labelled", None, None, None, None)
        for start, end, label in annotation.labels
    ]
    rows += [(mark, 0.0, "mark", None, None, None, None, None) for mark in annotation.marks]
    lines = ["\t".join(_COLUMNS)]
    lines += ["\t".join(map(_cell, row)) for row in sorted(rows, key=lambda row: row[:2])]
    return "\n".join(lines) + "\n"


def sidecar(labels: Iterable[str]) -> str:
    """The text of the ``_events.json`` file beside it.

    Args:
        labels: labels of the model.
    """
    levels = {printable(label): f"the voice sounds {printable(label)}" for label in labels}
    columns: dict[str, object] = {
        "onset": {"Description": "from the start of the recording", "Units": "s"},
        "duration": {"Description": "of the event; 0 for a mark", "Units": "s"},
        "trial_type": {
            "LongName": "Emotion",
            "Description": "how the voice sounds, as a model classifies it; or, where the state is "
            "labelled, as the user says",
            "Levels": {**levels, "mark": "a moment that the user marked"},
        },
        "state": {
            "Description": "how sure the model is",
            "Levels": {
                "speech": "an emotion was heard",
                "uncertain": "the model can't tell; the emotion is its best guess",
                "labelled": "the emotion is the user's label",
            },
        },
        "confidence": {"Description": "probability of the emotion, 0 to 1"},
        "activation": {"Description": "how aroused the voice sounds, 0 (calm) to 1"},
        "valence": {
            "Description": "how pleasant the voice sounds, -1 (unpleasant) over 0 (neither) to 1; "
            "n/a if the model does not estimate it"
        },
        "speaker": {
            "Description": "who speaks, or the channel; n/a if the sound is classified as one"
        },
    }
    return json.dumps(columns, indent=2, ensure_ascii=False) + "\n"


def _cell(value: float | str | None) -> str:
    if isinstance(value, float):
        return f"{value:.4f}".rstrip("0").rstrip(".")
    return printable(value) if value else _MISSING
