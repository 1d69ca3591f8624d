"""The job of ``live-ser file`` for each recording."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from live_ser.batch.jobs import Job
from live_ser.cli.file_options import Options
from live_ser.model.onnx_model import EmotionModel
from live_ser.records.formats import ANNOTATIONS, Style
from live_ser.system.temporary import temporary_folder


@contextmanager
def prepared_job(options: Options, model: EmotionModel, style: Style) -> Iterator[Job]:
    """The job, with a temporary folder for its worker processes."""
    drawn = options.plot is not None
    with temporary_folder() as folder:
        yield Job(
            model,
            folder,
            replace(
                options.analysis(),
                timeline=options.timeline or (drawn and options.at is None),
                segments="segment" in kinds_written(options, style) or drawn,
            ),
            settings=options.analysis().description(model),
        )


def kinds_written(options: Options, style: Style) -> set[str]:
    """The types of records to write."""
    kinds = {"clip"}
    if options.timeline:
        kinds.add("window")
    # An annotation contains utterances, unless windows are requested.
    if (
        options.segments
        or options.at is not None
        or (style in ANNOTATIONS and not options.timeline)
    ):
        kinds.add("segment")
    return kinds
