"""``python -m training.evaluate``: evaluate an exported model through live_ser.

The file is evaluated as users run it. Each result is written as JSON when it is known, with its
plots, and is not computed again the next time; ``card.md`` lists all figures in one table, each
with its protocol.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from live_ser.cli.numbers import count
from live_ser.errors import InvalidArgument
from live_ser.model.onnx_model import find
from training import command
from training.corpora.catalogue import Catalogue
from training.corpora.own import OwnCorpus, parse_corpora
from training.corpora.published import READERS
from training.corpora.splits import PROTOCOLS
from training.evaluation.results import PARTS, Result, Results, digest
from training.recipes.presets import PRESETS

if TYPE_CHECKING:
    from live_ser.spec import ModelInfo
    from training.evaluation.recordings import Recordings
    from training.recipes.config import RunConfig

_UNSEEN = "tess,emovo"
_EVERY_PART = (*PARTS, "protocols")


def main(words: Sequence[str] | None = None) -> None:
    """Evaluate the model, and write the model card."""
    given = _arguments(words)
    asked = _words(given.parts)
    if unknown := set(asked) - set(_EVERY_PART):
        raise InvalidArgument(
            f"no part is called {', '.join(sorted(unknown))}",
            f"choose among {', '.join(_EVERY_PART)}",
        )
    names, own = parse_corpora(given.corpora, given.speaker_pattern)
    config, trained_on = _config(given)
    read = [given.data, *(corpus.path for corpus in own), *([given.run] if given.run else [])]
    command.keep_apart(given.output, *read)
    results = Results(given.output)
    model = None
    if measured := [part for part in PARTS if part in asked]:
        model = find(given.model or given.run)
        _measure(given, model, measured, (names, own), results)
    if "protocols" in asked:
        _run_protocol(given, config, trained_on, results)
    # After the arguments: what follows loads Matplotlib.
    from training.evaluation.card import card

    results.write("card.md", card(_of_one_model(results.every(), model)))
    print(results.folder / "card.md")


def _measure(
    given: argparse.Namespace,
    model: Path,
    measured: Sequence[str],
    corpora: tuple[Sequence[str], Sequence[OwnCorpus]],
    results: Results,
) -> None:
    """Measure the requested parts of a model file on the requested recordings."""
    from training.evaluation.evaluator import evaluate
    from training.evaluation.measurements import Options
    from training.evaluation.model_pool import ModelPool

    names, own = corpora
    with ModelPool(model, given.workers) as pool:
        sets = _sets(given, names, Catalogue(given.data, own), pool.info)
        evaluate(pool, sets, measured, Options(given.data, given.seed, given.minutes), results)


def _sets(
    given: argparse.Namespace, names: Sequence[str], catalogue: Catalogue, info: ModelInfo
) -> list[Recordings]:
    from training.evaluation.recordings import held_out, unseen_corpus

    sets = [unseen_corpus(name, catalogue, info) for name in names]
    if given.run:
        sets.append(held_out(given.run, given.data, info))
    if not sets:
        raise InvalidArgument(
            "nothing to evaluate on",
            "name --corpora or --run",
        )
    return [one.limited(given.limit) for one in sets] if given.limit else sets


def _config(given: argparse.Namespace) -> tuple[RunConfig, Sequence[OwnCorpus]]:
    """The settings, and the user's own corpora, that the protocols train with."""
    names, own = parse_corpora(given.train_on or "", given.speaker_pattern)
    changes: dict[str, Any] = {"corpora": names} if names else {}
    config = PRESETS[given.preset].config(**changes)
    for setting in given.set:
        config = config.with_setting(setting)
    return config, own


