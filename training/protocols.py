"""Published protocols from beginning to end: train, export, judge the test clips by the file.

Nothing is selected on test speakers: a run ends at its last epoch, and each fold is calibrated by
what the other folds' networks said of theirs.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np

from live_ser.errors import LiveSerError
from training.corpora.catalogue import Catalogue, titles
from training.corpora.labels import truth
from training.corpora.own import OwnCorpus
from training.corpora.readers import LABELS, Clip
from training.corpora.splits import EMOBOX_CLASSES, PROTOCOLS, Split
from training.evaluation import enrolment, judged, metrics
from training.evaluation.conditions import as_recorded
from training.evaluation.enrolment import Known
from training.evaluation.judge import Judge
from training.evaluation.judged import Judged
from training.evaluation.results import Result, Results, digest
from training.recipes.begin import begin
from training.recipes.calibration import Calibration
from training.recipes.config import RunConfig
from training.recipes.export import calibration_of, export
from training.recipes.run import Run
from training.trainer import fit, trained

EIGHT = (LABELS[0], "calm", *LABELS[1:])
"""The labels of RAVDESS, by which figures on it are published."""

_KNOWN = (Known(10), Known(120))
"""Of the speaker, beside nothing."""

_TEACHERS_SEED = 1000  # apart from the seeds that are judged

_LABELS = {"article": LABELS, "corpora": LABELS, "emobox-cross": EMOBOX_CLASSES}


@dataclass(frozen=True)
class Setting:
    """Under what the protocols are run.

    Attributes:
        config: to train by; its seed is replaced.
        data: folder with a folder per corpus.
        cache: of features.
        folder: of the runs, one a fold and seed; those that are there are gone on with.
        workers: processes that judge.
        teachers: networks, trained alike on the same clips, that teach each network that is judged.
        own: corpora among the config's that are not published.
    """

    config: RunConfig
    data: Path
    cache: Path
    folder: Path
    workers: int = 1
    teachers: int = 0
    own: Sequence[OwnCorpus] = ()


def cross_validate(name: str, setting: Setting, seeds: Sequence[int]) -> Result:
    """Run a protocol.

    Args:
        name: of the protocol.
        setting: under which.
        seeds: a network is trained for each, on each fold.

    Raises:
        LiveSerError: a corpus is not as the protocol needs it, or a run in the folder is of
            another setting.
    """
    protocol, corpora = PROTOCOLS[name], setting.config.corpora
    if setting.config.select_on_test:
        raise LiveSerError(
            "a network whose epoch was chosen on the test clips cannot be tested on them",
            "--set select_on_test=false",
        )
    catalogue = Catalogue(setting.data, setting.own)
    clips = [clip for corpus in corpora for clip in catalogue.read(corpus).clips]
    splits = protocol.splits(clips)
    labels = _LABELS.get(name, EIGHT)
    folds = [_folds(splits, setting, seed, labels) for seed in seeds]
    plural = "s" if len(seeds) > 1 else ""
    taught = f", each taught by {setting.teachers} of its kind" if setting.teachers else ""
    calibrated = "calibrated on the other folds" if len(splits) > 1 else "not calibrated"
    return {
        "protocol": f"{protocol.description}; {len(labels)} classes; training clips of "
        f"{titles(corpora)}; {len(seeds)} seed{plural}{taught}; last epoch; {calibrated}",
        "labels": labels,
        "figures": _figures(folds, labels),
        "config": setting.config.to_dict(),
    }


def _folds(
    splits: Sequence[Split], setting: Setting, seed: int, labels: Sequence[str]
) -> dict[str, Result]:
    """What the network of each fold says of its test clips, by the fold's name."""
    runs = [_trained(split, setting, seed, labels) for split in splits]
    calibrations = [calibration_of(run) for run in runs]
    found: dict[str, Result] = {}
    for place, (split, run) in enumerate(zip(splits, runs, strict=True)):
        others = [one for i, one in enumerate(calibrations) if i != place]
        found[split.name] = _judged(split, run, Calibration.mean(others), labels, setting.workers)
    return found


def _trained(split: Split, setting: Setting, seed: int, labels: Sequence[str]) -> Run:
    """The run of a fold, trained to its end, by teachers that were trained before."""
    seeds = [_TEACHERS_SEED * (place + 1) + seed for place in range(setting.teachers)]
    teachers = [_run(split, setting, one, labels) for one in seeds]
    return _run(split, setting, seed, labels, [teacher.folder for teacher in teachers])


