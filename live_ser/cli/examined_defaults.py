"""Checks of the defaults that the user has set: would ``listen`` take them?

The model and the device are examined anyway; see :mod:`live_ser.cli.examination`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress

from live_ser.cli.defaults import Default
from live_ser.cli.examination import Finding, failure
from live_ser.cli.parser import parser
from live_ser.cli.speaker import speaker_of
from live_ser.errors import LiveSerError
from live_ser.inference.settings import Settings
from live_ser.model.onnx_model import EmotionModel, load


def examine_defaults(found: Mapping[str, Default], model: str | None) -> Iterator[Finding]:
    """Check each default as ``listen`` does, and yield the results.

    Args:
        found: the defaults by the name of their options.
        model: name or path of the model, as for ``listen``.
    """
    if not found:
        return
    network: EmotionModel | None = None
    with suppress(LiveSerError):  # then the examination of the model says why
        network = load(model)
    listen = parser().commands()["listen"]
    for name, default in found.items():
        origin = f"as {default.origin} says"
        try:
            _check(name, listen.value_of(name, default), network)
        except LiveSerError as error:
            at_end = "" if default.origin in error.message else f", {origin}"
            yield failure(error, at_end)
        else:
            yield Finding("ok", f"--{name} {default.value}, {origin}")


def _check(name: str, value: object, network: EmotionModel | None) -> None:
    """Refuse what ``listen`` refuses.

    Raises:
        LiveSerError: it would.
    """
    if network is None:
        return
    if name == "profile":
        speaker_of(network, str(value))
    elif name in ("hop", "smoothing"):
        Settings.checked(network.info, **{name: value})  # type: ignore[arg-type]
