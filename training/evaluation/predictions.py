"""Labelled clips with predictions, and their metrics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from live_ser.inference.results import Verdict
from training.corpora import labels as corpus_labels
from training.corpora.clips import Clip
from training.evaluation import metrics
from training.evaluation.figures import (
    ActivationFigures,
    ClipFigures,
    ConditionSummary,
    CorpusSummary,
    SpeakerFigures,
    Summary,
)

NO_LABEL = "no label"


@dataclass(frozen=True)
class Predictions:
    """Predictions of clips by a model.

    Each clip has an emotion that the model has a label for. A clip without a predicted label counts
    as wrong.

    Attributes:
        labels: labels of the model.
        clips: the clips, ``[n]``.
        verdicts: the verdict on each clip, ``[n]``.
    """

    labels: tuple[str, ...]
    clips: tuple[Clip, ...]
    verdicts: tuple[Verdict, ...]

    @cached_property
    def targets(self) -> NDArray[np.intp]:
        """Index of the right label, ``[n]``."""
        return corpus_labels.targets(self.clips, self.labels)

    @cached_property
    def predicted(self) -> NDArray[np.intp]:
        """Index of the predicted label, ``[n]``; the number of labels where there is none."""
        places = {label: place for place, label in enumerate((*self.labels, None))}
        return np.array([places[verdict.label] for verdict in self.verdicts], np.intp)

    @cached_property
    def probabilities(self) -> NDArray[np.float64]:
        """The probability of each label, ``[n, labels]``; zeros without a prediction."""
        given = [verdict.probabilities or {} for verdict in self.verdicts]
        return np.array([[one.get(label, 0.0) for label in self.labels] for one in given])

    @cached_property
    def correct(self) -> NDArray[np.bool_]:
        """Whether the predicted label is right, ``[n]``."""
        return np.asarray(self.targets == self.predicted)

    def where(self, mask: Sequence[bool]) -> Predictions:
        """The predictions where a mask ``[n]`` is True."""
        chosen = np.flatnonzero(mask)
        return Predictions(
            self.labels,
            tuple(self.clips[i] for i in chosen),
            tuple(self.verdicts[i] for i in chosen),
        )


def summary(predictions: Predictions) -> Summary:
    """The figures in a line of a table, or at a point of a curve."""
    classes = len(predictions.labels)
    return Summary(
        clips=len(predictions.clips),
        uar=metrics.uar(predictions.targets, predictions.predicted, classes),
        accuracy=float(predictions.correct.mean()),
        activation_uar=_activation_uar(predictions),
        without_label=float(np.mean(predictions.predicted == classes)),
        uncertain=_share(predictions, "uncertain"),
        evidence=float(np.mean([verdict.evidence for verdict in predictions.verdicts])),
    )


def condition_summary(condition: str, predictions: Predictions) -> ConditionSummary:
    """The figures under a condition."""
    return ConditionSummary(condition=condition, **vars(summary(predictions)))


def clip_figures(predictions: Predictions) -> ClipFigures:
    """All figures of predictions of clips."""
    labels, classes = predictions.labels, len(predictions.labels)
    targets, predicted, correct = predictions.targets, predictions.predicted, predictions.correct
    speakers = [clip.speaker for clip in predictions.clips]
    labelled = predicted < classes
    confidence = predictions.probabilities.max(axis=1)
    certain = np.array([verdict.state == "speech" for verdict in predictions.verdicts])
    return ClipFigures(
        **vars(summary(predictions)),
        speakers=len(set(speakers)),
        uar_interval=metrics.bootstrap(
            lambda i: metrics.uar(targets[i], predicted[i], classes), speakers
        ),
        accuracy_interval=metrics.bootstrap(lambda i: correct[i].mean(), speakers),
        uar_own_classes=uar_own_classes(predictions),
        recalls=_named(labels, metrics.recalls(targets, predicted, classes)),
        confusion=_counts(metrics.confusion(targets, predicted, classes + 1)[:-1]),
        states={
            state: _share(predictions, state)
            for state in ("speech", "uncertain", "listening", "silence")
        },
        accuracy_certain=float(correct[certain].mean()) if certain.any() else None,
        ece=metrics.calibration_error(confidence[labelled], correct[labelled])
        if labelled.any()
        else None,
        reliability=metrics.reliability(confidence[labelled], correct[labelled]),
        surest_30=metrics.surest_gain(confidence, correct, 0.3),
        activation=_activation(predictions),
        by_speaker=_by_speaker(predictions, speakers),
        by_corpus=_by_corpus(predictions),
    )


def uar_own_classes(predictions: Predictions) -> float:
    """UAR if labels that a clip's corpus lacks are never predicted for it."""
    had: dict[str, set[int]] = {}
    for clip, target in zip(predictions.clips, predictions.targets, strict=True):
        had.setdefault(clip.corpus, set()).add(int(target))
    masked = np.full(predictions.probabilities.shape, -1.0)
    for row, clip in enumerate(predictions.clips):
        own = sorted(had[clip.corpus])
        masked[row, own] = predictions.probabilities[row, own]
    classes = len(predictions.labels)
    predicted = np.where(predictions.predicted < classes, masked.argmax(axis=1), classes)
    return metrics.uar(predictions.targets, predicted, classes)


