"""What a command reads and writes: nothing is written that is read, or written twice."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from live_ser.audio.demo import DEMO
from live_ser.model.onnx_model import EmotionModel
from live_ser.records.claims import Claims
from live_ser.records.formats import Style, sidecar_of
from live_ser.records.places import Places

if TYPE_CHECKING:
    from live_ser.model.profile import Profile


def claim_session(
    arguments: Namespace,
    model: EmotionModel,
    profile: Profile | None,
    style: Style,
    *,
    places: Places | None,
) -> None:
    """State what ``listen`` reads and writes.

    Args:
        arguments: of the command.
        model: that judges, which is read.
        profile: that is written at the end.
        style: of the records.
        places: where the records go; standard output if None.

    Raises:
        LiveSerError: an output is an input, or another output.
    """
    claims = Claims()
    claims.read(model.path, "the model")
    claims.read(DEMO)
    if arguments.replay is not None:
        claims.read(arguments.replay)
    if profile is not None:
        claims.write(profile.path)
    if arguments.record:
        from live_ser.live.recorder import kind_of

        kind_of(Path(arguments.record))
        claims.write(arguments.record)
    _claim_records(claims, places, style)


def claim_files(
    arguments: Namespace,
    inputs: Sequence[str],
    style: Style,
    *,
    records: Places | None,
    pictures: Places | None,
) -> None:
    """State what ``file`` reads and writes, and make the folders.

    Args:
        arguments: of the command.
        inputs: paths of the model and the recordings.
        style: of the records.
        records: where the records go; standard output if None.
        pictures: where the pictures go; None if none are drawn.

    Raises:
        LiveSerError: an output is an input, or another output; or a folder cannot be made.
    """
    claims = Claims()
    for path in inputs:
        claims.read(path)
    if "-" in arguments.paths:
        claims.read_stream(sys.stdin, "the list on standard input")
    _claim_records(claims, records, style)
    for place in pictures.all() if pictures else ():
        claims.write(place)
    for places in (records, pictures):
        if places is not None:
            places.make()


def _claim_records(claims: Claims, places: Places | None, style: Style) -> None:
    """State where records go, and what is written beside them."""
    if places is None:
        claims.write_stream(sys.stdout, "standard output")
        return
    for place in places.all():
        claims.write(place)
        if (sidecar := sidecar_of(place, style)) is not None:
            claims.write(sidecar)