def _run_protocol(
    given: argparse.Namespace, config: RunConfig, own: Sequence[OwnCorpus], results: Results
) -> None:
    """Train, export and classify each fold of a protocol, for each seed."""
    from training.evaluation.card import draw
    from training.protocols import Setting, cross_validate

    name = f"{given.protocol}-{'+'.join(config.corpora)}"
    setting = Setting(
        config, given.data, given.cache, results.folder / name, given.workers, given.teachers, own
    )
    seeds = range(given.seed, given.seed + given.seeds)
    result = results.get(
        f"protocols-{name}",
        {
            "config": config.to_dict(),
            "protocol": given.protocol,
            "seeds": list(seeds),
            "teachers": given.teachers,
            **({"own": [str(corpus.path) for corpus in own]} if own else {}),
        },
        lambda: Result(
            part="protocols", set=name, **vars(cross_validate(given.protocol, setting, seeds))
        ),
        Result.from_json,
    )
    draw(result, results.folder)


def _of_one_model(results: Sequence[Result], model: Path | None) -> list[Result]:
    """The results of one model, and of the protocols.

    The model is the one that was measured now, or the only one in the folder.
    """
    known = {result.model for result in results if result.model}
    one = digest(model) if model else known.pop() if len(known) == 1 else None
    return [result for result in results if result.model in (None, one)]


def _seed(text: str) -> int:
    seed = int(text)
    if seed < 0:
        raise argparse.ArgumentTypeError(f"{seed} is less than 0")
    return seed


def _minutes(text: str) -> float:
    minutes = float(text)
    if not 0.1 <= minutes <= 600:
        raise argparse.ArgumentTypeError(f"{text} is not between 0.1 and 600")
    return minutes


def _words(text: str) -> list[str]:
    return [word for word in text.split(",") if word]


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training.evaluate", description=__doc__)
    parser.add_argument(
        "model", nargs="?", help="exported model, by name or path (default: the one that ships)"
    )
    command.add_data(parser)
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        default=Path("runs/evaluation"),
        metavar="FOLDER",
        help="folder of figures, plots and model card; one for each model (default: %(default)s)",
    )
    parser.add_argument(
        "--parts",
        default=",".join(PARTS),
        metavar="PART,...",
        help=f"some of {', '.join(_EVERY_PART)} (default: all but protocols, which train networks)",
    )
    parser.add_argument(
        "--corpora",
        default=_UNSEEN,
        metavar="NAME,...",
        help="corpora that the model was not trained on, some of "
        f"{', '.join(READERS)}, or recordings of your own: own=PATH, a folder with a folder for "
        "each emotion, or a CSV file (default: %(default)s)",
    )
    command.add_speaker_pattern(parser)
    parser.add_argument(
        "--run", type=Path, metavar="FOLDER", help="the model's own run, to add its held-out clips"
    )
    parser.add_argument(
        "--limit",
        type=count,
        metavar="N",
        help="clips of each speaker and emotion, for a first look",
    )
    parser.add_argument(
        "--minutes", type=_minutes, default=10.0, help="minutes of noise, music and silence"
    )
    parser.add_argument("--seed", type=_seed, default=0, help="seed of noise, order and training")
    parser.add_argument(
        "--workers", type=count, default=max(1, (os.cpu_count() or 1) // 2), help="processes"
    )
    _add_protocols(parser)
    return parser.parse_args(words)


def _add_protocols(parser: argparse.ArgumentParser) -> None:
    """Add the options of the part that trains networks."""
    training = parser.add_argument_group("the part protocols")
    training.add_argument("--protocol", choices=sorted(PROTOCOLS), default="luna")
    training.add_argument("--seeds", type=count, default=3, metavar="N", help="networks a fold")
    training.add_argument(
        "--teachers",
        type=int,
        choices=range(10),
        default=0,
        metavar="N",
        help="networks that each is distilled from (default: none)",
    )
    training.add_argument("--train-on", metavar="NAME,...", help="corpora (default: the preset's)")
    training.add_argument(
        "--preset", choices=sorted(PRESETS), default="live_ser", help="what to train"
    )
    training.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="as for training.fit"
    )
    command.add_cache(training)


if __name__ == "__main__":
    sys.exit(command.run(main))
