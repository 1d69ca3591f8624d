"""Clips whose emotion is known, what a model said of them, and how good that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from live_ser.inference.results import Verdict
from training.corpora.labels import right_labels
from training.corpora.readers import Clip
from training.evaluation import metrics

NO_LABEL = "no label"


@dataclass(frozen=True)
class Judged:
    """What a model said of clips.

    Each bears an emotion that the model has a label for. A clip that got no label counts as wrong.

    Attributes:
        labels: of the model.
        clips: what they are.
        verdicts: what was said of each.
    """

    labels: tuple[str, ...]
    clips: tuple[Clip, ...]
    verdicts: tuple[Verdict, ...]

    @cached_property
    def truth(self) -> NDArray[np.intp]:
        """Index of the right label, ``[n]``."""
        return right_labels(self.clips, self.labels)

    @cached_property
    def said(self) -> NDArray[np.intp]:
        """Index of the label that was given, ``[n]``; the number of labels where none was."""
        places = {label: place for place, label in enumerate((*self.labels, None))}
        return np.array([places[verdict.label] for verdict in self.verdicts], np.intp)

    @cached_property
    def probabilities(self) -> NDArray[np.float64]:
        """``[n, labels]``; zeros where nothing was judged."""
        given = [verdict.probabilities or {} for verdict in self.verdicts]
        return np.array([[one.get(label, 0.0) for label in self.labels] for one in given])

    @cached_property
    def right(self) -> NDArray[np.bool_]:
        """Whether the right label was given, ``[n]``."""
        return np.asarray(self.truth == self.said)

    def of(self, keep: Sequence[bool]) -> Judged:
        """Those of them that are kept."""
        chosen = np.flatnonzero(keep)
        return Judged(
            self.labels,
            tuple(self.clips[i] for i in chosen),
            tuple(self.verdicts[i] for i in chosen),
        )


def summary(judged: Judged) -> dict[str, Any]:
    """The figures that one line of a table or one point of a curve holds."""
    classes = len(judged.labels)
    return {
        "clips": len(judged.clips),
        "uar": metrics.uar(judged.truth, judged.said, classes),
        "accuracy": float(judged.right.mean()),
        "activation_uar": _activation_uar(judged),
        "without_label": float(np.mean(judged.said == classes)),
        "uncertain": _share(judged, "uncertain"),
        "evidence": float(np.mean([verdict.evidence for verdict in judged.verdicts])),
    }


def figures(judged: Judged) -> dict[str, Any]:
    """All that can be said of how good a model is on clips."""
    labels, classes = judged.labels, len(judged.labels)
    speakers = [clip.speaker for clip in judged.clips]
    labelled = judged.said < classes
    confidence = judged.probabilities.max(axis=1)
    certain = np.array([verdict.state == "speech" for verdict in judged.verdicts])
    return {
        **summary(judged),
        "speakers": len(set(speakers)),
        "uar_interval": metrics.bootstrap(
            lambda i: metrics.uar(judged.truth[i], judged.said[i], classes), speakers
        ),
        "accuracy_interval": metrics.bootstrap(lambda i: judged.right[i].mean(), speakers),
        "uar_own_classes": uar_own_classes(judged),
        "recalls": _named(labels, metrics.recalls(judged.truth, judged.said, classes)),
        "confusion": metrics.confusion(judged.truth, judged.said, classes + 1)[:-1].tolist(),
        "states": {
            state: _share(judged, state)
            for state in ("speech", "uncertain", "listening", "silence")
        },
        "accuracy_certain": float(judged.right[certain].mean()) if certain.any() else None,
        "ece": metrics.calibration_error(confidence[labelled], judged.right[labelled])
        if labelled.any()
        else None,
        "reliability": metrics.reliability(confidence[labelled], judged.right[labelled]),
        "surest_30": metrics.surest_gain(confidence, judged.right, 0.3),
        "activation": _activation(judged),
        "by_speaker": _spread(judged, speakers),
        "by_corpus": {
            corpus: {**summary(part), "uar_own_classes": uar_own_classes(part)}
            for corpus in sorted({clip.corpus for clip in judged.clips})
            for part in [judged.of([clip.corpus == corpus for clip in judged.clips])]
        },
    }


def _share(judged: Judged, state: str) -> float:
    return float(np.mean([verdict.state == state for verdict in judged.verdicts]))


def _named(labels: Sequence[str], values: NDArray[np.float64]) -> dict[str, float | None]:
    """By label; None for a label that no clip bears."""
    pairs = zip(labels, values, strict=True)
    return {label: None if np.isnan(value) else float(value) for label, value in pairs}


def uar_own_classes(judged: Judged) -> float:
    """UAR if the model were told which of its labels the clips' corpora have."""
    had: dict[str, set[int]] = {}
    for clip, right in zip(judged.clips, judged.truth, strict=True):
        had.setdefault(clip.corpus, set()).add(int(right))
    masked = np.full(judged.probabilities.shape, -1.0)
    for row, clip in enumerate(judged.clips):
        own = sorted(had[clip.corpus])
        masked[row, own] = judged.probabilities[row, own]
    classes = len(judged.labels)
    said = np.where(judged.said < classes, masked.argmax(axis=1), classes)
    return metrics.uar(judged.truth, said, classes)


def _activation_uar(judged: Judged) -> float | None:
    """Over the clips that are aroused or not; one that was not judged counts as wrong."""
    aroused, said, _ = _activations(judged)
    return metrics.uar(aroused, said, 2) if len(aroused) else None


def _activation(judged: Judged) -> dict[str, Any]:
    aroused, said, values = _activations(judged)
    heard = said < 2
    confidence = np.maximum(values, 1 - values)[heard]
    right = (aroused == said)[heard]
    speakers = [clip.speaker for clip in judged.clips if clip.activation is not None]
    found = metrics.recalls(aroused, said, 2)
    return {
        "clips": len(aroused),
        "uar": _activation_uar(judged),
        "uar_interval": metrics.bootstrap(lambda i: metrics.uar(aroused[i], said[i], 2), speakers)
        if speakers
        else None,
        "recalls": _named(("calm", "aroused"), found),
        "ece": metrics.calibration_error(confidence, right) if heard.any() else None,
        "reliability": metrics.reliability(confidence, right),
    }


def _activations(
    judged: Judged,
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """Of the clips that count: whether aroused, what was said (2 is nothing), activation."""
    rows = [
        (clip.activation, verdict.activation)
        for clip, verdict in zip(judged.clips, judged.verdicts, strict=True)
        if clip.activation is not None
    ]
    aroused = np.array([wanted for wanted, _ in rows], np.intp)
    said = np.array([2 if value is None else value >= 0.5 for _, value in rows], np.intp)
    values = np.array([np.nan if value is None else value for _, value in rows], np.float64)
    return aroused, said, values


def _spread(judged: Judged, speakers: Sequence[str]) -> dict[str, Any]:
    """How unlike the speakers fare."""
    each = {
        speaker: summary(judged.of([other == speaker for other in speakers]))
        for speaker in sorted(set(speakers))
    }
    uars = [one["uar"] for one in each.values()]
    return {
        "worst": min(uars),
        "best": max(uars),
        "deviation": float(np.std(uars)),
        "speakers": each,
    }
