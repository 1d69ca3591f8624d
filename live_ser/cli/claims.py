"""The inputs and outputs of commands, checked against each other."""

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
    """State the inputs and outputs of ``listen``.

    Args:
        model: file of the model.
        style: format of the records.
        replay: recording to replay; None for a microphone.
        profile: file of the profile, if any.
        record: file of the recording, if any.
        places: files of the records; None for standard output.

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
    """State the inputs and outputs of ``file``, and create the folders.

    Args:
        inputs: paths of the model and the recordings.
        style: format of the records.
        listed: whether the recordings are listed on standard input.
        records: files of the records; None for standard output.
        pictures: files of the plots; None for none.

    Raises:
        LiveSerError: an output is an input, or another output; or a folder cannot be created.
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
    """State the files of records, and their sidecars."""
    if places is None:
        claims.write_stream(sys.stdout, "standard output")
        return
    for place in places.all():
        claims.write(place)
        if (sidecar := sidecar_of(place, style)) is not None:
            claims.write(sidecar)
