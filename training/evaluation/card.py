"""The model card: all figures with their protocols, and plots."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import singledispatch
from pathlib import Path

from training.evaluation import plots
from training.evaluation.figures import (
    FIGURES,
    BaselineFigures,
    ClipFigures,
    CurveFigures,
    FalseEmotionFigures,
    Figures,
    Interval,
    NoiseFigures,
    ProtocolFigures,
    StreamFigures,
    TeachingFigures,
)
from training.evaluation.predictions import NO_LABEL
from training.evaluation.results import Result

Row = tuple[str, str, str]
"""A figure's name, its value, its protocol."""

PUBLISHED: Sequence[Row] = (
    (
        "ResLSTM-SA, 47 k parameters, from scratch (arXiv 2606.03359)",
        "UAR 62.3 %",
        "Luna, 8 classes, 10 runs",
    ),
    ("people, audio only (Livingstone & Russo 2018)", "62.4 %", "listening test, RAVDESS"),
    (
        "wav2vec2-base / WavLM-L / Whisper-v3, frozen (EmoBox)",
        "54.3 / 72.0 / 75.3 %",
        "EmoBox folds",
    ),
    ("CNN-14 pretrained on AudioSet, fine-tuned (Luna-Jiménez 2021)", "76.6 %", "Luna"),
    ("XLSR-53, 300 M parameters, fine-tuned (Luna-Jiménez 2022)", "81.8 %", "Luna"),
    ("EmoCatcher, from scratch", "84.2 %", "random stratified 5-fold; the speakers are known"),
    ("TIM-Net (corrected figure)", "90.0 %", "random 10-fold; the speakers are known"),
)
"""Published results on RAVDESS."""


def card(results: Sequence[Result]) -> str:
    """The model card, as Markdown.

    Args:
        results: results of at most one model, and of protocols.
    """
    about = next((result.about for result in results if result.about), None)
    ordered = sorted(results, key=lambda result: list(FIGURES).index(result.part))
    rows = [row for result in ordered for row in _rows(result)]
    curves = [
        f"![{one.part}, {one.set}]({one.stem}.png)"
        for one in ordered
        if isinstance(one.figures, CurveFigures)
    ]
    return "\n\n".join(
        [
            "# How good the model is",
            *([about] if about else []),
            _table(("figure", "value", "protocol"), rows),
            *(part for result in ordered for part in _confusions(result)),
            *(["## Curves", " ".join(curves)] if curves else []),
            "## Published results on RAVDESS",
            _table(("system", "result", "protocol"), PUBLISHED) + "\n",
        ]
    )


_AXES = {
    "noise": "signal to noise",
    "band": "rate of the file",
    "evidence": "speech",
    "recording": "clips in a recording",
}
"""Label of the x axis, by part."""


def draw(result: Result, folder: Path) -> None:
    """Plot a result into a folder, if it has something to plot."""
    figures, title = result.figures, result.set
    stem = folder / result.stem
    if isinstance(figures, ClipFigures | ProtocolFigures):
        columns = (*result.labels, NO_LABEL)
        confusion = f"{stem}-confusion.png"
        plots.confusion(figures.confusion, result.labels, Path(confusion), title, columns)
        plots.reliability(figures.reliability, Path(f"{stem}-reliability.png"), title)
    if isinstance(figures, ClipFigures):
        path = Path(f"{stem}-activation-reliability.png")
        plots.reliability(figures.activation.reliability, path, f"{title}: activation")
    if isinstance(figures, CurveFigures):
        plots.curve(figures.curve, _AXES[result.part], Path(f"{stem}.png"), title)


def _rows(result: Result) -> Iterator[Row]:
    for name, value in _values(result.figures):
        yield f"{result.set}: {name}", value, result.protocol


@singledispatch
def _values(figures: Figures) -> Iterator[tuple[str, str]]:
    """Names and values of figures, as the card prints them."""
    raise TypeError(type(figures))


@_values.register
def _clips(figures: ClipFigures) -> Iterator[tuple[str, str]]:
    spread, activation, states = figures.by_speaker, figures.activation, figures.states
    interval = _interval(figures.uar_interval, figures.speakers)
    yield "UAR", f"{_percent(figures.uar)} {interval}"
    interval = _interval(figures.accuracy_interval, figures.speakers)
    yield "accuracy", f"{_percent(figures.accuracy)} {interval}"
    if abs(figures.uar_own_classes - figures.uar) > 1e-9:
        yield "UAR of the corpus's own classes", _percent(figures.uar_own_classes)
    if len(figures.by_corpus) > 1:
        for corpus, own in figures.by_corpus.items():
            yield f"UAR on {corpus}", _percent(own.uar)
    yield (
        "UAR of the worst and the best speaker",
        f"{_percent(spread.worst)}, {_percent(spread.best)}; deviation {_points(spread.deviation)}",
    )
    yield "ECE", _percent(figures.ece)
    yield (
        "accuracy of the most confident 30 % of the clips, relative to that of all",
        f"{figures.surest_30:.2f} times",
    )
    yield (
        "uncertain / too little speech / silence",
        " / ".join(_percent(states[s]) for s in ("uncertain", "listening", "silence")),
    )
    yield "accuracy where not uncertain", _percent(figures.accuracy_certain)
    yield "activation: UAR", _percent(activation.uar)
    yield "activation: ECE", _percent(activation.ece)


