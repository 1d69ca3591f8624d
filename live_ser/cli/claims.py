"""What a command reads and writes: nothing is written that is read, or written twice."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from live_ser.audio.demo import DEMO
from live_ser.records.claims import Claims
from live_ser.records.formats import Style, sidecar_of
from live_ser.records.places import Places


def claim_session(
    model: Path,
    style: Style,
    *,
    replay: str | None,
    profile: Path | None,
    record: str | None,
    places: Places | None,
) -> None:
    """State what ``listen`` reads and writes.

    Args:
        model: file of the model, which is read.
        style: of the records.
        replay: recording that is replayed; None where a microphone is used.
        profile: file that is written at the end, if there is one.
        record: file in which the sound is kept, if it is.
        places: where the records go; standard output if None.

    Raises:
        LiveSerError: an output is an input, or another output.
    """
    claims = Claims()
    claims.read(model, "the model")
    claims.read(DEMO)
    if replay is not None:
        claims.read(replay)
    if profile is not None:
        claims.write(profile)
    if record:
        from live_ser.live.recorder import kind_of

        kind_of(Path(record))
        claims.write(record)
    _claim_records(claims, places, style)


def claim_files(
    inputs: Sequence[str],
    style: Style,
    *,
    listed: bool,
    records: Places | None,
    pictures: Places | None,
) -> None:
    """State what ``file`` reads and writes, and make the folders.

    Args:
        inputs: paths of the model and the recordings.
        style: of the records.
        listed: whether the recordings are listed on standard input.
        records: where the records go; standard output if None.
        pictures: where the pictures go; None if none are drawn.

    Raises:
        LiveSerError: an output is an input, or another output; or a folder cannot be made.
    """
    claims = Claims()
    for path in inputs:
        claims.read(path)
    if listed:
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
