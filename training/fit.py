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
from training import command, metrics, pictures
from training.calibration import calibrate
from training.config import RunConfig
from training.corpora import LABELS, READERS, Clip, read_corpus
from training.dataset import Utterances
from training.learn import Logits, merging, softmax
from training.presets import PRESETS, recipe
from training.run import Run
from training.splits import PROTOCOLS, Split, hold_out
from training.truth import truth

_WINDOWS = 24  # real windows kept for the export's check


class Progress(keras.callbacks.Callback):  # type: ignore[misc]
    """A bar with the time left; after each epoch the history and a checkpoint.

    Args:
        run: to write into.
        validate: figures of the network as it stands.
        start: epochs that were done before.
    """

    def __init__(self, run: Run, validate: Callable[[], dict[str, float]], start: int) -> None:
        super().__init__()
        self.run = run
        self.validate = validate
        self.start = start
        self.rows = run.history()[:start]

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Show the bar."""
        total = self.params["epochs"]
        self.bar = tqdm(total=total, initial=self.start, desc="epochs", unit="epoch")

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Drop out what this epoch drops, whichever epochs this process has seen before."""
        # Keras keeps no state of its random generators with the weights.
        for place, layer in enumerate(self.model.layers):
            if generator := getattr(layer, "seed_generator", None):
                generator.state.assign([self.run.config.seed + 1000 * place, epoch])

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Write down how far it has come."""
        row = {"epoch": epoch + 1, **(logs or {}), **self.validate()}
        self.rows.append({name: float(value) for name, value in row.items()})
        self.run.write_history(self.rows)
        if self.run.config.select_on_test and _best_on_test(self.rows) is self.rows[-1]:
            self.run.save_best(self.model)
        self.run.checkpoint(self.model, epoch + 1)
        self.bar.update()
        self.bar.set_postfix(loss=f"{row['loss']:.3f}")

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:
        """Leave the bar as it stands."""
        self.bar.close()


def fit(run: Run, data: Path, cache: Path) -> None:
    """Train a run from where it stands to its end.

    Args:
        run: made by :func:`begin`, or begun before.
        data: folder with a folder per corpus.
        cache: of features.
    """
    config = run.config
    how = recipe(config)
    train, test = _utterances(run, config, data, cache)
    model = how.compiled(config, train)
    start = run.restore(model)
    validate = _validation(model, test, config) if len(test) else dict
    model.fit(
        how.batches(train, config, start),
        initial_epoch=start,
        epochs=config.epochs,
        shuffle=False,  # each batch is drawn by its place in the epoch
        verbose=0,
        callbacks=[Progress(run, validate, start)],
    )
    if config.select_on_test:
        model.load_weights(run.best)
    elif config.average:
        model.optimizer.finalize_variable_values(model.trainable_variables)
    _finish(run, model, train, test)


def begin(folder: Path, config: RunConfig, data: Path, split: str, *, song: bool = False) -> Run:
    """Make the folder of a new run.

    Args:
        folder: that is made.
        config: of the run.
        data: folder with a folder per corpus.
        split: ``all`` trains on every clip, ``held-out`` keeps some speakers back; or a split of
            a protocol, such as ``luna/1``.
        song: whether sung clips are wanted.
    """
    clips = _read(config, data, song=song)
    chosen = _split(split, clips)
    if config.select_on_test and not chosen.test:
        raise LiveSerError(
            f"the split {split!r} has no test clips to select on",
            "name another with --split, or leave select_on_test out",
        )
    return Run.new(
        folder,
        config,
        {
            "name": chosen.name,
            "song": song,
            "train": [clip.id for clip in chosen.train],
            "test": [clip.id for clip in chosen.test],
            "speakers": len({clip.speaker for clip in chosen.train}),
        },
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
    return max(rows, key=lambda row: row["test_accuracy"])


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
        changes: dict[str, Any] = {"seed": given.seed}
        if given.corpora:
            changes["corpora"] = tuple(given.corpora.split(","))
        if given.epochs:
            changes["epochs"] = given.epochs
        preset = PRESETS[given.preset]
        config = preset.config(**changes)
        for setting in given.set:
            config = config.with_setting(setting)
        folder = given.output or Path("runs", f"{given.preset}-{datetime.now():%Y%m%d-%H%M%S}")
        run = begin(folder, config, given.data, given.split or preset.split, song=given.song)
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
            f"best of {figures['epochs']} epochs on the test clips, chosen on them and so no "
            f"result: accuracy {best['test_accuracy']:.1%} at epoch {best['epoch']:.0f}"
        )


if __name__ == "__main__":
    sys.exit(command.run(main))
