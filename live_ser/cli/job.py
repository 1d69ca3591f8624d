"""What is to be done with each recording."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager

from live_ser.batch.jobs import Job
from live_ser.batch.resume import judged_with
from live_ser.cli.recordings import reading_asked_for
from live_ser.model.onnx_model import EmotionModel
from live_ser.records.formats import ANNOTATIONS, Style
from live_ser.temporary import temporary_folder


@contextmanager
def job_asked_for(arguments: Namespace, model: EmotionModel, style: Style) -> Iterator[Job]:
    """The job, with a folder for what its processes hand over."""
    drawn = arguments.plot is not None
    with temporary_folder() as folder:
        yield Job(
            model,
            folder,
            hop=arguments.hop,
            smoothing=arguments.smoothing,
            timeline=arguments.timeline or drawn,
            segments=are_segments_asked_for(arguments, style) or drawn,
            judged_with=options_in_words(arguments, model),
            reading=reading_asked_for(arguments),
        )


def are_segments_asked_for(arguments: Namespace, style: Style) -> bool:
    """Whether the output holds utterances: an annotation does, unless windows are asked for."""
    return arguments.segments or (style in ANNOTATIONS and not arguments.timeline)


def options_in_words(arguments: Namespace, model: EmotionModel) -> str:
    """The options that decide what an output holds, by which ``--resume`` knows its own."""
    return judged_with(
        model,
        arguments.hop,
        arguments.smoothing,
        timeline=arguments.timeline,
        segments=arguments.segments,
        reading=reading_asked_for(arguments),
    )