@_values.register
def _curve(figures: CurveFigures) -> Iterator[tuple[str, str]]:
    conditions = " / ".join(row.condition for row in figures.curve)
    for name, shares in (
        ("UAR", [row.uar for row in figures.curve]),
        ("activation UAR", [row.activation_uar for row in figures.curve]),
        ("clips without label", [row.without_label for row in figures.curve]),
    ):
        yield f"{name} at {conditions}", " / ".join(map(_percent, shares))


@_values.register
def _noise(figures: NoiseFigures) -> Iterator[tuple[str, str]]:
    yield from _curve(figures)
    uar = {row.condition: row.uar for row in figures.curve}
    yield "UAR lost in noise at 10 dB", _points(uar["clean"] - uar["10 dB"])


@_values.register
def _baseline(figures: BaselineFigures) -> Iterator[tuple[str, str]]:
    for row in figures.baselines:
        yield (
            f"UAR, activation UAR after {row.condition}",
            f"{_percent(row.uar)}, {_percent(row.activation_uar)}",
        )


@_values.register
def _teaching(figures: TeachingFigures) -> Iterator[tuple[str, str]]:
    for row in figures.lessons:
        yield (
            f"UAR, worst speaker, ECE, speakers not worse: {row.condition}",
            " / ".join(map(_percent, (row.uar, row.worst, row.ece, row.not_worse))),
        )


@_values.register
def _stream(figures: StreamFigures) -> Iterator[tuple[str, str]]:
    yield "stream: UAR of the windows that show a label", _percent(figures.uar)
    yield "stream: UAR of the same clips one by one", _percent(figures.clip_uar)
    yield "stream: UAR lost to windows", _points(figures.uar_lost)
    yield (
        "stream: UAR while somebody speaks; no label counts as wrong",
        _percent(figures.shown_uar),
    )
    yield "stream: windows of speech with a prediction", _percent(figures.predicted_of_speech)
    seconds = figures.seconds_until_right
    yield (
        "stream: seconds until the right label, median and 90th percentile",
        f"{seconds['median']:.1f}, {seconds['p90']:.1f}" if seconds else "never",
    )
    yield "stream: clips whose right label is shown at some time", _percent(figures.ever_right)


@_values.register
def _false_emotions(figures: FalseEmotionFigures) -> Iterator[tuple[str, str]]:
    each = ", ".join(f"{kind} {rate:.1f}" for kind, rate in figures.by_kind.items())
    yield "false emotions a minute", f"{figures.per_minute:.2f} ({each})"


@_values.register
def _protocols(figures: ProtocolFigures) -> Iterator[tuple[str, str]]:
    for figure, name in (
        (figures.uar, "UAR"),
        (figures.accuracy, "accuracy"),
        (figures.ece, "ECE"),
    ):
        deviation = figure.deviation
        over = "" if deviation is None else f" ± {_points(deviation)} over seeds"
        yield f"{name}, mean of the folds", f"{_percent(figure.mean)}{over}"
    own = figures.uar_own_classes.mean
    if abs(own - figures.uar.mean) > 1e-9:
        yield "UAR of the corpus's own classes", _percent(own)
    for prior, figure in figures.by_prior_speech.items():
        yield f"UAR of own classes after {prior} speech of the speaker", _percent(figure.mean)
    for fold, uar in figures.by_fold.items():
        yield f"UAR of the fold {fold}", _percent(uar)


def _confusions(result: Result) -> Iterator[str]:
    """The confusion matrix, and the figures of each speaker."""
    figures, stem = result.figures, result.stem
    if not isinstance(figures, ClipFigures | ProtocolFigures):
        return
    yield f"## {result.set}"
    yield result.protocol
    rows = [
        (label, *map(str, counts), _percent(figures.recalls[label]))
        for label, counts in zip(result.labels, figures.confusion, strict=True)
    ]
    yield _table(("acted \\ predicted", *result.labels, NO_LABEL, "recall"), rows)
    yield f"![confusion]({stem}-confusion.png) ![reliability]({stem}-reliability.png)"
    if isinstance(figures, ClipFigures):
        yield f"![reliability of the activation]({stem}-activation-reliability.png)"
        rows = [
            (speaker, str(one.clips), _percent(one.uar), _percent(one.activation_uar))
            for speaker, one in figures.by_speaker.speakers.items()
        ]
        yield _table(("speaker", "clips", "UAR", "activation UAR"), rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _percent(share: float | None) -> str:
    return "none" if share is None else f"{100 * share:.1f} %"


def _points(share: float | None) -> str:
    return "none" if share is None else f"{100 * share:.1f} points"


def _interval(interval: Interval, speakers: int) -> str:
    low, high = interval
    return f"({100 * low:.1f} to {100 * high:.1f}: 95 % interval over {speakers} speakers)"
