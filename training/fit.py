"""``python -m training.fit``: train the CNN+LSTM, and export what came of it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import keras
from tqdm import tqdm

from live_ser.errors import LiveSerError
from training import command
from training.corpora.labels import truth
from training.corpora.readers import LABELS, READERS, Clip, read_corpus
from training.corpora.splits import PROTOCOLS, Split, hold_out
from training.data.dataset import Utterances
from training.evaluation import metrics, pictures
from training.evaluation.recordings import titles
from training.recipes.article import ArticleConfig
from training.recipes.calibration import calibrate
from training.recipes.config import Config, RunConfig
from training.recipes.distill import Exported, Taught, Teacher
from training.recipes.epoch import train_epoch
from training.recipes.learn import Logits, merging, softmax
from training.recipes.presets import PRESETS, recipe
from training.recipes.run import Run

_WINDOWS = 24  # real windows kept for the export's check
_LOOK_EVERY = 5  # epochs from one look at the test clips to the next


def fit(run: Run, data: Path, cache: Path) -> None:
    """Train a run from where it stands to its end.

    Args:
        run: made by :func:`begin`, or begun before.
        data: folder with a folder per corpus.
        cache: of features.
    """
    if run.finished:
        return
    config = run.config
    how = recipe(config)
    train, test = _utterances(run, config, data, cache)
    model = how.compiled(config, train)
    start = run.restore(model)
    validate = _validation(model, test, config) if len(test) else dict
    batches = how.batches(train, config, start)
    if isinstance(config, Config) and (paths := run.teachers()):
        batches = Taught(batches, [_teacher(path, config) for path in paths], config.taught)
    _learn(run, model, batches, validate, start)
    if config.select_on_test:
        model.load_weights(run.best)
    elif config.average:
        model.optimizer.finalize_variable_values(model.trainable_variables)
    _finish(run, model, train, test)


def trained(run: Run) -> keras.Model:
    """The network of a run, as it came out."""
    model = recipe(run.config).network(run.config)
    run.load_weights(model)
    return model


def _teacher(path: Path, config: Config) -> Teacher:
    """A finished run, or an exported file."""
    if path.is_file():
        return Exported(path, config)
    teacher: Teacher = trained(Run.open(path))
    return teacher


def _learn(
    run: Run,
    model: keras.Model,
    batches: keras.utils.PyDataset,
    validate: Callable[[], dict[str, float]],
    start: int,
) -> None:
    """Epoch by epoch; after each, the history and a checkpoint."""
    config = run.config
    rows = run.history()[:start]
    every = 1 if config.select_on_test else _LOOK_EVERY
    with tqdm(total=config.epochs, initial=start, desc="epochs", unit="epoch") as bar:
        for epoch in range(start, config.epochs):
            row = {"epoch": float(epoch + 1), **train_epoch(model, batches, config.seed, epoch)}
            if (epoch + 1) % every == 0 or epoch + 1 == config.epochs:
                row |= validate()
            rows.append(row)
            run.write_history(rows)
            if config.select_on_test and _best_on_test(rows) is row:
                run.save_best(model)
            run.checkpoint(model, epoch + 1)
            bar.update()
            bar.set_postfix(loss=f"{row['loss']:.3f}")


def begin(
    folder: Path,
    config: RunConfig,
    data: Path,
    split: str,
    *,
    song: bool = False,
    teachers: Sequence[Path] = (),
) -> Run:
    """Make the folder of a new run.

    Args:
        folder: that is made.
        config: of the run.
        data: folder with a folder per corpus.
        split: ``all`` trains on every clip, ``held-out`` keeps some speakers back; or a split of
            a protocol, such as ``luna/1``.
        song: whether sung clips are wanted.
        teachers: finished runs of the same split, or exported files, that teach this network.
    """
    clips = _read(config, data, song=song)
    chosen = _split(split, clips)
    _check_clips(config, chosen)
    if config.select_on_test and not chosen.test:
        raise LiveSerError(
            f"the split {split!r} has no test clips to select on",
            "name another with --split, or leave select_on_test out",
        )
    for teacher in teachers:
        if not isinstance(config, Config):
            said = f"the preset {config.preset} takes no teachers"
            raise LiveSerError(said, "leave out --teacher")
        _check_teacher(teacher, config, chosen)
    return Run.new(
        folder,
        config,
        {
            "teachers": [str(teacher.resolve()) for teacher in teachers],
            "name": chosen.name,
            "song": song,
            "train": [clip.id for clip in chosen.train],
            "test": [clip.id for clip in chosen.test],
            "speakers": len({clip.speaker for clip in chosen.train}),
        },
    )


def _check_clips(config: RunConfig, split: Split) -> None:
    """No corpus may be named that has no part in it, and no clip be of what cannot be learnt."""
    if idle := set(config.corpora) - {clip.corpus for clip in (*split.train, *split.test)}:
        raise LiveSerError(
            f"the split {split.name} has no clip of {titles(sorted(idle))}",
            f"name {', '.join(one for one in config.corpora if one not in idle)} alone",
        )
    known, _ = truth(split.train, config.classes)
    learnt = {split.train[i].emotion for i in known}
    unknown = {clip.emotion for clip in split.train} - learnt
    if config.preset == ArticleConfig.preset and unknown:
        raise LiveSerError(
            f"the preset {config.preset} has no class for {', '.join(sorted(unknown))}",
            "take other corpora, or the preset live_ser",
        )


def _check_teacher(path: Path, config: Config, split: Split) -> None:
    """No teacher, nor who taught it, may have heard what the split leaves out."""
    if path.is_file():
        Exported(path, config)  # says so where it would not do
        if split.test:
            raise LiveSerError(
                f"{path} does not say which clips it has heard, and this split leaves some out",
                "take it with --split all, or a run of the same --split in its place",
            )
        return
    run = Run.open(path)
    if not run.weights.is_file():
        raise LiveSerError(f"{path} has no trained weights yet", "finish it first")
    if run.config.kind != config.kind:
        raise LiveSerError(
            f"{path} hears other features or knows other classes than this network",
            "take a run with the same settings",
        )
    for teacher in run.teachers():
        _check_teacher(teacher, config, split)
    if set(run.read_json("splits.json")["train"]) - {clip.id for clip in split.train}:
        raise LiveSerError(
            f"{path} has heard clips that this split leaves out",
            "take teachers of the same --split",
        )


def _read(config: RunConfig, data: Path, *, song: bool) -> list[Clip]:
    clips: list[Clip] = []
    for name in config.corpora:
        corpus = read_corpus(name, data, song=song)
        clips += corpus.clips
        for path, why in corpus.skipped:
            print(f"skipped {path}: {why}", file=sys.stderr)
    return clips


def _split(name: str, clips: Sequence[Clip]) -> Split:
    if name == "all":
        return Split("all", tuple(clips), ())
    if name == "held-out":
        return Split("held-out speakers", *hold_out(clips))
    if name.endswith("+held-out"):
        base = _split(name.removesuffix("+held-out"), clips)
        train, held = hold_out(base.train)
        return Split(f"{base.name} and held-out speakers", train, (*base.test, *held))
    protocol = PROTOCOLS.get(name.split("/", maxsplit=1)[0])
    splits = {split.name: split for split in protocol.splits(clips)} if protocol else {}
    if name not in splits:
        known = ", ".join(splits) or f"all, held-out, {', '.join(f'{p}/1' for p in PROTOCOLS)}"
        raise LiveSerError(f"no split is called {name!r}", f"choose among {known}")
    return splits[name]


def _utterances(
    run: Run, config: RunConfig, data: Path, cache: Path
) -> tuple[Utterances, Utterances]:
    splits = run.read_json("splits.json")
    clips = _read(config, data, song=splits["song"])
    here = {clip.id for clip in clips}
    wanted = {part: set(splits[part]) for part in ("train", "test")}
    if missing := sorted(set.union(*wanted.values()) - here):
        raise LiveSerError(
            f"{len(missing)} clips of the run are not in {data}, such as {missing[0]}",
            "name the folder that the run was begun with by --data",
        )
    # All clips at once, whatever the split: so every split finds them in the cache.
    every = recipe(config).load(clips, config, data=data, cache=cache)
    train = every.where([clip.id in wanted["train"] for clip in clips])
    test = every.where([clip.id in wanted["test"] for clip in clips])
    return train, test


def _validation(
    model: keras.Model, test: Utterances, config: RunConfig
) -> Callable[[], dict[str, float]]:
    known, acted = truth(test.clips, config.classes)

    def validate() -> dict[str, float]:
        said = recipe(config).judge(model, test, config)["emotion"][known].argmax(axis=1)
        return {
            "test_uar": metrics.uar(acted, said, len(config.classes)),
            "test_accuracy": metrics.accuracy(acted, said),
        }

    return validate


def _finish(run: Run, model: keras.Model, train: Utterances, test: Utterances) -> None:
    config = run.config
    run.save_windows([takes[0][: config.window_frames] for takes in train.takes[:_WINDOWS]])
    run.save_weights(model)
    pictures.learning_curves(run.history(), run.folder / "curves.png")
    figures: dict[str, Any] = {"epochs": config.epochs, "parameters": model.count_params()}
    if len(test):
        said = recipe(config).judge(model, test, config)
        figures |= _figures(said, test, config)
        figures["weights"] = "best epoch on test" if config.select_on_test else "last epoch"
        # Chosen on the very clips that it is measured on: no result, but what others report.
        figures["best_epoch_on_test"] = _best_on_test(run.history())
        pictures.confusion(figures["confusion"], LABELS, run.folder / "confusion.png")
        run.write_json("calibration.json", calibrate(said, test.clips, config))
    else:
        run.write_json("calibration.json", {})
    run.write_json("metrics.json", figures)
    run.clear_checkpoints()


def _figures(said: Logits, test: Utterances, config: RunConfig) -> dict[str, Any]:
    """On the clips that did not train."""
    probabilities = softmax(said["emotion"]) @ merging(config.classes, LABELS)
    known, acted = truth(test.clips, LABELS)
    p = probabilities[known]
    guess = p.argmax(axis=1)
    return {
        "clips": len(acted),
        "uar": metrics.uar(acted, guess, len(LABELS)),
        "accuracy": metrics.accuracy(acted, guess),
        "recalls": dict(zip(LABELS, metrics.recalls(acted, guess, len(LABELS)), strict=True)),
        "ece_uncalibrated": metrics.ece(acted, p),
        "confusion": metrics.confusion(acted, guess, len(LABELS)).tolist(),
    }


def _best_on_test(rows: Sequence[Mapping[str, float]]) -> Mapping[str, float]:
    looked = [row for row in rows if "test_accuracy" in row]
    return max(looked, key=lambda row: row["test_accuracy"])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training.fit", description=__doc__)
    command.add_data(parser)
    parser.add_argument(
        "--preset", choices=sorted(PRESETS), default="live_ser", help="what to train"
    )
    parser.add_argument(
        "--corpora",
        metavar="NAME,...",
        help=f"to train on, of {', '.join(READERS)} (default: the preset's)",
    )
    parser.add_argument(
        "--split",
        help="all, held-out, or a split of a protocol: luna/1, random/3, corpora/emodb, article; "
        "corpora/emodb+held-out keeps speakers of the other corpora back too "
        "(default: the preset's)",
    )
    parser.add_argument(
        "--teacher",
        action="append",
        type=Path,
        default=[],
        metavar="PATH",
        help="a finished run of the same split that teaches this one; for the split all, an "
        "exported file, too; may be given again",
    )
    parser.add_argument("--song", action="store_true", help="sung clips of RAVDESS too")
    parser.add_argument("--epochs", type=int, metavar="N")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="replace a setting of the preset, such as network.lstm=128; may be given again",
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("-o", "--output", type=Path, metavar="FOLDER", help="of the run")
    parser.add_argument("--resume", type=Path, metavar="FOLDER", help="go on with a run")
    parser.add_argument("--cache", type=Path, default=Path(".cache/features"), metavar="FOLDER")
    parser.add_argument("--no-export", action="store_true", help="leave out the ONNX file")
    return parser.parse_args()


def main() -> None:
    """Train, or go on training."""
    given = _arguments()
    if given.resume:
        run = Run.open(given.resume)
    else:
        changes: dict[str, Any] = {}
        if given.corpora:
            changes["corpora"] = tuple(given.corpora.split(","))
        preset = PRESETS[given.preset]
        config = preset.config(**changes)
        epochs = [] if given.epochs is None else [f"epochs={given.epochs}"]
        for setting in (f"seed={given.seed}", *epochs, *given.set):
            config = config.with_setting(setting)
        folder = given.output or Path("runs", f"{given.preset}-{datetime.now():%Y%m%d-%H%M%S}")
        command.keep_apart(folder, given.data, *given.teacher)
        run = begin(
            folder,
            config,
            given.data,
            given.split or preset.split,
            song=given.song,
            teachers=given.teacher,
        )
    print(f"run: {run.folder}", file=sys.stderr)
    try:
        fit(run, given.data, given.cache)
    except KeyboardInterrupt:
        print(f"stopped; go on with --resume {run.folder}", file=sys.stderr)
        raise
    if not given.no_export:
        from training.export import export_run

        export_run(run, run.folder / f"{run.config.preset}.onnx")
    figures = run.read_json("metrics.json")
    if "uar" in figures:
        split = run.read_json("splits.json")["name"]
        print(
            f"{split}: UAR {figures['uar']:.1%}, accuracy {figures['accuracy']:.1%} "
            f"({figures['weights']})"
        )
        best = figures["best_epoch_on_test"]
        print(
            "best look at the test clips while training, chosen on them and so no result: "
            f" accuracy {best['test_accuracy']:.1%} at epoch {best['epoch']:.0f}"
        )


if __name__ == "__main__":
    sys.exit(command.run(main))
