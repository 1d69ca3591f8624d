"""``live_ser.load`` and ``live_ser.listen``."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial

from live_ser.api.live_picture import LivePicture
from live_ser.api.model import Model
from live_ser.audio.devices import Opener, open_input
from live_ser.audio.sources import microphone
from live_ser.inference.listening import Listening
from live_ser.model.onnx_model import load as load_network


def load(model: str | os.PathLike[str] | None = None) -> Model:
    """Load a model.

    Args:
        model: path of an ``.onnx`` file, or the name of a model that comes with live-ser; None for
            the default one.

    Raises:
        ModelError: there is no such model, or it is not compatible.
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
    """Listen to a microphone: iterate with ``for`` or ``async for``, one prediction each hop.

    The microphone is opened for the first prediction and closed when the loop ends.

    Args:
        device: index or part of a name; None for the default device.
        model: a loaded model, or what :func:`load` takes.
        hop: seconds between predictions; None for the model's default.
        smoothing: time constant in seconds; 0 is off, None for the default of 1.
        channels: number of channels to record; None to choose it by the device.
        channel: the channel to use, from 1; None for the mean of all, or for one of them where they
            cancel each other out.
        each_channel: classify each channel separately; each hop gives a prediction for each.
        names: names of the speakers of the channels, with ``each_channel``.
        reconnect: wait for a device that was disconnected, rather than raise.
        display: draw the newest prediction and the last minute in a notebook.
        opener: function that opens the device.

    Raises:
        LiveSerError: the model cannot be loaded; the device cannot be opened, or was disconnected
            and ``reconnect`` is off; or ``display`` needs a package that is missing.
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
