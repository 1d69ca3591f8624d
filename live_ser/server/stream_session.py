"""The session of a stream: bytes of sound in, records out."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import cached_property

from live_ser.audio.blocks import Gap, Samples, Voice
from live_ser.audio.channels import mixer, parts
from live_ser.audio.files import check_scale
from live_ser.audio.reading import Reading
from live_ser.errors import LiveSerError
from live_ser.inference.labelling import NOTHING_TO_LABEL, NOTHING_TO_UNDO, Label, NewestVoice
from live_ser.inference.results import Prediction, spoken_by
from live_ser.inference.stream import Stream
from live_ser.model.onnx_model import EmotionModel
from live_ser.model.profile import Profile
from live_ser.model.speaker import RunningBaseline
from live_ser.records.record import (
    Record,
    clip_record,
    end_record,
    gap_record,
    label_record,
    mark_record,
    session_record,
    window_record,
)
from live_ser.server.protocol import ProtocolError, Start, error_record, note_record, refusal
from live_ser.system.local_time import now


class StreamSession:
    """Turns the bytes of a stream into the records of a session.

    It blocks while it classifies, and is not thread-safe.

    Args:
        model: the model.
        start: the first message of the client.

    Raises:
        ProtocolError: ``start`` does not fit the model or the profile.
    """

    def __init__(self, model: EmotionModel, start: Start) -> None:
        self._model, self._start = model, start
        self._form = start.format
        self._held: list[bytes] = []  # data that do not complete a hop
        self._holds = 0  # bytes
        self._frames = self._windows = 0
        try:
            how = Reading(start.channel, each_channel=start.each_channel, names=start.names)
            self._mix = mixer(start.channels, start.rate, how)
            model, baseline, self._profile = _speaker(model, start.profile)
            self._baseline = baseline
            self._streams = {
                voice: Stream(
                    model,
                    start.rate,
                    hop=start.hop,
                    smoothing=start.smoothing,
                    baseline=baseline,
                    turns=start.turns,
                )
                for voice in self._mix.voices or (Voice(),)
            }
            self._stream = next(iter(self._streams.values()))  # all have the same time
            self._labels = NewestVoice(self._streams.values())
        except LiveSerError as error:
            raise refusal(error, "bad_start") from error

    @property
    def seconds(self) -> float:
        """Seconds from the start of the stream to its newest sound."""
        return self._stream.seconds

    @cached_property
    def slice_bytes(self) -> int:
        """Bytes to feed at once: a hop of sound, at least."""
        frames = max(1, round(self._stream.hop * self._start.rate))
        return frames * self._form.frame_bytes

    def begin(self) -> Record:
        """The session record."""
        start = self._start
        return session_record(
            self._model.info,
            start.source,
            self._stream.hop,
            now(),
            channel=start.channel,
            voices=self._mix.voices,
        )

    def hold(self, data: bytes) -> bool:
        """Hold data back if they do not complete a hop.

        Decoding many small blocks together is much faster.

        Returns:
            Whether they are held; if not, nothing was done.
        """
        lacking = self._stream.lacking * self._start.rate * self._form.frame_bytes
        if self._holds + len(data) >= lacking:
            return False
        self._held.append(data)
        self._holds += len(data)
        return True

    def take(self, data: bytes) -> bool:
        """Add data, which may end within a sample; cheap enough for an event loop.

        Returns:
            Whether :meth:`windows` will return any.

        Raises:
            ProtocolError: they are not sound.
        """
        if self.hold(data):
            return False
        self._held.append(data)
        return self.flush()

    def flush(self) -> bool:
        """Decode all data so far, except an incomplete sample.

        Returns:
            Whether :meth:`windows` will return any.

        Raises:
            ProtocolError: they are not sound.
        """
        data = b"".join(self._held)
        whole = len(data) // self._form.frame_bytes * self._form.frame_bytes
        self._held, self._holds = [data[whole:]], len(data) - whole
        try:
            block = self._form.decoded(data[:whole])
            if not self._form.is_bounded:
                check_scale(block, "the stream", self._frames, self._start.rate)
            self._frames += len(block)
            return self._take(self._mix.push(block))
        except LiveSerError as error:
            raise refusal(error, "bad_sound") from error

    def windows(self) -> list[Record]:
        """Classify the sound so far: a record for each complete hop."""
        return self._records(Stream.predictions)

    def _take(self, block: Samples) -> bool:
        each = parts(block, len(self._mix.voices))
        complete = [
            stream.take(part) for stream, part in zip(self._streams.values(), each, strict=True)
        ]
        return any(complete)

    def gap(self, seconds: float, reason: str) -> list[Record]:
        """Skip lost sound; return the records before it and that of the gap."""
        self._take(self._mix.finish())
        for stream in self._streams.values():
            stream.gap(seconds)
        return [*self.windows(), gap_record(self.seconds - seconds, Gap(seconds, reason))]

    def mark(self) -> Record:
        """A mark at the newest sound."""
        return mark_record(self.seconds)

    def label(self, label: object) -> list[Record]:
        """Label the newest utterance; the model learns from it.

        Returns:
            The label record; a note if nobody has spoken yet, or the profile cannot be stored.

        Raises:
            ProtocolError: the model has no such label.
        """
        if not isinstance(label, str) or label not in self._model.info.labels:
            raise ProtocolError("bad_message", f"no label {label!r:.60}")
        return self._labelled(self._labels.label(label), NOTHING_TO_LABEL)

    def undo(self) -> list[Record]:
        """Take back the newest label.

        Returns:
            The label record; a note if there is none, or the profile cannot be stored.
        """
        return self._labelled(self._labels.undo(), NOTHING_TO_UNDO)

    def _labelled(self, label: Label | None, why_not: str) -> list[Record]:
        if label is None:
            return [note_record(why_not)]
        records = [label_record(label.start, label.end, label.label, label.guess)]
        if self._profile:
            try:
                self._profile.exchange(label.replaced, [label.take] if label.take else [])
            except LiveSerError as error:  # the label counts in this stream all the same
                records.append(note_record(error.message))
        return records

    def turn(self) -> list[Record]:
        """End a turn; return the remaining records and the verdict on it.

        If each channel is classified separately, there is a verdict on each.

        Raises:
            ProtocolError: the stream was started without turns.
        """
        if not self._start.turns:
            raise ProtocolError(
                "bad_message", "the stream has no turns", 'start it with "turns": true'
            )
        self._take(self._mix.finish())
        source, channel, count = self._start.source, self._start.channel, len(self._streams)
        clips = [
            clip_record(
                source, spoken_by(voice, stream.turn()), channel=channel, part=(number, count)
            )
            for number, (voice, stream) in enumerate(self._streams.items(), start=1)
        ]
        return [*self.windows(), *clips]

    def finish(self) -> list[Record]:
        """End the stream; return the remaining records, the last turn, and the end record."""
        with suppress(ProtocolError):  # the client knows, or is gone
            self.flush()
        self._take(self._mix.finish())
        records = self._records(Stream.finish)
        if self._start.turns:
            records += self.turn()
        try:
            if self._profile and self._baseline:
                self._profile.keep(self._baseline)
        except LiveSerError as error:
            records.append(error_record("profile", error.message, error.hint))
        return [*records, end_record(self._windows, 0, 0, self.seconds)]

    def _records(self, of: Callable[[Stream], list[Prediction]]) -> list[Record]:
        """The predictions of all streams in order of time."""
        predictions = [
            spoken_by(voice, prediction)
            for voice, stream in self._streams.items()
            for prediction in of(stream)
        ]
        predictions.sort(key=lambda prediction: prediction.end)
        self._windows += len(predictions)
        return [window_record(prediction) for prediction in predictions]


def _speaker(
    model: EmotionModel, name: str | None
) -> tuple[EmotionModel, RunningBaseline | None, Profile | None]:
    """The taught model, the baseline and the profile, if one is named.

    Raises:
        LiveSerError: the model uses no baseline, or the profile cannot be read.
    """
    if name is None:
        return model, None, None
    if model.info.baseline is None:
        raise LiveSerError(f"the model {model.info.name} takes no profile", "leave it out")
    profile = Profile.named(name, model)
    taught = profile.applied()
    return taught, RunningBaseline.of(taught), profile
