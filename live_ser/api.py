"""The Python interface: what loads a model, and what listens with it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial

from live_ser.audio.devices import Opener, open_input
from live_ser.audio.sources import microphone
from live_ser.inference.html import LivePicture
from live_ser.inference.listening import Listening
from live_ser.loaded_model import Model
from live_ser.model.onnx_model import load as load_network


def load(model: str | os.PathLike[str] | None = None) -> Model:
    """Load a model.

    Args:
        model: path of an ``.onnx`` file, or the name of one that came with live-ser; the default
            one if None.

    Raises:
        ModelError: there is no such model, or it does not fit.
    """
    return Model(load_network(model))


def listen(
    device: int | str | None = None,
    *,
    model: Model | str | os.PathLike[str] | None = None,
    hop: float | None = None,
    smoothing: float | None = None,
    channels: int | None = None,
    channel: int | None = None,
    each_channel: bool = False,
    names: Sequence[str] = (),
    reconnect: bool = True,
    display: bool = False,
    opener: Opener = open_input,
) -> Listening:
    """Listen to a microphone: a prediction each hop, with ``for`` or ``async for``.

    The microphone is opened for the first prediction, and closed when the loop is left.

    Args:
        device: index, part of a name, or None for the default one.
        model: loaded, or what :func:`load` takes.
        hop: seconds between predictions; the model's own if None.
        smoothing: time constant in seconds; 0 is off, None for the usual one.
        channels: how many to record; None for as many as it takes.
        channel: which of them to hear, from 1; None for their mean, or one of them where that is
            lost because they are out of phase.
        each_channel: classify each of them separately: a prediction of each each hop.
        names: of who speaks in each channel then.
        reconnect: when the device goes away, wait for it to come back.
        display: draw the newest prediction and the last minute in a notebook.
        opener: opens the device.

    Raises:
        LiveSerError: the model cannot be loaded, the device not be opened, or with ``reconnect``
            off it went away; or there is nothing to ``display`` it with.
    """
    loaded = model if isinstance(model, Model) else load(model)
    opened = partial(
        microphone,
        device,
        loaded.info.features.sample_rate,
        channels=channels,
        channel=channel,
        each_channel=each_channel,
        names=names,
        reconnect=reconnect,
        opener=opener,
    )
    show = LivePicture().show if display else None
    return Listening(loaded.network, opened, hop=hop, smoothing=smoothing, show=show)
