"""``live_ser.Model``: a loaded model, which classifies recordings and live sound."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar, Unpack

from live_ser.audio.blocks import Block
from live_ser.audio.channels import voices_of
from live_ser.audio.decoder import spans
from live_ser.audio.reading import Reading, ReadingOptions
from live_ser.audio.sources import Recording, Sound, open_sound
from live_ser.errors import InvalidArgument, LiveSerError
from live_ser.inference.monitor import Monitor
from live_ser.inference.recordings import analyse
from live_ser.inference.results import Decision, Prediction, Results, Segment, Verdict
from live_ser.inference.stream import Stream
from live_ser.inference.takes import take_of
from live_ser.inference.turns import classify_turns_and_check
from live_ser.model.onnx_model import EmotionModel
from live_ser.model.profile import Profile
from live_ser.model.taught import TaughtModel, Teaching, check_teachable
from live_ser.records.turn_files import Intervals, turns_of
from live_ser.spec import ModelInfo
from live_ser.text import counted

R = TypeVar("R", bound=Decision)


class Model:
    """A model that classifies recordings, on disk or in memory, and live sound.

    Methods that take a recording accept the path of a sound file, a binary file object, or samples
    ``[n]``, ``[n, channels]`` or ``[1, n]``: floats with full scale at 1, or integers of at most 32
    bits with the full scale of their type. Samples need their ``rate`` in Hz. The keywords of
    :class:`ReadingOptions` choose how a recording is read: ``channel``, ``track``, ``raw`` and
    ``partial``; with ``each_channel`` each channel is classified separately, and ``names`` are
    those of their speakers.

    A model can be pickled: its path is stored, not its weights.

    Args:
        network: the loaded ``.onnx`` file.

    Attributes:
        network: the loaded ``.onnx`` file.
    """

    def __init__(self, network: EmotionModel) -> None:
        self.network = network

    @property
    def info(self) -> ModelInfo:
        """The metadata of the model."""
        return self.network.info

    @property
    def path(self) -> Path:
        """The ``.onnx`` file."""
        return self.network.path

    def __repr__(self) -> str:
        return f"Model({self.network!r})"

    def predict(
        self, sound: Sound, rate: float | None = None, **reading: Unpack[ReadingOptions]
    ) -> Verdict:
        """Classify a recording as a whole.

        Args:
            sound: path, file object or samples.
            rate: sample rate of the samples in Hz.
            **reading: how to read the recording, see :class:`ReadingOptions`.

        Returns:
            The verdict; with ``partial``, its ``missing`` says where sound is missing.

        Raises:
            LiveSerError: it is not sound; or sound is missing, and ``partial`` is off.
        """
        if reading.get("each_channel"):
            raise InvalidArgument(
                "each_channel: `predict` gives one verdict", "`predict_channels` gives one for each"
            )
        (verdict,) = self._results(Verdict, sound, rate, reading)
        return verdict

    def predict_channels(
        self, sound: Sound, rate: float | None = None, **reading: Unpack[ReadingOptions]
    ) -> Results[Verdict]:
        """Classify each channel of a recording separately, against a baseline of its own.

        The arguments are those of :meth:`predict`.

        Returns:
            A verdict for each channel, in their order; the same that ``predict`` gives with its
            ``channel``.

        Raises:
            LiveSerError: it is not sound; sound is missing, and ``partial`` is off; or the number
                of names is not the number of channels.
        """
        return self._results(Verdict, sound, rate, {**reading, "each_channel": True})

    def timeline(
        self,
        sound: Sound,
        rate: float | None = None,
        *,
        hop: float | None = None,
        smoothing: float | None = None,
        **reading: Unpack[ReadingOptions],
    ) -> Results[Prediction]:
        """Classify a recording window by window, as live sound is.

        Args:
            sound: path, file object or samples.
            rate: sample rate of the samples in Hz.
            hop: seconds between predictions; None for the model's default.
            smoothing: time constant in seconds; 0 is off, None for the default of 1.
            **reading: how to read the recording, see :class:`ReadingOptions`.

        Returns:
            A prediction for each window.

        Raises:
            LiveSerError: it is not sound, sound is missing, or ``hop`` or ``smoothing`` is out of
                range.
        """
        return self._results(
            Prediction, sound, rate, reading, hop=hop, smoothing=smoothing, timeline=True
        )

    def segments(
        self, sound: Sound, rate: float | None = None, **reading: Unpack[ReadingOptions]
    ) -> Results[Segment]:
        """Classify the utterances of a recording, each against the speech around it.

        The arguments are those of :meth:`predict`.

        Returns:
            A segment for each utterance.

        Raises:
            LiveSerError: it is not sound, or sound is missing.
        """
        return self._results(Segment, sound, rate, reading, segments=True)

    def at(
        self,
        sound: Sound,
        intervals: Intervals,
        rate: float | None = None,
        *,
        tiers: Sequence[str] = (),
        **reading: Unpack[ReadingOptions],
    ) -> Results[Segment]:
        """Classify given intervals of a recording, such as the turns that a diariser found.

        Each is classified as a recording of its own, against the other intervals of its speaker.

        Args:
            sound: path, file object or samples.
            intervals: path of a TextGrid, an ELAN file, an RTTM or a CSV; or tuples ``(start,
                end)`` or ``(start, end, speaker)``, in seconds.
            rate: sample rate of the samples in Hz.
            tiers: the tiers or speakers of a file to classify; all if empty.
            **reading: how to read the recording, see :class:`ReadingOptions`.

        Returns:
            A segment for each interval, in their order; ``silence`` where there is no speech.

        Raises:
            LiveSerError: it is not sound, sound is missing, or the intervals are invalid.

        Examples:
            >>> import live_ser
            >>> turns = [(0.0, 2.5, "anna"), (2.5, 4.0, "ben")]
            >>> for turn in live_ser.load().at("call.wav", turns):  # doctest: +SKIP
            ...     print(turn.speaker, turn.label)
        """
        return self._results_at(Segment, sound, intervals, rate, tiers=tiers, reading=reading)

    def predict_at(
        self,
        sound: Sound,
        intervals: Intervals,
        rate: float | None = None,
        *,
        tiers: Sequence[str] = (),
        **reading: Unpack[ReadingOptions],
    ) -> Results[Verdict]:
        """Classify each speaker of a recording by given intervals.

        The arguments are those of :meth:`at`.

        Returns:
            A verdict for each speaker, in the order of their first interval.

        Raises:
            LiveSerError: as in :meth:`at`.
        """
        return self._results_at(Verdict, sound, intervals, rate, tiers=tiers, reading=reading)

    def analyse(
        self, sound: Sound, rate: float | None = None, **reading: Unpack[ReadingOptions]
    ) -> Iterator[Prediction | Segment | Verdict]:
        """Classify a recording of any length, and yield each result as soon as it is known.

        The arguments are those of :meth:`predict`.

        Yields:
            The predictions of all windows and the segments, as they become known, and then the
            verdict; one for each channel with ``each_channel``.

        Raises:
            LiveSerError: it is not sound, or sound is missing.
        """
        with self._open(sound, rate, reading) as recording:
            for result in self._analysed(recording, timeline=True, segments=True):
                yield _with_missing(result, recording)
        for note in recording.notes:
            warnings.warn(note, stacklevel=2)

    def monitor(
        self,
        blocks: Iterable[Block],
        *,
        hop: float | None = None,
        smoothing: float | None = None,
        channels: int | None = None,
        names: Sequence[str] = (),
    ) -> Monitor:
        """Classify blocks of sound from an iterable.

        Args:
            blocks: ``[n]`` each, mono at the model's rate; see :class:`Monitor`.
            hop: seconds between predictions; None for the model's default.
            smoothing: time constant in seconds; 0 is off, None for the default of 1.
            channels: classify each of so many channels of blocks ``[n, channels]`` separately; None
                for mono blocks, or for the channels that the source states.
            names: names of the speakers of the channels.

        Returns:
            An iterable of predictions: one each hop, or one for each channel.

        Raises:
            LiveSerError: ``blocks`` are none, or ``hop`` or ``smoothing`` is out of range.
        """
        if not isinstance(blocks, Iterable):
            raise InvalidArgument(
                f"blocks: {type(blocks).__name__} is no iterable of arrays", "give a list of arrays"
            )
        voices = getattr(blocks, "voices", ()) if channels is None else voices_of(channels, names)
        return Monitor(self.network, blocks, hop=hop, smoothing=smoothing, voices=voices)

    def stream(
        self,
        rate: float | None = None,
        *,
        hop: float | None = None,
        smoothing: float | None = None,
    ) -> Stream:
        """Classify sound that is fed block by block.

        Args:
            rate: sample rate of the blocks in Hz; None for the model's.
            hop: seconds between predictions; None for the model's default.
            smoothing: time constant in seconds; 0 is off, None for the default of 1.

        Raises:
            LiveSerError: an argument is out of range.
        """
        return Stream(self.network, rate, hop=hop, smoothing=smoothing)

    def teach(
        self, takes: Sequence[Sound], labels: Sequence[str], rate: float | None = None
    ) -> Model:
        """Adapt the model to a speaker, by labelled recordings of them.

        Args:
            takes: path, file object or samples of each recording.
            labels: the emotion of each.
            rate: sample rate of samples in Hz.

        Returns:
            The adapted model; ``teaching.report`` evaluates it. This one does not change.

        Raises:
            LiveSerError: a take is not sound or holds too little speech, or the model cannot be
                taught.

        Examples:
            >>> import live_ser
            >>> taught = live_ser.load().teach(files, emotions)  # doctest: +SKIP
            >>> taught.teaching.report.right  # doctest: +SKIP
            15
        """
        check_teachable(self.network)
        if len(takes) != len(labels):
            raise LiveSerError(
                f"{counted(len(takes), 'take')} and {counted(len(labels), 'label')}",
                "give one for each",
            )
        network = self.network.network if isinstance(self.network, TaughtModel) else self.network
        found = []
        for number, (sound, label) in enumerate(zip(takes, labels, strict=True)):
            with self._open(sound, rate, {}) as recording:
                take = take_of(network, recording, label)
            if take is None:
                raise LiveSerError(f"take {number} holds too little speech", "leave it out")
            found.append(take)
        return Model(TaughtModel(network, Teaching(network, found)))

    @property
    def teaching(self) -> Teaching | None:
        """What a speaker taught the model; None if nobody did."""
        return self.network.teaching if isinstance(self.network, TaughtModel) else None

    def with_profile(self, name: str) -> Model:
        """The model with the baseline of a speaker's profile, and with what they taught.

        Args:
            name: name of the profile, as made by ``live-ser teach`` or ``listen --profile``.

        Raises:
            LiveSerError: there is no such profile, or it belongs to another model.
        """
        profile = Profile.named(name, self.network)
        if not profile.path.exists():
            raise LiveSerError(f"there is no profile {name}", "live-ser profiles lists them")
        return Model(profile.applied())

    def _results(
        self,
        kind: type[R],
        sound: Sound,
        rate: float | None,
        reading: ReadingOptions,
        **wanted: Any,
    ) -> Results[R]:
        """The results of one kind; ``wanted`` are keywords of :func:`analyse`."""
        with self._open(sound, rate, reading) as recording:
            results = [*self._analysed(recording, **wanted)]
        return self._collected(kind, results, recording)

    def _results_at(
        self,
        kind: type[R],
        sound: Sound,
        intervals: Intervals,
        rate: float | None,
        *,
        tiers: Sequence[str],
        reading: ReadingOptions,
    ) -> Results[R]:
        if reading.get("each_channel"):
            raise InvalidArgument("each_channel: intervals have speakers", "leave it out")
        turns = turns_of(intervals, sound, tiers)
        with self._open(sound, rate, reading) as recording:
            results, notes = classify_turns_and_check(self.network, recording, turns)
        return self._collected(kind, results, recording, notes)

    def _collected(
        self,
        kind: type[R],
        results: Iterable[Decision],
        recording: Recording,
        notes: Sequence[str] = (),
    ) -> Results[R]:
        """The results of one kind; notes become warnings at the line that called the method."""
        for note in (*notes, *recording.notes):
            warnings.warn(note, stacklevel=4)
        found = [_with_missing(result, recording) for result in results if isinstance(result, kind)]
        return Results(found, kind, self.info.labels)

    def _open(
        self, sound: Sound, rate: float | None, reading: ReadingOptions
    ) -> AbstractContextManager[Recording]:
        return open_sound(sound, rate, self.info.features.sample_rate, Reading(**reading))

    def _analysed(
        self, recording: Recording, **wanted: Any
    ) -> Iterator[Prediction | Segment | Verdict]:
        return analyse(self.network, recording, voices=recording.voices, **wanted)


def _with_missing(result: R, recording: Recording) -> R:
    """A result; a verdict with the sound that is missing from the recording."""
    if isinstance(result, Verdict):
        return replace(result, missing=spans(recording.missing))
    return result
