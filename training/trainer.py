"""Training of a run, from its newest checkpoint to the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
from tqdm import tqdm

from live_ser.errors import LiveSerError
from training.corpora.catalogue import Catalogue
from training.corpora.emotions import LABELS
from training.corpora.labels import known_targets
from training.data.utterances import Utterances
from training.evaluation import metrics, plots
from training.recipes.begin import read
from training.recipes.calibration import calibrate
from training.recipes.config import RunConfig
from training.recipes.distill import ExportedTeacher
from training.recipes.epoch import train_epoch
from training.recipes.logits import Logits, merging, softmax
from training.recipes.presets import recipe
from training.recipes.recipe import Batches, Teacher
from training.recipes.run import HeldOut, Metrics, Run

_VALIDATE_EVERY = 5  # epochs from one validation on the test clips to the next


def fit(run: Run, data: Path, cache: Path) -> None:
    """Train a run from its newest checkpoint to the end, and write its metrics.

    Args:
        run: a run that :func:`training.recipes.begin.begin` made.
        data: folder with a folder for each corpus.
        cache: folder of cached features.

    Raises:
        LiveSerError: clips of the run are missing, or another process trains it.
    """
    if run.finished:
        return
    config = run.config
    how = recipe(config)
    train, test = _utterances(run, config, data, cache)
    if run.weights.is_file():  # trained on a machine without the corpora
        model = trained(run)
        _validate_last(run, model, test)
        _finish(run, model, train, test)
        return
    model = how.compiled(train)
    start = run.restore(model)
    validate = _validation(model, test, config) if len(test) else dict[str, float]
    teachers = [_teacher(path, config) for path in run.teachers]
    batches = how.batches(train, start, teachers)
    _train(run, model, batches, validate, start)
    if config.select_on_test:
        model.load_weights(run.best)
    elif config.average:
        model.optimizer.finalize_variable_values(model.trainable_variables)
    _finish(run, model, train, test)


def _validate_last(run: Run, model: keras.Model, test: Utterances) -> None:
    """Add the metrics of the test clips to the last epoch of the history."""
    rows = run.history()
    if len(test) and rows:
        rows[-1] |= _validation(model, test, run.config)()
        run.write_history(rows)


def trained(run: Run) -> keras.Model:
    """The network of a finished run, with its weights."""
    model = recipe(run.config).network()
    run.load_weights(model)
    return model


def _teacher(path: Path, config: RunConfig) -> Teacher:
    """The network of a finished run, or an exported file."""
    if path.is_file():
        return ExportedTeacher(path, config)
    teacher: Teacher = trained(Run.open(path))
    return teacher


def _train(
    run: Run,
    model: keras.Model,
    batches: Batches,
    validate: Callable[[], dict[str, float]],
    start: int,
) -> None:
    """Train epoch by epoch, and write the history and a checkpoint after each."""
    config = run.config
    rows = run.history()[:start]
    every = 1 if config.select_on_test else _VALIDATE_EVERY
    with tqdm(total=config.epochs, initial=start, desc="epochs", unit="epoch") as bar:
        bar.set_postfix(_postfix(rows), refresh=False)
        for epoch in range(start, config.epochs):
            row = {"epoch": float(epoch + 1), **train_epoch(model, batches, config.seed, epoch)}
            validated = epoch == 0 or (epoch + 1) % every == 0 or epoch + 1 == config.epochs
            if validated:
                row |= validate()
            rows.append(row)
            run.write_history(rows)
            if validated:
                _draw_curves(run)
            if config.select_on_test and _best_on_test(rows) is row:
                run.save_best(model)
            run.checkpoint(model, epoch + 1)
            bar.update()
            bar.set_postfix(_postfix(rows))


def _postfix(rows: Sequence[Mapping[str, float]]) -> dict[str, str]:
    """Text of the progress bar: the last loss, and the last UAR on the test clips."""
    uars = [f"{row['test_uar']:.1%}" for row in rows if "test_uar" in row][-1:]
    losses = [f"{row['loss']:.3f}" for row in rows[-1:]]
    return dict(zip(("loss", "UAR"), (*losses, *uars), strict=False))


def _utterances(
    run: Run, config: RunConfig, data: Path, cache: Path
) -> tuple[Utterances, Utterances]:
    splits = run.splits
    clips = read(config, Catalogue(data, splits.own), song=splits.song)
    wanted_train, wanted_test = set(splits.train), set(splits.test)
    if missing := sorted((wanted_train | wanted_test) - {clip.id for clip in clips}):
        raise LiveSerError(
            f"{len(missing)} clips of the run are not in {data}, such as {missing[0]}",
            "name the folder that the run was begun with by --data",
        )
    # All clips at once, whatever the split, so that every split finds them in the cache.
    every = recipe(config).load(clips, data=data, cache=cache)
    train = every.where([clip.id in wanted_train for clip in clips])
    test = every.where([clip.id in wanted_test for clip in clips])
    return train, test


def _validation(
    model: keras.Model, test: Utterances, config: RunConfig
) -> Callable[[], dict[str, float]]:
    known, target = known_targets(test.clips, config.classes)

    def validate() -> dict[str, float]:
        predicted = recipe(config).predict(model, test).emotion[known].argmax(axis=1)
        return {
            "test_uar": metrics.uar(target, predicted, len(config.classes)),
            "test_accuracy": metrics.accuracy(target, predicted),
        }

    return validate


def _finish(run: Run, model: keras.Model, train: Utterances, test: Utterances) -> None:
    config = run.config
    run.save_windows(train)
    run.save_weights(model)
    _draw_curves(run)
    held_out = None
    calibration: dict[str, Any] = {}
    if len(test):
        logits = recipe(config).predict(model, test)
        held_out = _held_out(logits, test, run)
        plots.confusion(held_out.confusion, LABELS, run.folder / "confusion.png")
        calibration = calibrate(logits, test.clips, config).to_dict()
    run.write_json("calibration.json", calibration)
    run.write_metrics(Metrics(config.epochs, model.count_params(), held_out))
    run.clear_checkpoints()


def _held_out(logits: Logits, test: Utterances, run: Run) -> HeldOut:
    """Metrics on the test clips."""
    config = run.config
    probabilities = softmax(logits.emotion) @ merging(config.classes, LABELS)
    known, target = known_targets(test.clips, LABELS)
    p = probabilities[known]
    predicted = p.argmax(axis=1)
    recalls = metrics.recalls(target, predicted, len(LABELS))
    return HeldOut(
        clips=len(target),
        uar=metrics.uar(target, predicted, len(LABELS)),
        accuracy=metrics.accuracy(target, predicted),
        recalls=dict(zip(LABELS, recalls, strict=True)),
        ece_uncalibrated=metrics.ece(target, p),
        confusion=metrics.confusion(target, predicted, len(LABELS)).tolist(),
        weights="best epoch on test" if config.select_on_test else "last epoch",
        best_epoch_on_test=_best_on_test(run.history()),
    )


def _draw_curves(run: Run) -> None:
    plots.learning_curves(run.history(), run.folder / "curves.png")


def _best_on_test(rows: Sequence[Mapping[str, float]]) -> Mapping[str, float]:
    validated = [row for row in rows if "test_accuracy" in row]
    return max(validated, key=lambda row: row["test_accuracy"])
