"""The Python interface: what ``import live_ser`` offers."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import BinaryIO

from numpy.typing import ArrayLike

from live_ser.audio.arrays import sound_in_memory
from live_ser.audio.blocks import Samples
from live_ser.audio.decoder import spans
from live_ser.audio.devices import Opener, open_input
from live_ser.audio.files import AudioFile
from live_ser.audio.reading import USUAL, Reading
from live_ser.audio.sources import audio_file, microphone
from live_ser.inference.listening import Listening
from live_ser.inference.recordings import analyse, judge_clip
from live_ser.inference.results import Prediction, Results, Segment, Verdict
from live_ser.model.onnx_model import EmotionModel, find

Sound = str | os.PathLike[str] | BinaryIO | ArrayLike


class Model(EmotionModel):
    """A model that judges recordings, on disk or in memory.

    Sound is the path of a sound file, a binary file object that holds one, or samples ``[n]``,
    ``[n, channels]`` or ``[1, n]``: floats with full scale at 1, or integers of at most 32 bits
    with that of their type. Samples need their ``rate`` in Hz.

    It can be pickled: its path travels, not the network.
    """

    def predict(
        self,
        sound: Sound,
        rate: float | None = None,
        *,
        partial: bool = False,
        channel: int | None = None,
        reading: Reading = USUAL,
    ) -> Verdict:
        """One verdict on a whole recording.

        Args:
            sound: path, file object or samples.
            rate: of the samples, in Hz.
            partial: judge what there is of a file of which sound is missing; the verdict tells
                from when to when that is.
            channel: the one to hear, from 1; None for their mean, or one where they cancel.
            reading: how a file is read: its track, what its bytes mean without a
                header.

        Raises:
            LiveSerError: it is no sound; or sound is missing, and ``partial`` is off.
        """
        with self._blocks(sound, rate, _chosen(reading, channel, partial)) as blocks:
            verdict = judge_clip(self, blocks)
            if isinstance(blocks, AudioFile) and blocks.missing:
                verdict = replace(verdict, missing=spans(blocks.missing))
            return verdict

    def timeline(
        self,
        sound: Sound,
        rate: float | None = None,
        *,
        hop: float | None = None,
        smoothing: float | None = None,
        partial: bool = False,
        channel: int | None = None,
        reading: Reading = USUAL,
    ) -> Results[Prediction]:
        """What the live path says of a recording, window by window.

        Args:
            sound: path, file object or samples.
            rate: of the samples, in Hz.
            hop: seconds from one window to the next; the model's own if None.
            smoothing: time constant in seconds; 0 is off, None for the usual one.
            partial: judge what there is of a file of which sound is missing.
            channel: the one to hear, from 1; None for their mean, or one where they cancel.
            reading: how a file is read: its track, what its bytes mean without a
                header.

        Raises:
            LiveSerError: it is no sound, sound is missing, or the hop or the smoothing cannot be.
        """
        with self._blocks(sound, rate, _chosen(reading, channel, partial)) as blocks:
            found = analyse(self, blocks, hop=hop, smoothing=smoothing, timeline=True)
            windows = (one for one in found if isinstance(one, Prediction))
            return Results(windows, Prediction, self.info.labels)

    def segments(
        self,
        sound: Sound,
        rate: float | None = None,
        *,
        partial: bool = False,
        channel: int | None = None,
        reading: Reading = USUAL,
    ) -> Results[Segment]:
        """The utterances of a recording, each measured against what is said around it.

        Args:
            sound: path, file object or samples.
            rate: of the samples, in Hz.
            partial: judge what there is of a file of which sound is missing.
            channel: the one to hear, from 1; None for their mean, or one where they cancel.
            reading: how a file is read: its track, what its bytes mean without a
                header.

        Raises:
            LiveSerError: it is no sound, or sound is missing.
        """
        with self._blocks(sound, rate, _chosen(reading, channel, partial)) as blocks:
            found = analyse(self, blocks, segments=True)
            utterances = (one for one in found if isinstance(one, Segment))
            return Results(utterances, Segment, self.info.labels)

    @contextmanager
    def _blocks(
        self, sound: Sound, rate: float | None, reading: Reading
    ) -> Iterator[Iterable[Samples]]:
        wanted = self.info.features.sample_rate
        file = Path(sound) if isinstance(sound, str | os.PathLike) else sound
        if isinstance(file, Path) or hasattr(file, "read"):
            with audio_file(file, wanted, reading) as blocks:  # type: ignore[arg-type]
                yield blocks
            for note in blocks.notes:
                warnings.warn(note, stacklevel=4)  # of whoever asked for the judgement
        else:
            yield sound_in_memory(file, rate, wanted, channel=reading.channel)


def _chosen(reading: Reading, channel: int | None, partial: bool) -> Reading:
    """How a recording is read, with what was asked for by name."""
    return replace(
        reading,
        channel=reading.channel if channel is None else channel,
        partial=reading.partial or partial,
    )


def load(model: str | os.PathLike[str] | None = None) -> Model:
    """Load a model.

    Args:
        model: path of an ``.onnx`` file, or the name of one that came with live-ser; the default
            one if None.

    Raises:
        LiveSerError: there is no such model, or it does not fit.
    """
    return Model(find(None if model is None else os.fspath(model)))


def listen(
    device: int | str | None = None,
    *,
    model: EmotionModel | str | os.PathLike[str] | None = None,
    hop: float | None = None,
    smoothing: float | None = None,
    channels: int | None = None,
    channel: int | None = None,
    reconnect: bool = True,
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
        reconnect: when the device goes away, wait for it to come back.
        opener: opens the device.

    Raises:
        LiveSerError: the model cannot be loaded, the device not be opened, or with ``reconnect``
            off it went away.
    """
    loaded = model if isinstance(model, EmotionModel) else load(model)
    opened = partial(
        microphone,
        device,
        loaded.info.features.sample_rate,
        channels=channels,
        channel=channel,
        reconnect=reconnect,
        opener=opener,
    )
    return Listening(loaded, opened, hop=hop, smoothing=smoothing)
