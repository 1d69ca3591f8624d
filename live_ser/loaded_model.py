"""A loaded model: what classifies recordings, and sound as it comes."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Unpack

from live_ser.audio.blocks import Block
from live_ser.audio.channels import voices_of
from live_ser.audio.decoder import spans
from live_ser.audio.reading import Reading, ReadingOptions
from live_ser.audio.sources import Recording, Sound, open_sound
from live_ser.errors import InvalidArgument, LiveSerError
from live_ser.inference.monitor import Monitor
from live_ser.inference.recordings import analyse
from live_ser.inference.results import Prediction, Results, Segment, Verdict
from live_ser.inference.stream import Stream
from live_ser.inference.takes import take_of
from live_ser.inference.turns import classify_turns_and_check
from live_ser.model.onnx_model import EmotionModel
from live_ser.model.profile import Profile
from live_ser.model.taught import TaughtModel, Teaching, check_teachable
from live_ser.records.turn_files import Intervals, turns_of
from live_ser.spec import ModelInfo
from live_ser.text import counted


class Model:
    """A model that classifies recordings, on disk or in memory, and sound as it comes.

    Methods that take a recording take it as the path of a sound file, as a binary file object that
    holds one, or as samples ``[n]``, ``[n, channels]`` or ``[1, n]``: floats with full scale at 1,
    or integers of at most 32 bits with that of their type. Samples need their ``rate`` in Hz. How
    it is read is chosen by the keywords of :class:`ReadingOptions`: ``channel``, ``track``, ``raw``
    and ``partial``; with ``each_channel`` each channel is classified separately, and ``names`` say
    who speaks in each.

    It can be pickled: its path travels, not the network.

    Args:
        network: the network in its file.

    Attributes:
        network: the network in its file.
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
        self, sound: Sound, rate: float | None = None, **how: Unpack[ReadingOptions]
    ) -> Verdict:
        """Classify a recording as a whole.

        Args:
            sound: path, file object or samples.
            rate: of the samples, in Hz.
            **how: it is read, see :class:`ReadingOptions`.

        Returns:
            The verdict; with ``partial``, its ``missing`` says from when to when sound is missing.

        Raises:
            LiveSerError: it is no sound; or sound is missing, and ``partial`` is off.
        """
        if how.get("each_channel"):
            raise InvalidArgument(
                "each_channel: `predict` gives one verdict", "`predict_channels` gives one for each"
            )
        (verdict,) = self._verdicts(sound, rate, how)
        return verdict

    def predict_channels(
        self, sound: Sound, rate: float | None = None, **how: Unpack[ReadingOptions]
    ) -> Results[Verdict]:
        """Classify each channel of a recording by itself, against a baseline of its own.

        Args:
            sound: path, file object or samples.
            rate: of the samples, in Hz.
            **how: it is read, see :class:`ReadingOptions`; ``names`` say who speaks in each.

        Returns:
            A verdict for each channel, in their order; the same as ``predict`` gives with its
            ``channel``.

        Raises:
            LiveSerError: it is no sound; sound is missing, and ``partial`` is off; or there are not
                as many names as channels.
        """
        verdicts = self._verdicts(sound, rate, {**how, "each_channel": True})
        return Results(verdicts, Verdict, self.info.labels)

    def timeline(
        self,
        sound: Sound,
        rate: float | None = None,
        *,
        hop: float | None = None,
        smoothing: float | None = None,
        **how: Unpack[ReadingOptions],
    ) -> Results[Prediction]:
        """Classify a recording window by window, as the live path does.

        Args:
            sound: path, file object or samples.
            rate: of the samples, in Hz.
            hop: seconds from one window to the next; the model's own if None.
            smoothing: time constant in seconds; 0 is off, None for the usual one.
            **how: it is read, see :class:`ReadingOptions`.

        Returns:
            A prediction for each window.

        Raises:
            LiveSerError: it is no sound, sound is missing, or the hop or the smoothing cannot be.
        """
        with self._open(sound, rate, how) as recording:
            results = analyse(
                self.network,
                recording,
                voices=recording.voices,
                hop=hop,
                smoothing=smoothing,
                timeline=True,
            )
            windows = (result for result in results if isinstance(result, Prediction))
            return Results(windows, Prediction, self.info.labels)

    def segments(
        self, sound: Sound, rate: float | None = None, **how: Unpack[ReadingOptions]
    ) -> Results[Segment]:
        """Classify the utterances of a recording, each measured against the speech around it.

        Args:
            sound: path, file object or samples.
            rate: of the samples, in Hz.
            **how: it is read, see :class:`ReadingOptions`.

        Returns:
            A segment for each utterance.

        Raises:
            LiveSerError: it is no sound, or sound is missing.
        """
        with self._open(sound, rate, how) as recording:
            results = analyse(self.network, recording, voices=recording.voices, segments=True)
            utterances = (result for result in results if isinstance(result, Segment))
            return Results(utterances, Segment, self.info.labels)

    def at(
        self,
        sound: Sound,
        intervals: Intervals,
        rate: float | None = None,
        *,
        tiers: Sequence[str] = (),
        **how: Unpack[ReadingOptions],
    ) -> Results[Segment]:
        """Classify intervals that somebody else found, such as a diariser.

        Each is heard as a recording of its own, and measured against the other intervals of its
        speaker.

        Args:
            sound: path, file object or samples.
            intervals: path of a TextGrid, an ELAN file, an RTTM or a CSV; or ``(start, end)`` or
                ``(start, end, speaker)`` each, in seconds.
            rate: of the samples, in Hz.
            tiers: of a file, the tiers or speakers that are classified; all of them if empty.
            **how: it is read, see :class:`ReadingOptions`.

        Returns:
            A segment for each interval, in their order; ``silence`` where nobody speaks in it.

        Raises:
            LiveSerError: it is no sound, sound is missing, or the intervals cannot be.

        Examples:
            >>> import live_ser
            >>> turns = [(0.0, 2.5, "anna"), (2.5, 4.0, "ben")]
            >>> for turn in live_ser.load().at("call.wav", turns):  # doctest: +SKIP
            ...     print(turn.speaker, turn.label)
        """
        found = self._at(sound, intervals, rate, tiers, how)
        segments = (result for result in found if isinstance(result, Segment))
        return Results(segments, Segment, self.info.labels)

    def predict_at(
        self,
        sound: Sound,
        intervals: Intervals,
        rate: float | None = None,
        *,
        tiers: Sequence[str] = (),
        **how: Unpack[ReadingOptions],
    ) -> Results[Verdict]:
        """Classify each speaker of a recording, in intervals that somebody else found.

        Args:
            sound: path, file object or samples.
            intervals: as :meth:`at` takes them.
            rate: of the samples, in Hz.
            tiers: of a file, the tiers or speakers that are classified; all of them if empty.
            **how: it is read, see :class:`ReadingOptions`.

        Returns:
            A verdict on each speaker, in the order in which they are named.

        Raises:
            LiveSerError: as :meth:`at`.
        """
        found = self._at(sound, intervals, rate, tiers, how)
        verdicts = (result for result in found if isinstance(result, Verdict))
        return Results(verdicts, Verdict, self.info.labels)

    def analyse(
        self, sound: Sound, rate: float | None = None, **how: Unpack[ReadingOptions]
    ) -> Iterator[Prediction | Segment | Verdict]:
        """Classify a recording of any length, and give each result as it is found.

        Args:
            sound: path, file object or samples.
            rate: of the samples, in Hz.
            **how: it is read, see :class:`ReadingOptions`.

        Yields:
            The predictions of all windows and the segments, in the order in which they are known,
            and the verdict at the end; one for each channel with ``each_channel``.

        Raises:
            LiveSerError: it is no sound, or sound is missing.
        """
        with self._open(sound, rate, how) as recording:
            voices = recording.voices
            for result in analyse(
                self.network, recording, voices=voices, timeline=True, segments=True
            ):
                if isinstance(result, Verdict):
                    yield replace(result, missing=spans(recording.missing))
                else:
                    yield result

    def monitor(
        self,
        blocks: Iterable[Block],
        *,
        hop: float | None = None,
        smoothing: float | None = None,
        channels: int | None = None,
        names: Sequence[str] = (),
    ) -> Monitor:
        """Classify blocks of sound that are pulled from an iterable.

        Args:
            blocks: ``[n]`` each, mono at the model's rate; see :class:`Monitor`.
            hop: seconds between predictions; the model's own if None.
            smoothing: time constant in seconds; 0 is off, None for the usual one.
            channels: blocks are ``[n, channels]``, and each channel is classified separately; None
                for mono blocks, or for what the source says of itself.
            names: of who speaks in each channel.

        Returns:
            An iterable of a prediction each hop; of one for each channel.

        Raises:
            LiveSerError: the hop or the smoothing cannot be.
        """
        voices = getattr(blocks, "voices", ()) if channels is None else voices_of(channels, names)
        return Monitor(self.network, blocks, hop=hop, smoothing=smoothing, voices=voices)

    def stream(
        self,
        rate: float | None = None,
        *,
        hop: float | None = None,
        smoothing: float | None = None,
    ) -> Stream:
        """Classify sound that is pushed in as it comes.

        Args:
            rate: sample rate of what is fed, in Hz; the model's own if None.
            hop: seconds between predictions; the model's own if None.
            smoothing: time constant in seconds; 0 is off, None for the usual one.

        Raises:
            LiveSerError: the rate, the hop or the smoothing cannot be.
        """
        return Stream(self.network, rate, hop=hop, smoothing=smoothing)

    def teach(
        self, takes: Sequence[Sound], labels: Sequence[str], rate: float | None = None
    ) -> Model:
        """Teach how a speaker sounds, with recordings of them whose emotion is known.

        Args:
            takes: path, file object or samples of each recording.
            labels: the emotion of each.
            rate: of samples, in Hz.

        Returns:
            A model that makes use of it, with a report in ``teaching.report``. This one stays as it
            is.

        Raises:
            LiveSerError: a take is no sound or holds too little speech, or the model cannot be
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
        """What a speaker taught it; None if nobody did."""
        return self.network.teaching if isinstance(self.network, TaughtModel) else None

    def with_profile(self, name: str) -> Model:
        """The model with what a profile knows of a speaker, and what they taught.

        Args:
            name: of the profile, as ``live-ser teach`` or ``listen --profile`` made it.

        Raises:
            LiveSerError: there is no such profile, or it is not of this model.
        """
        profile = Profile.named(name, self.network)
        if not profile.path.exists():
            raise LiveSerError(f"there is no profile {name}", "live-ser profiles lists them")
        return Model(profile.applied())

    def _at(
        self,
        sound: Sound,
        intervals: Intervals,
        rate: float | None,
        tiers: Sequence[str],
        how: ReadingOptions,
    ) -> list[Segment | Verdict]:
        if how.get("each_channel"):
            raise InvalidArgument("each_channel: intervals have speakers", "leave it out")
        turns = turns_of(intervals, sound, tiers)
        with self._open(sound, rate, how) as recording:
            found, notes = classify_turns_and_check(self.network, recording, turns)
            missing = spans(recording.missing)
        for note in notes:
            warnings.warn(note, stacklevel=3)  # the caller's line
        return [replace(x, missing=missing) if isinstance(x, Verdict) else x for x in found]

    def _verdicts(self, sound: Sound, rate: float | None, how: ReadingOptions) -> list[Verdict]:
        with self._open(sound, rate, how) as recording:
            verdicts = [*analyse(self.network, recording, voices=recording.voices)]
            missing = spans(recording.missing)
        return [replace(one, missing=missing) for one in verdicts if isinstance(one, Verdict)]

    @contextmanager
    def _open(self, sound: Sound, rate: float | None, how: ReadingOptions) -> Iterator[Recording]:
        wanted = self.info.features.sample_rate
        with open_sound(sound, rate, wanted, Reading(**how)) as recording:
            yield recording
        for note in recording.notes:
            warnings.warn(note, stacklevel=4)  # the caller's line
