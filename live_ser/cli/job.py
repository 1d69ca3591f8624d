"""What is to be done with each recording."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from live_ser.batch.jobs import Job
from live_ser.batch.resume import judged_with
from live_ser.cli.file_options import Options
from live_ser.model.onnx_model import EmotionModel
from live_ser.records.formats import ANNOTATIONS, Style
from live_ser.temporary import temporary_folder


@contextmanager
def prepared_job(options: Options, model: EmotionModel, style: Style) -> Iterator[Job]:
    """The job, with a folder for what its processes hand over."""
    drawn = options.plot is not None
    with temporary_folder() as folder:
        yield Job(
            model,
            folder,
            hop=options.hop,
            smoothing=options.smoothing,
            timeline=options.timeline or drawn,
            segments="segment" in kinds_written(options, style) or drawn,
            judged_with=options_in_words(options, model),
            reading=options.reading(),
        )


def kinds_written(options: Options, style: Style) -> set[str]:
    """The types of records that are written."""
    kinds = {"clip"}
    if options.timeline:
        kinds.add("window")
    # An annotation holds utterances unless windows are asked for.
    if options.segments or (style in ANNOTATIONS and not options.timeline):
        kinds.add("segment")
    return kinds


def options_in_words(options: Options, model: EmotionModel) -> str:
    """The options that decide what an output holds, by which ``--resume`` knows its own."""
    return judged_with(
        model,
        options.hop,
        options.smoothing,
        timeline=options.timeline,
        segments=options.segments,
        reading=options.reading(),
    )
