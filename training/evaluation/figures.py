"""The figures of an evaluation: a dataclass for each part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Interval = tuple[float, float]
"""95 % bootstrap interval, resampling whole speakers."""


@dataclass(frozen=True, kw_only=True)
class Summary:
    """Figures of a set of clips, for a line of a table.

    Attributes:
        clips: number of clips.
        uar: unweighted average recall; a clip without a label counts as wrong.
        accuracy: share of the clips with the right label.
        activation_uar: UAR of calm against aroused clips; None without such clips.
        without_label: share of the clips without a label.
        uncertain: share of the clips in the state ``uncertain``.
        evidence: mean seconds of speech in a clip.
    """

    clips: int
    uar: float
    accuracy: float
    activation_uar: float | None
    without_label: float
    uncertain: float
    evidence: float


@dataclass(frozen=True, kw_only=True)
class ConditionSummary(Summary):
    """Figures under one condition of several.

    Attributes:
        condition: name of the condition.
    """

    condition: str


@dataclass(frozen=True, kw_only=True)
class CorpusSummary(Summary):
    """Figures of the clips of one corpus.

    Attributes:
        uar_own_classes: UAR of the labels that the corpus has, the others masked.
    """

    uar_own_classes: float


@dataclass(frozen=True)
class ReliabilityBin:
    """Clips of similar confidence.

    Attributes:
        confidence: mean confidence.
        accuracy: share with the right label.
        clips: number of clips.
    """

    confidence: float
    accuracy: float
    clips: int


@dataclass(frozen=True, kw_only=True)
class ActivationFigures:
    """How well activation separates aroused from calm clips; other clips are left out.

    Attributes:
        clips: number of clips.
        uar: UAR at a threshold of 0.5; None without clips.
        uar_interval: its interval.
        recalls: recalls of ``calm`` and ``aroused``.
        ece: expected calibration error; None where no clip has an activation.
        reliability: bins of confidence.
    """

    clips: int
    uar: float | None
    uar_interval: Interval | None
    recalls: dict[str, float | None]
    ece: float | None
    reliability: tuple[ReliabilityBin, ...]


@dataclass(frozen=True, kw_only=True)
class SpeakerFigures:
    """How the speakers differ.

    Attributes:
        worst: lowest UAR of a speaker.
        best: highest UAR of a speaker.
        deviation: standard deviation of the UAR over speakers.
        speakers: figures by speaker.
    """

    worst: float
    best: float
    deviation: float
    speakers: dict[str, Summary]


@dataclass(frozen=True, kw_only=True)
class ClipFigures(Summary):
    """All figures of a set of clips.

    Attributes:
        speakers: number of speakers.
        uar_interval: interval of the UAR.
        accuracy_interval: interval of the accuracy.
        uar_own_classes: UAR where each corpus' labels are known, the others masked.
        recalls: by label; None for a label without clips.
        confusion: counts ``[target][prediction]``; the last column is no label.
        states: share of the clips by state.
        accuracy_certain: accuracy of the clips in the state ``speech``; None without any.
        ece: expected calibration error; None where no clip has a label.
        reliability: bins of confidence.
        surest_30: accuracy of the most confident 30 % of the clips, relative to that of all.
        activation: figures of activation.
        by_speaker: spread over speakers.
        by_corpus: figures by corpus.
    """

    speakers: int
    uar_interval: Interval
    accuracy_interval: Interval
    uar_own_classes: float
    recalls: dict[str, float | None]
    confusion: tuple[tuple[int, ...], ...]
    states: dict[str, float]
    accuracy_certain: float | None
    ece: float | None
    reliability: tuple[ReliabilityBin, ...]
    surest_30: float
    activation: ActivationFigures
    by_speaker: SpeakerFigures
    by_corpus: dict[str, CorpusSummary]


@dataclass(frozen=True)
class CurveFigures:
    """Figures under several conditions.

    Attributes:
        curve: figures under each condition, in order.
    """

    curve: tuple[ConditionSummary, ...]


@dataclass(frozen=True)
class NoiseFigures(CurveFigures):
    """Figures at falling signal-to-noise ratios; the first condition is ``clean``."""


@dataclass(frozen=True)
class BaselineFigures:
    """Figures by prior speech of the speaker.

    Attributes:
        baselines: figures with each amount of prior speech; empty for a model without a baseline.
    """

    baselines: tuple[ConditionSummary, ...]


@dataclass(frozen=True, kw_only=True)
class LessonFigures:
    """Figures after some clips of each speaker were taught.

    Attributes:
        condition: name of the lesson.
        uar: mean over speakers.
        worst: lowest UAR of a speaker.
        ece: expected calibration error.
        not_worse: share of the speakers that are no worse than without teaching.
        speakers: number of speakers.
        clips: number of predictions.
    """

    condition: str
    uar: float
    worst: float
    ece: float
    not_worse: float
    speakers: int
    clips: int


@dataclass(frozen=True)
class TeachingFigures:
    """Figures by lesson.

    Attributes:
        lessons: figures after each lesson; empty for a model that cannot be taught.
    """

    lessons: tuple[LessonFigures, ...]


@dataclass(frozen=True, kw_only=True)
class StreamFigures:
    """Figures of what a session shows, window by window.

    Attributes:
        windows: number of windows with a label.
        uar: UAR of these; the target is the emotion of most of the speech in the window.
        accuracy: accuracy of these.
        shown_windows: number of windows that end while somebody speaks.
        shown_uar: UAR of these, a window without a label being wrong; the target is the emotion
            of the clip that is being spoken.
        predicted_of_speech: share of the windows with enough speech that are predicted.
        uncertain_of_speech: share of these that are uncertain.
        utterances: number of clips.
        ever_right: share of the clips whose label was shown at some time.
        seconds_until_right: ``median`` and ``p90``; None where no label was right.
        clip_uar: UAR of the same clips, each on its own.
        uar_lost: ``clip_uar`` minus ``uar``.
    """

    windows: int
    uar: float | None
    accuracy: float | None
    shown_windows: int
    shown_uar: float | None
    predicted_of_speech: float | None
    uncertain_of_speech: float | None
    utterances: int
    ever_right: float
    seconds_until_right: dict[str, float] | None
    clip_uar: float
    uar_lost: float | None


@dataclass(frozen=True)
class FalseEmotionFigures:
    """Windows per minute with an emotion while nobody speaks.

    Attributes:
        per_minute: mean over all kinds of sound.
        by_kind: windows per minute by kind of sound.
    """

    per_minute: float
    by_kind: dict[str, float]


@dataclass(frozen=True)
class SeedFigure:
    """A figure over seeds.

    Attributes:
        mean: mean over seeds and folds.
        deviation: standard deviation over seeds; None for a single one.
    """

    mean: float
    deviation: float | None


@dataclass(frozen=True, kw_only=True)
class FoldFigures:
    """Figures of the test clips of a fold.

    Attributes:
        uar: unweighted average recall.
        accuracy: share of the clips with the right label.
        uar_own_classes: UAR of the labels that the corpora have, the others masked.
        confusion: counts ``[target][prediction]``; the last column is no label.
        confidence: confidence of each clip with a label.
        correct: whether each of these labels is right.
        by_prior_speech: ``uar_own_classes`` by prior speech of the speaker.
    """

    uar: float
    accuracy: float
    uar_own_classes: float
    confusion: tuple[tuple[int, ...], ...]
    confidence: tuple[float, ...]
    correct: tuple[bool, ...]
    by_prior_speech: dict[str, float]


@dataclass(frozen=True, kw_only=True)
class ProtocolFigures:
    """Figures of a protocol: means over folds and seeds.

    Attributes:
        uar: unweighted average recall.
        accuracy: share of the clips with the right label.
        uar_own_classes: UAR of the labels that the corpora have, the others masked.
        by_prior_speech: ``uar_own_classes`` by prior speech of the speaker.
        ece: expected calibration error, over all folds.
        by_fold: UAR by fold, mean over seeds.
        confusion: counts ``[target][prediction]`` of all folds and seeds.
        recalls: by label.
        reliability: bins of confidence.
    """

    uar: SeedFigure
    accuracy: SeedFigure
    uar_own_classes: SeedFigure
    by_prior_speech: dict[str, SeedFigure]
    ece: SeedFigure
    by_fold: dict[str, float]
    confusion: tuple[tuple[int, ...], ...]
    recalls: dict[str, float]
    reliability: tuple[ReliabilityBin, ...]


Figures = (
    ProtocolFigures
    | ClipFigures
    | CurveFigures
    | BaselineFigures
    | TeachingFigures
    | StreamFigures
    | FalseEmotionFigures
)

FIGURES: Mapping[str, type[Figures]] = {
    "protocols": ProtocolFigures,
    "clips": ClipFigures,
    "noise": NoiseFigures,
    "band": CurveFigures,
    "evidence": CurveFigures,
    "baseline": BaselineFigures,
    "teaching": TeachingFigures,
    "recording": CurveFigures,
    "stream": StreamFigures,
    "false-emotions": FalseEmotionFigures,
}
"""The figures of each part, in the order of the model card."""
