"""``python -m training.evaluate``: an exported model, measured through live_ser.

Everything is judged by the file that people run, as they run it. Each piece of work is kept as JSON
when it is done, beside its pictures, and found again the next time; ``card.md`` puts all figures
into one table, each with its protocol.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from live_ser.errors import InvalidArgument, LiveSerError
from live_ser.model.onnx_model import find
from live_ser.spec import ModelInfo
from training import command
from training.corpora.readers import READERS, titles
from training.corpora.splits import PROTOCOLS
from training.evaluation import parts
from training.evaluation.card import card, draw
from training.evaluation.judge import Judge
from training.evaluation.parts import PARTS, Options
from training.evaluation.recordings import Recordings, held_out, model_of, unheard_corpus
from training.evaluation.results import Result, Results, digest

_UNHEARD = "tess,emovo"
_EVERY_PART = (*PARTS, "protocols")


def evaluate(
    judge: Judge,
    sets: Sequence[Recordings],
    wanted: Sequence[str],
    options: Options,
    results: Results,
) -> None:
    """Measure parts of a model on sets of recordings; what was measured before is kept.

    Args:
        judge: with the model.
        sets: of recordings.
        wanted: of :data:`PARTS`.
        options: of the parts.
        results: where they go.
    """
    model = digest(judge.path)
    head = {"model": model, "about": _about(judge.info)}
    asked = {"model": model, "seed": options.seed}
    for part in wanted:
        for recordings in sets:
            mine = {**head, "part": part, "set": recordings.name}
            result = results.keep(
                f"{part}-{recordings.name}",
                {**asked, "part": part, "clips": [clip.id for clip in recordings.clips]},
                lambda: {**mine, **PARTS[part](judge, recordings, options)},  # noqa: B023
            )
            draw(result, results.folder)
    if "stream" in wanted:
        nobody = {**head, "part": "false-emotions", "set": "nobody speaks"}
        results.keep(
            "false-emotions",
            {**asked, "minutes": options.minutes},
            lambda: {**nobody, **parts.false_emotions(judge, options)},
        )


def run_protocol(given: argparse.Namespace, results: Results) -> None:
    """Train, export and judge each fold of a protocol, for each seed."""
    # TensorFlow takes seconds to load, and what judges a file needs none of it.
    from training.protocols import Setting, cross_validate
    from training.recipes.presets import PRESETS

    if given.preset not in PRESETS:
        raise LiveSerError(f"no preset {given.preset!r}", f"choose among {', '.join(PRESETS)}")
    changes: dict[str, Any] = {}
    if given.train_on:
        changes["corpora"] = tuple(_words(given.train_on))
    config = PRESETS[given.preset].config(**changes)
    for setting in given.set:
        config = config.with_setting(setting)
    name = f"{given.protocol}-{'+'.join(config.corpora)}"
    setting = Setting(
        config, given.data, given.cache, results.folder / name, given.workers, given.teachers
    )
    seeds = range(given.seed, given.seed + given.seeds)
    result = results.keep(
        f"protocols-{name}",
        {
            "config": config.to_dict(),
            "protocol": given.protocol,
            "seeds": list(seeds),
            "teachers": given.teachers,
        },
        lambda: {
            "part": "protocols",
            "set": name,
            **cross_validate(given.protocol, setting, seeds),
        },
    )
    draw(result, results.folder)


def main(words: Sequence[str] | None = None) -> None:
    """Evaluate, and write the card."""
    given = _arguments(words)
    wanted = [part for part in _EVERY_PART if part in _words(given.parts)]
    if unknown := set(_words(given.parts)) - set(_EVERY_PART):
        raise InvalidArgument(
            f"no part is called {', '.join(sorted(unknown))}",
            f"choose among {', '.join(_EVERY_PART)}",
        )
    command.keep_apart(given.output, given.data, *([given.run] if given.run else []))
    results = Results(given.output)
    model = None
    if measured := [part for part in wanted if part in PARTS]:
        model = model_of(given.run) if given.run and not given.model else find(given.model)
        with Judge(model, given.workers) as judge:
            sets = _sets(given, judge)
            options = Options(given.data, given.seed, given.minutes)
            evaluate(judge, sets, measured, options, results)
    if "protocols" in wanted:
        run_protocol(given, results)
    results.write("card.md", card(_of_one_model(results.every(), model)))
    print(results.folder / "card.md")


def _of_one_model(results: Sequence[Result], model: Path | None) -> list[Result]:
    """Those of the model that was measured now, or of the only one, and those of protocols."""
    known = {result["model"] for result in results if "model" in result}
    one = digest(model) if model else known.pop() if len(known) == 1 else None
    return [result for result in results if result.get("model", one) == one]


def _about(info: ModelInfo) -> str:
    """A model in a line."""
    origin = info.provenance
    taught = titles(origin.get("corpora", ())) or "nothing that it names"
    return (
        f"{info.name} tells {', '.join(info.labels)}; it was trained on {taught} "
        f"({origin.get('clips', 'unknown')} clips of {origin.get('speakers', 'unknown')} speakers, "
        f"split: {origin.get('protocol', 'unknown')}; revision "
        f"{origin.get('revision', 'unknown')}). Licence: {info.licence}. Emotions were acted, in "
        "few languages: what it says is how a voice sounds, not what a person feels."
    )


def _sets(given: argparse.Namespace, judge: Judge) -> list[Recordings]:
    names = _words(given.corpora)
    sets = [unheard_corpus(name, given.data, judge.info) for name in names]
    if given.run:
        sets.append(held_out(given.run, given.data, judge.info))
    if not sets:
        raise InvalidArgument("nothing to evaluate on", "name --corpora or --run")
    return [one.limited(given.limit) for one in sets] if given.limit else sets


def _count(text: str) -> int:
    count = int(text)
    if count < 1:
        raise argparse.ArgumentTypeError(f"{count} is less than 1")
    return count


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
        help="of figures, pictures and card; one for each model (default: %(default)s)",
    )
    parser.add_argument(
        "--parts",
        default=",".join(PARTS),
        metavar="PART,...",
        help=f"of {', '.join(_EVERY_PART)} (default: all but protocols, which train networks)",
    )
    parser.add_argument(
        "--corpora",
        default=_UNHEARD,
        metavar="NAME,...",
        help=f"that the model never heard, of {', '.join(READERS)} (default: %(default)s)",
    )
    parser.add_argument(
        "--run", type=Path, metavar="FOLDER", help="the model's own run: its held-out clips too"
    )
    parser.add_argument(
        "--limit", type=_count, metavar="N", help="clips of each speaker and emotion, to look first"
    )
    parser.add_argument(
        "--minutes", type=_minutes, default=10.0, help="of noise, music and silence each"
    )
    parser.add_argument("--seed", type=_seed, default=0, help="of noise and order; of training")
    parser.add_argument(
        "--workers", type=_count, default=max(1, (os.cpu_count() or 1) // 2), help="processes"
    )
    training = parser.add_argument_group("the part protocols")
    training.add_argument("--protocol", choices=sorted(PROTOCOLS), default="luna")
    training.add_argument("--seeds", type=_count, default=3, metavar="N", help="networks a fold")
    training.add_argument(
        "--teachers",
        type=int,
        choices=range(10),
        default=0,
        metavar="N",
        help="networks that teach each of them (default: none)",
    )
    training.add_argument("--train-on", metavar="NAME,...", help="corpora (default: the preset's)")
    training.add_argument("--preset", default="live_ser", help="what to train")
    training.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="as training.fit takes it"
    )
    training.add_argument(
        "--cache", type=Path, default=Path(".cache/features"), metavar="FOLDER", help="of features"
    )
    return parser.parse_args(words)


if __name__ == "__main__":
    sys.exit(command.run(main))
