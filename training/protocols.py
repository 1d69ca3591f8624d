"""Cross-validation by a published protocol: train, export, and predict the test clips of each fold.

Nothing is selected on test speakers: the weights are those of the last epoch, and each fold is
calibrated on the test clips of the other folds.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import keras
import numpy as np

from live_ser.errors import LiveSerError
from training.corpora.catalogue import Catalogue, titles
from training.corpora.clips import Clip
from training.corpora.emotions import LABELS
from training.corpora.labels import known_targets
from training.corpora.own import OwnCorpus
from training.corpora.splits import EMOBOX_CLASSES, PROTOCOLS, Split
from training.evaluation import metrics
from training.evaluation.baselines import PriorSpeech, predict_with_baselines
from training.evaluation.conditions import as_recorded
from training.evaluation.figures import FoldFigures, ProtocolFigures, SeedFigure
from training.evaluation.model_pool import ModelPool
from training.evaluation.predictions import clip_figures, uar_own_classes
from training.evaluation.results import Measurement, Results, digest
from training.fields import build
from training.networks.calibration import Calibration
from training.recipes.begin import begin
from training.recipes.config import RunConfig
from training.recipes.export import calibration_of, export
from training.recipes.run import Run
from training.trainer import fit, trained

EIGHT = (LABELS[0], "calm", *LABELS[1:])
"""The eight labels of published figures on RAVDESS."""

_PRIOR_SPEECH = (PriorSpeech(10), PriorSpeech(120))
"""Amounts of prior speech of the test speaker, beside none."""

_TEACHERS_SEED = 1000  # so that they differ from the seeds of the networks that are tested

_LABELS = {"article": LABELS, "corpora": LABELS, "emobox-cross": EMOBOX_CLASSES}


@dataclass(frozen=True)
class Setting:
    """Settings of a cross-validation.

    Attributes:
        config: settings of the runs; the seed is replaced.
        data: folder with a folder for each corpus.
        cache: folder of cached features.
        folder: folder of the runs, one for each fold and seed; existing ones are continued.
        workers: number of processes that predict.
        teachers: number of networks, trained with the same settings on the same clips, that each
            tested network is distilled from.
        own: the user's own corpora among those of ``config``.
    """

    config: RunConfig
    data: Path
    cache: Path
    folder: Path
    workers: int = 1
    teachers: int = 0
    own: Sequence[OwnCorpus] = ()


def cross_validate(
    name: str, setting: Setting, seeds: Sequence[int]
) -> Measurement[ProtocolFigures]:
    """Run a protocol.

    Args:
        name: name of the protocol, one of :data:`PROTOCOLS`.
        setting: settings of the cross-validation.
        seeds: seeds; a network is trained for each of them and each fold.

    Returns:
        The figures, means over folds and seeds.

    Raises:
        LiveSerError: the corpora don't suit the protocol, or a run in the folder has other
            settings.
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
    return Measurement(
        protocol=f"{protocol.description}; {len(labels)} classes; training clips of "
        f"{titles(corpora)}; {len(seeds)} seed{plural}{taught}; last epoch; {calibrated}",
        labels=tuple(labels),
        figures=_figures(folds, labels),
        config=setting.config.to_dict(),
    )


def _folds(
    splits: Sequence[Split], setting: Setting, seed: int, labels: Sequence[str]
) -> dict[str, FoldFigures]:
    """The figures of each fold, by its name."""
    runs = [_trained(split, setting, seed, labels) for split in splits]
    calibrations = [calibration_of(run) for run in runs]
    figures: dict[str, FoldFigures] = {}
    for place, (split, run) in enumerate(zip(splits, runs, strict=True)):
        others = [one for i, one in enumerate(calibrations) if i != place]
        calibration = Calibration.mean(others)
        figures[split.name] = _tested(split, run, calibration, labels, setting.workers)
    return figures


def _trained(split: Split, setting: Setting, seed: int, labels: Sequence[str]) -> Run:
    """The finished run of a fold, after those of its teachers."""
    seeds = [_TEACHERS_SEED * (place + 1) + seed for place in range(setting.teachers)]
    teachers = [_run(split, setting, one, labels) for one in seeds]
    return _run(split, setting, seed, labels, [teacher.folder for teacher in teachers])