def _run(
    split: Split, setting: Setting, seed: int, labels: Sequence[str], teachers: Sequence[Path] = ()
) -> Run:
    taught = {clip.emotion for clip in split.train}
    # A class that no training clip bears would be left as its weights were drawn.
    classes = tuple(label for label in labels if label in taught)
    config = replace(setting.config, classes=classes, seed=seed)
    folder = setting.folder / f"{split.name.replace('/', '-')}-seed{seed}"
    if folder.exists():
        run = Run.open(folder)
        if run.config != config or len(run.teachers) != len(teachers):
            raise LiveSerError(
                f"{folder} was begun with other settings", "choose another folder with -o"
            )
    else:
        run = begin(folder, config, setting.data, split.name, teachers=teachers, own=setting.own)
    if not run.finished:
        print(f"run: {folder}", file=sys.stderr)
        fit(run, setting.data, setting.cache)
        keras.backend.clear_session()
    return run


def _judged(
    split: Split, run: Run, calibration: Calibration, labels: Sequence[str], workers: int
) -> Result:
    known, _ = truth(split.test, labels)
    clips = [split.test[i] for i in known]

    def measure() -> Result:
        file = run.folder / "fold.onnx"
        model = trained(run)
        provenance = {"corpora": list(run.config.corpora), "protocol": split.name}
        export(
            model,
            run.config,
            calibration,
            run.windows(),
            file,
            labels=labels,
            provenance=provenance,
        )
        return _judge_file(file, clips, split.name, workers)

    asked = [digest(run.weights), calibration, list(labels), [clip.id for clip in clips]]
    return Results(run.folder).keep("judged", {"asked": asked}, measure)


def _judge_file(file: Path, clips: Sequence[Clip], name: str, workers: int) -> Result:
    with Judge(file, workers) as judge:
        said = judge.clips(clips, as_recorded, name)
        known: dict[str, Judged] = {}
        if judge.info.baseline:
            known = enrolment.measure(judge, clips, _KNOWN, seed=0, what=f"{name}: baselines")
    figures = judged.figures(said)
    heard = said.said < len(said.labels)
    return {
        **{
            figure: figures[figure]
            for figure in ("uar", "accuracy", "uar_own_classes", "confusion")
        },
        "confidence": said.probabilities.max(axis=1)[heard].tolist(),
        "right": said.right[heard].tolist(),
        "known": {about: judged.uar_own_classes(one) for about, one in known.items()},
    }


def _figures(seeds: Sequence[dict[str, Result]], labels: Sequence[str]) -> dict[str, Any]:
    """Means over the folds of each seed, and over seeds."""
    confusion = np.sum([fold["confusion"] for folds in seeds for fold in folds.values()], axis=0)
    each = [(fold["confidence"], fold["right"]) for folds in seeds for fold in folds.values()]
    confidence, right = (np.concatenate(column) for column in zip(*each, strict=True))
    totals = np.maximum(confusion.sum(axis=1), 1)
    return {
        **{
            figure: _over_seeds([[f[figure] for f in folds.values()] for folds in seeds])
            for figure in ("uar", "accuracy", "uar_own_classes")
        },
        "known": {
            about: _over_seeds([[f["known"][about] for f in folds.values()] for folds in seeds])
            for about in next(iter(seeds[0].values()))["known"]
        },
        "ece": _over_seeds([[_pooled_ece(folds)] for folds in seeds]),
        "by_fold": {
            name: float(np.mean([folds[name]["uar"] for folds in seeds])) for name in seeds[0]
        },
        "confusion": confusion.tolist(),
        "recalls": dict(zip(labels, map(float, np.diag(confusion) / totals), strict=True)),
        "reliability": metrics.reliability(confidence, right),
    }


def _pooled_ece(folds: dict[str, Result]) -> float:
    confidence = [value for fold in folds.values() for value in fold["confidence"]]
    right = [value for fold in folds.values() for value in fold["right"]]
    return metrics.calibration_error(confidence, right)


def _over_seeds(values: Sequence[Sequence[float]]) -> dict[str, float | None]:
    means = [float(np.mean(folds)) for folds in values]
    return {
        "mean": float(np.mean(means)),
        "deviation": float(np.std(means, ddof=1)) if len(means) > 1 else None,
    }