def _share(predictions: Predictions, state: str) -> float:
    return float(np.mean([verdict.state == state for verdict in predictions.verdicts]))


def _named(labels: Sequence[str], values: NDArray[np.float64]) -> dict[str, float | None]:
    """Values by label; None for a label without clips."""
    pairs = zip(labels, values, strict=True)
    return {label: None if np.isnan(value) else float(value) for label, value in pairs}


def _counts(confusion: NDArray[np.int64]) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(map(int, row)) for row in confusion)


def _by_corpus(predictions: Predictions) -> dict[str, CorpusSummary]:
    figures = {}
    for corpus in sorted({clip.corpus for clip in predictions.clips}):
        own = predictions.where([clip.corpus == corpus for clip in predictions.clips])
        figures[corpus] = CorpusSummary(**vars(summary(own)), uar_own_classes=uar_own_classes(own))
    return figures


def _by_speaker(predictions: Predictions, speakers: Sequence[str]) -> SpeakerFigures:
    each = {
        speaker: summary(predictions.where([other == speaker for other in speakers]))
        for speaker in sorted(set(speakers))
    }
    uars = [one.uar for one in each.values()]
    return SpeakerFigures(
        worst=min(uars), best=max(uars), deviation=float(np.std(uars)), speakers=each
    )


def _activation_uar(predictions: Predictions) -> float | None:
    """UAR of calm against aroused clips; one without a prediction counts as wrong."""
    aroused, predicted, _ = _activations(predictions)
    return metrics.uar(aroused, predicted, 2) if len(aroused) else None


def _activation(predictions: Predictions) -> ActivationFigures:
    aroused, predicted, values = _activations(predictions)
    known = predicted < 2
    confidence = np.maximum(values, 1 - values)[known]
    correct = (aroused == predicted)[known]
    speakers = [clip.speaker for clip in predictions.clips if clip.activation is not None]
    return ActivationFigures(
        clips=len(aroused),
        uar=_activation_uar(predictions),
        uar_interval=metrics.bootstrap(lambda i: metrics.uar(aroused[i], predicted[i], 2), speakers)
        if speakers
        else None,
        recalls=_named(("calm", "aroused"), metrics.recalls(aroused, predicted, 2)),
        ece=metrics.calibration_error(confidence, correct) if known.any() else None,
        reliability=metrics.reliability(confidence, correct),
    )


def _activations(
    predictions: Predictions,
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """Clips that are calm or aroused: targets, predictions (2 for none) and values, ``[n]``."""
    rows = [
        (clip.activation, verdict.activation)
        for clip, verdict in zip(predictions.clips, predictions.verdicts, strict=True)
        if clip.activation is not None
    ]
    aroused = np.array([target for target, _ in rows], np.intp)
    predicted = np.array([2 if value is None else value >= 0.5 for _, value in rows], np.intp)
    values = np.array([np.nan if value is None else value for _, value in rows], np.float64)
    return aroused, predicted, values
