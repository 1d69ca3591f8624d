"""The evaluation of a model: measures its parts on sets of recordings, and stores the results."""

from __future__ import annotations

from collections.abc import Sequence

from live_ser.spec import ModelInfo
from training.corpora.catalogue import titles
from training.evaluation.card import draw
from training.evaluation.figures import Figures
from training.evaluation.measurements import MEASURES, Options, measure_false_emotions
from training.evaluation.model_pool import ModelPool
from training.evaluation.recordings import Recordings
from training.evaluation.results import Measurement, Result, Results, digest


def evaluate(
    pool: ModelPool,
    sets: Sequence[Recordings],
    parts: Sequence[str],
    options: Options,
    results: Results,
) -> None:
    """Measure parts of a model on sets of recordings, unless the results are there.

    Args:
        pool: pool of the model.
        sets: sets of recordings.
        parts: some of :data:`training.evaluation.results.PARTS`.
        options: options of the parts.
        results: folder of the results.
    """
    model = digest(pool.path)
    asked = {"model": model, "seed": options.seed}

    def result(part: str, name: str, measurement: Measurement[Figures]) -> Result:
        about = _about(pool.info)
        return Result(part=part, set=name, model=model, about=about, **vars(measurement))

    for part in parts:
        for recordings in sets:
            name = recordings.name
            measured = results.get(
                f"{part}-{name}",
                {**asked, "part": part, "clips": [clip.id for clip in recordings.clips]},
                lambda: result(part, name, MEASURES[part](pool, recordings, options)),  # noqa: B023
                Result.from_json,
            )
            draw(measured, results.folder)
    if "stream" in parts:
        results.get(
            "false-emotions",
            {**asked, "minutes": options.minutes},
            lambda: result(
                "false-emotions", "nobody speaks", measure_false_emotions(pool, options)
            ),
            Result.from_json,
        )


def _about(info: ModelInfo) -> str:
    """A description of a model in a line."""
    origin, learnt = info.provenance, info.learnt_from
    corpora = titles(origin.get("corpora", ())) or "nothing that it names"
    return (
        f"{info.name} classifies {', '.join(info.labels)}; it was trained on {corpora} "
        f"({learnt.get('clips', 'unknown')} clips of {learnt.get('speakers', 'unknown')} speakers, "
        f"split: {origin.get('protocol', 'unknown')}; revision "
        f"{origin.get('revision', 'unknown')}). Licence: {info.licence}. It was trained on acted "
        "emotions in few languages, and says how a voice sounds, not what a person feels."
    )
