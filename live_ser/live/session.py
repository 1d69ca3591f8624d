"""A live session: it passes sound from a source to the monitor, and handles the user's keys."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from live_ser.audio.blocks import HEARTBEAT, NOTHING, Block, Gap, Source
from live_ser.audio.microphone import STALL_SECONDS
from live_ser.inference.labelling import NOTHING_TO_LABEL, NOTHING_TO_UNDO
from live_ser.inference.monitor import Monitor
from live_ser.live.fan_out import FanOut
from live_ser.live.keys import NO_KEY, SUSPEND
from live_ser.live.sink import Sink, Status
from live_ser.records.record import end_record, session_record
from live_ser.system.local_time import now

_MOST_KEYS = 9  # for labels: the digits


class Session:
    """A live session, which sends all its events to sinks.

    It is an iterable of the source's blocks, which a :class:`Monitor` reads, and a context manager
    that closes the sinks.

    Args:
        source: the source of sound.
        rate: sample rate of the blocks in Hz.
        duration: seconds after which the session ends; None for the end of the source.
        ending: function that returns whether the session should end.
        patient: whether to wait for slow sinks, as when a file is replayed as fast as possible.

    Attributes:
        sinks: the sinks; attach more to it.
        source: the source of sound.
        key: function that returns the key that was pressed, ``NO_KEY`` if none.
        paused: whether the user paused.

    Examples:
        session = Session(source, rate)
        monitor = Monitor(model, session)
        with session:
            session.sinks.attach(RecordSink(writer, "the records"))
            session.run(monitor)
    """

    def __init__(
        self,
        source: Source,
        rate: int,
        *,
        duration: float | None = None,
        ending: Callable[[], bool] = lambda: False,
        patient: bool = False,
    ) -> None:
        self.sinks = FanOut()
        self.source, self._rate = source, rate
        self._left = None if duration is None else round(duration * rate)
        self.key: Callable[[], str] = lambda: NO_KEY
        self._ending, self._is_patient = ending, patient
        self._monitor: Monitor | None = None
        self._notes: set[str] = set()  # sent so far
        self._position = 0  # samples from the start of the source
        self._paused_for = 0  # samples of the current pause
        self._looked = time.monotonic()
        self._silent = 0.0  # seconds without sound while this session ran
        self.paused = False

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.sinks.close()

    def run(
        self, monitor: Monitor, *, channel: int | None = None, track: int | None = None
    ) -> None:
        """Run to the end of the source, or until the user ends it.

        Args:
            monitor: the monitor, which reads this session.
            channel: the chosen channel of the source, from 1.
            track: the chosen track of the source, from 1.

        Raises:
            LiveSerError: the source failed, or the last sink that gives the session a purpose.
            OSError: as above.
        """
        self._monitor = monitor
        begin = session_record(
            monitor.info,
            self.source.name,
            monitor.hop,
            now(),
            channel=channel,
            track=track,
            voices=monitor.voices,
        )
        self.sinks.send(Sink.begin, begin)
        try:
            for prediction in monitor:
                self.sinks.send(Sink.window, prediction)
        finally:
            counts = monitor.windows, monitor.skipped, self.source.overflows
            self.sinks.send(Sink.end, end_record(*counts, self.seconds))

    @property
    def backlog(self) -> float:
        """Seconds of sound that wait to be read."""
        return self.source.backlog

    @property
    def seconds(self) -> float:
        """Seconds from the start of the source to the newest sound, pauses included."""
        return (self._position + self._paused_for) / self._rate

    @property
    def patient(self) -> bool:
        """Whether to wait for slow sinks now."""
        return self._is_patient and not self._ending()

    @property
    def status(self) -> Status:
        """The status of the session."""
        baseline = self._monitor.baseline if self._monitor else None
        return Status(
            source=self.source.name,
            native_rate=self.source.native_rate,
            overflows=self.source.overflows,
            skipped=self._monitor.skipped if self._monitor else 0,
            message=self.source.message,
            paused=self.paused,
            baseline=baseline.status if baseline else None,
            intended=getattr(self.source, "intended", ""),  # of a demonstration
        )

    def __iter__(self) -> Iterator[Block]:
        for block in self.source:
            for passed in self._unless_paused(block):
                self._send(passed)
                yield passed
            if self._done(block) or not self._handle_key():
                break
        if self._paused_for:
            self._send(self._pause())

    def _unless_paused(self, block: Block) -> Iterator[Block]:
        """The block, after a gap for a pause that it ends; nothing while paused."""
        if isinstance(block, Gap):
            length = round(block.seconds * self._rate)
        else:
            block = block if self._left is None else block[: self._left]
            length = len(block)
        if self._left is not None:
            self._left -= length
        if self.paused:
            self._paused_for += length
            self._send(NOTHING)
            return
        if self._paused_for:
            yield self._pause()
        yield block

    def _pause(self) -> Gap:
        """The gap of the pause that has ended."""
        pause = Gap(self._paused_for / self._rate, "paused")
        self._paused_for = 0
        return pause

    def _send(self, block: Block) -> None:
        if isinstance(block, Gap):
            self.sinks.send(Sink.gap, self.seconds, block)
            self._position += round(block.seconds * self._rate)
            return
        self.sinks.send(Sink.block, block)
        self._position += len(block)
        for note in self.source.notes:
            if note not in self._notes:
                self._notes.add(note)
                self.sinks.send(Sink.note, note)
        self.sinks.send(Sink.status, self.status)

    def _done(self, block: Block) -> bool:
        if self._left is None:
            return False
        # A session must end even if the source gives no sound. Time in which the process was
        # stopped does not count.
        now = time.monotonic()
        self._silent += min(now - self._looked, 2 * HEARTBEAT)
        self._looked = now
        if isinstance(block, Gap) or len(block):
            self._silent = 0.0
        silent = self._silent if self._silent > STALL_SECONDS else 0.0
        return self._left <= round(silent * self._rate)

    @property
    def _labels(self) -> dict[str, str]:
        """The emotions by their keys."""
        labels = self._monitor.info.labels[:_MOST_KEYS] if self._monitor else ()
        return {str(number): label for number, label in enumerate(labels, start=1)}

    def _label(self, key: str) -> None:
        """Label the newest utterance, or take back the newest label."""
        assert self._monitor is not None
        undoes = key == "u"
        label = self._monitor.undo() if undoes else self._monitor.label(self._labels[key])
        if label is None:
            self.sinks.send(Sink.note, NOTHING_TO_UNDO if undoes else NOTHING_TO_LABEL)
        else:
            self.sinks.send(Sink.label, label)

    def _handle_key(self) -> bool:
        """Handle the key that was pressed; False to end the session."""
        key = self.key()
        if key == "q" or self._ending():
            return False
        if key == " ":
            self.paused = not self.paused
            self.sinks.send(Sink.status, self.status)
        elif key == "m":
            self.sinks.send(Sink.mark, self.seconds + self.source.behind)
        elif self._monitor and (key == "u" or key in self._labels):
            self._label(key)
        elif key == SUSPEND:
            self.sinks.send(Sink.suspend)
        elif key != NO_KEY:
            self.sinks.send(Sink.key, key)
        return True
