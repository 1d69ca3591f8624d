"""An evaluation: parts of a model measured on sets of recordings, and kept."""

from __future__ import annotations

from collections.abc import Sequence

from live_ser.spec import ModelInfo
from training.corpora.catalogue import titles
from training.evaluation import parts
from training.evaluation.card import draw
from training.evaluation.judge import Judge
from training.evaluation.parts import MEASURES, Options
from training.evaluation.recordings import Recordings
from training.evaluation.results import Results, digest


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
        wanted: of :data:`training.evaluation.results.PARTS`.
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
                lambda: {**mine, **MEASURES[part](judge, recordings, options)},  # noqa: B023
            )
            draw(result, results.folder)
    if "stream" in wanted:
        nobody = {**head, "part": "false-emotions", "set": "nobody speaks"}
        results.keep(
            "false-emotions",
            {**asked, "minutes": options.minutes},
            lambda: {**nobody, **parts.false_emotions(judge, options)},
        )


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
