"""The model card: every figure with its protocol beside it, and the pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from training.evaluation import pictures
from training.evaluation.judged import NO_LABEL
from training.evaluation.results import Result

Row = tuple[str, str, str]
"""A figure's name, its value, its protocol."""

ELSEWHERE: Sequence[Row] = (
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
"""Where others stand on RAVDESS."""


def card(results: Sequence[Result]) -> str:
    """The card as Markdown, of results of one model at most."""
    about = next((result["about"] for result in results if "about" in result), None)
    ordered = sorted(results, key=lambda result: list(_VALUES).index(result["part"]))
    rows = [row for result in ordered for row in _rows(result)]
    curves = [
        f"![{one['part']}, {one['set']}]({_stem(one)}.png)"
        for one in ordered
        if "curve" in one["figures"]
    ]
    return "\n\n".join(
        [
            "# How good the model is",
            *([about] if about else []),
            _table(("figure", "value", "protocol"), rows),
            *(part for result in ordered for part in _confusions(result)),
            *(["## Curves", " ".join(curves)] if curves else []),
            "## Where others stand on RAVDESS",
            _table(("system", "result", "protocol"), ELSEWHERE) + "\n",
        ]
    )


def draw(result: Result, folder: Path) -> None:
    """The pictures of a result."""
    figures, name, title = result["figures"], _stem(result), result["set"]
    if result["part"] in ("clips", "protocols"):
        labels = result["labels"]
        pictures.confusion(
            figures["confusion"],
            labels,
            folder / f"{name}-confusion.png",
            title,
            said=(*labels, NO_LABEL),
        )
        pictures.reliability(figures["reliability"], folder / f"{name}-reliability.png", title)
    if result["part"] == "clips":
        pictures.reliability(
            figures["activation"]["reliability"],
            folder / f"{name}-activation-reliability.png",
            f"{title}: activation",
        )
    if "curve" in figures:
        over = {
            "noise": "signal to noise",
            "band": "rate of the file",
            "evidence": "speech heard",
            "recording": "clips in a recording",
        }
        what = over[result["part"]]
        pictures.curve(figures["curve"], what, folder / f"{name}.png", title)


def _rows(result: Result) -> Iterator[Row]:
    for name, value in _VALUES[result["part"]](result["figures"]):
        yield f"{result['set']}: {name}", value, result["protocol"]


def _clips(figures: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    spread, activation, states = figures["by_speaker"], figures["activation"], figures["states"]
    yield "UAR", f"{_percent(figures['uar'])} {_interval(figures['uar_interval'], figures)}"
    yield (
        "accuracy",
        f"{_percent(figures['accuracy'])} " + _interval(figures["accuracy_interval"], figures),
    )
    if abs(figures["uar_own_classes"] - figures["uar"]) > 1e-9:
        yield "UAR, told which classes the corpus has", _percent(figures["uar_own_classes"])
    if len(figures["by_corpus"]) > 1:
        for corpus, part in figures["by_corpus"].items():
            yield f"UAR on {corpus}", _percent(part["uar"])
    yield (
        "UAR of the worst and the best speaker",
        f"{_percent(spread['worst'])}, {_percent(spread['best'])}; "
        f"deviation {_points(spread['deviation'])}",
    )
    yield "ECE", _percent(figures["ece"])
    yield "accuracy of the surest 30 % over that of all", f"{figures['surest_30']:.2f} times"
    yield (
        "uncertain / too little speech / silence",
        " / ".join(_percent(states[s]) for s in ("uncertain", "listening", "silence")),
    )
    yield "accuracy where not uncertain", _percent(figures["accuracy_certain"])
    yield "activation: UAR", _percent(activation["uar"])
    yield "activation: ECE", _percent(activation["ece"])


def _curve(figures: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    rows = figures["curve"]
    conditions = " / ".join(row["condition"] for row in rows)
    for figure, name in (
        ("uar", "UAR"),
        ("activation_uar", "activation UAR"),
        ("without_label", "clips without label"),
    ):
        yield f"{name} at {conditions}", " / ".join(_percent(row[figure]) for row in rows)


def _noise(figures: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield from _curve(figures)
    uar = {row["condition"]: row["uar"] for row in figures["curve"]}
    yield "UAR lost at 10 dB of noise", _points(uar["clean"] - uar["10 dB"])


def _baseline(figures: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for row in figures["baselines"]:
        yield (
            f"UAR, activation UAR against a baseline of {row['condition']}",
            f"{_percent(row['uar'])}, {_percent(row['activation_uar'])}",
        )


def _teaching(figures: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for row in figures["lessons"]:
        values = [row[name] for name in ("uar", "worst", "ece", "not_worse")]
        yield (
            f"UAR, worst speaker, ECE, speakers not worse: {row['condition']}",
            " / ".join(_percent(value) for value in values),
        )


def _stream(figures: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "stream: UAR of the windows that show a label", _percent(figures["uar"])
    yield "stream: UAR of the same clips one by one", _percent(figures["clip_uar"])
    yield "stream: UAR lost to windows", _points(figures["uar_lost"])
    yield (
        "stream: UAR of what is shown while somebody speaks, nothing shown being wrong",
        _percent(figures["shown_uar"]),
    )
    yield "stream: windows of speech that are judged", _percent(figures["judged_of_speech"])
    seconds = figures["seconds_until_right"]
    yield (
        "stream: seconds until the right label, median and 90th percentile",
        f"{seconds['median']:.1f}, {seconds['p90']:.1f}" if seconds else "never",
    )
    yield "stream: clips whose label is right at some time", _percent(figures["ever_right"])


def _false_emotions(figures: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    each = ", ".join(f"{kind} {rate:.1f}" for kind, rate in figures["by_kind"].items())
    yield "false emotions a minute", f"{figures['a_minute']:.2f} ({each})"


def _protocols(figures: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for figure, name in (("uar", "UAR"), ("accuracy", "accuracy"), ("ece", "ECE")):
        mean, deviation = figures[figure]["mean"], figures[figure]["deviation"]
        over = "" if deviation is None else f" ± {_points(deviation)} over seeds"
        yield f"{name}, mean of the folds", f"{_percent(mean)}{over}"
    own = figures["uar_own_classes"]["mean"]
    if abs(own - figures["uar"]["mean"]) > 1e-9:
        yield "UAR, told which classes the corpus has", _percent(own)
    for known, uar in figures["known"].items():
        yield f"UAR of own classes, the speaker known from {known} speech", _percent(uar["mean"])
    for fold, uar in figures["by_fold"].items():
        yield f"UAR of the fold {fold}", _percent(uar)


_VALUES: Mapping[str, Callable[[Mapping[str, Any]], Iterator[tuple[str, str]]]] = {
    "protocols": _protocols,
    "clips": _clips,
    "noise": _noise,
    "band": _curve,
    "evidence": _curve,
    "baseline": _baseline,
    "teaching": _teaching,
    "recording": _curve,
    "stream": _stream,
    "false-emotions": _false_emotions,
}


def _confusions(result: Result) -> Iterator[str]:
    """What was taken for what, and how each speaker fares."""
    figures, name = result["figures"], _stem(result)
    if "confusion" not in figures:
        return
    labels = result["labels"]
    yield f"## {result['set']}"
    yield result["protocol"]
    rows = [
        (label, *map(str, counts), _percent(figures["recalls"][label]))
        for label, counts in zip(labels, figures["confusion"], strict=True)
    ]
    yield _table(("acted \\ said", *labels, NO_LABEL, "recall"), rows)
    yield f"![confusion]({name}-confusion.png) ![reliability]({name}-reliability.png)"
    if result["part"] == "clips":
        yield f"![reliability of the activation]({name}-activation-reliability.png)"
        rows = [
            (speaker, str(one["clips"]), _percent(one["uar"]), _percent(one["activation_uar"]))
            for speaker, one in figures["by_speaker"]["speakers"].items()
        ]
        yield _table(("speaker", "clips", "UAR", "activation UAR"), rows)


def _stem(result: Result) -> str:
    return f"{result['part']}-{result['set']}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _percent(share: float | None) -> str:
    return "none" if share is None else f"{100 * share:.1f} %"


def _points(share: float | None) -> str:
    return "none" if share is None else f"{100 * share:.1f} points"


def _interval(interval: Sequence[float], figures: Mapping[str, Any]) -> str:
    low, high = interval
    speakers = figures["speakers"]
    return f"({100 * low:.1f} to {100 * high:.1f}: 95 % interval over {speakers} speakers)"