def _run(
    split: Split, setting: Setting, seed: int, labels: Sequence[str], teachers: Sequence[Path] = ()
) -> Run:
    taught = {clip.emotion for clip in split.train}
    # The weights of a class without training clips would stay as they were initialised.
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


def _tested(
    split: Split, run: Run, calibration: Calibration, labels: Sequence[str], workers: int
) -> FoldFigures:
    known, _ = known_targets(split.test, labels)
    clips = [split.test[i] for i in known]

    def measure() -> FoldFigures:
        file = run.folder / "fold.onnx"
        provenance = {"corpora": list(run.config.corpora), "protocol": split.name}
        export(
            trained(run),
            run.config,
            calibration,
            run.windows(),
            file,
            labels=labels,
            provenance=provenance,
        )
        return _test_file(file, clips, split.name, workers)

    asked = [digest(run.weights), calibration, list(labels), [clip.id for clip in clips]]
    read = partial(build, FoldFigures)
    return Results(run.folder).get("test", {"asked": asked}, measure, read)


def _test_file(file: Path, clips: Sequence[Clip], name: str, workers: int) -> FoldFigures:
    """The figures of an exported file on the test clips of its fold."""
    with ModelPool(file, workers) as pool:
        predictions = pool.predict(clips, as_recorded, name)
        by_prior = {}
        if pool.info.baseline:
            by_prior = predict_with_baselines(
                pool, clips, _PRIOR_SPEECH, seed=0, description=f"{name}: baselines"
            )
    figures = clip_figures(predictions)
    labelled = predictions.predicted < len(predictions.labels)
    return FoldFigures(
        uar=figures.uar,
        accuracy=figures.accuracy,
        uar_own_classes=figures.uar_own_classes,
        confusion=figures.confusion,
        confidence=tuple(predictions.probabilities.max(axis=1)[labelled].tolist()),
        correct=tuple(predictions.correct[labelled].tolist()),
        by_prior_speech={prior: uar_own_classes(one) for prior, one in by_prior.items()},
    )


def _figures(seeds: Sequence[dict[str, FoldFigures]], labels: Sequence[str]) -> ProtocolFigures:
    """Means over the folds of each seed, and over seeds."""
    folds = [[*by_name.values()] for by_name in seeds]
    every = [fold for of_seed in folds for fold in of_seed]
    confusion = np.sum([fold.confusion for fold in every], axis=0)
    totals = np.maximum(confusion.sum(axis=1), 1)
    return ProtocolFigures(
        uar=_over_seeds([[fold.uar for fold in one] for one in folds]),
        accuracy=_over_seeds([[fold.accuracy for fold in one] for one in folds]),
        uar_own_classes=_over_seeds([[fold.uar_own_classes for fold in one] for one in folds]),
        by_prior_speech={
            prior: _over_seeds([[fold.by_prior_speech[prior] for fold in one] for one in folds])
            for prior in every[0].by_prior_speech
        },
        ece=_over_seeds([[metrics.calibration_error(*_pooled(one))] for one in folds]),
        by_fold={
            name: float(np.mean([by_name[name].uar for by_name in seeds])) for name in seeds[0]
        },
        confusion=tuple(tuple(map(int, row)) for row in confusion),
        recalls=dict(zip(labels, map(float, np.diag(confusion) / totals), strict=True)),
        reliability=metrics.reliability(*_pooled(every)),
    )


def _pooled(folds: Sequence[FoldFigures]) -> tuple[list[float], list[bool]]:
    """The confidence of the clips of all folds, and whether each is correct."""
    confidence = [value for fold in folds for value in fold.confidence]
    return confidence, [value for fold in folds for value in fold.correct]


def _over_seeds(values: Sequence[Sequence[float]]) -> SeedFigure:
    """Mean and standard deviation over seeds of values ``[seed][fold]``."""
    means = [float(np.mean(folds)) for folds in values]
    deviation = float(np.std(means, ddof=1)) if len(means) > 1 else None
    return SeedFigure(float(np.mean(means)), deviation)
