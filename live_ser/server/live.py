"""The server's microphone: a live session that readers can start and stop."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial

from live_ser.audio.blocks import Source
from live_ser.errors import LiveSerError
from live_ser.inference.monitor import Monitor
from live_ser.live.background import Background
from live_ser.live.keys import NO_KEY
from live_ser.live.session import Session
from live_ser.live.sink import Status
from live_ser.live.sinks import ProfileSink, RecordSink
from live_ser.model.onnx_model import EmotionModel
from live_ser.model.profile import Profile
from live_ser.model.speaker import RunningBaseline
from live_ser.records.record import Record
from live_ser.server.protocol import error_record

_ENDING_SECONDS = 1.5  # for a session to end


@dataclass(frozen=True)
class Microphone:
    """The server's microphone and its settings.

    Attributes:
        open: function that opens it.
        speaker: function that returns the taught model, None for that of the server; the baseline
            of the speaker; and their profile.
        outputs: function that attaches further sinks to a session.
        hop: seconds between predictions; None for the model's default.
        smoothing: time constant in seconds; None for the default.
        channel: the channel to use, from 1; None for the mean.
    """

    open: Callable[[], AbstractContextManager[Source]]
    speaker: Callable[[], tuple[EmotionModel | None, RunningBaseline | None, Profile | None]] = (
        lambda: (None, None, None)
    )
    outputs: Callable[[Session], None] = lambda session: None
    hop: float | None = None
    smoothing: float | None = None
    channel: int | None = None


class Live:
    """Listens to the server's microphone in a thread of its own.

    Args:
        model: the model.
        microphone: the microphone and its settings.
        publish: function that is called with each record, in the thread of the session.

    Attributes:
        labels: labels of the model.
    """

    def __init__(
        self, model: EmotionModel, microphone: Microphone, publish: Callable[[Record], None]
    ) -> None:
        self.labels = model.info.labels
        self._model, self._microphone, self._publish = model, microphone, publish
        self._ending = threading.Event()
        self._keys: deque[str] = deque(maxlen=16)
        self._thread: threading.Thread | None = None

    @property
    def is_on(self) -> bool:
        """Whether it is listening or starting."""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Start listening, if it is not."""
        if self.is_on:
            return
        self._ending.clear()
        self._keys.clear()
        self._thread = threading.Thread(target=self._run, name="live-ser-live", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop listening."""
        self._ending.set()

    def press(self, key: str) -> None:
        """Press a key, as on the dashboard."""
        if self.is_on:
            self._keys.append(key)

    def close(self) -> None:
        """Stop, and wait briefly."""
        self.stop()
        if self._thread is not None:
            self._thread.join(_ENDING_SECONDS)

    def _key(self) -> str:
        return self._keys.popleft() if self._keys else NO_KEY

    def _run(self) -> None:
        self._tell("starting", None)
        try:
            with self._microphone.open() as source:
                self._listen(source)
        except LiveSerError as error:
            self._publish(error_record("microphone", error.message, error.hint))
        except Exception as error:
            message = f"{type(error).__name__}: {error}"
            self._publish(error_record("microphone", message, "start it again"))
        finally:
            self._tell("off", None)

    def _listen(self, source: Source) -> None:
        microphone = self._microphone
        rate = self._model.info.features.sample_rate
        taught, baseline, profile = microphone.speaker()
        session = Session(source, rate, ending=self._ending.is_set)
        session.key = self._key
        monitor = Monitor(
            taught or self._model,
            session,
            hop=microphone.hop,
            smoothing=microphone.smoothing,
            baseline=baseline,
            voices=source.voices,
        )
        with session:
            session.sinks.attach(_Readers(self._publish, partial(self._tell, source=source.name)))
            if profile and baseline:
                session.sinks.attach(Background(ProfileSink(profile, baseline)))
            microphone.outputs(session)
            session.run(monitor, channel=microphone.channel)

    def _tell(self, state: str, source: str | None, message: str = "") -> None:
        """Publish its state to the readers."""
        self._publish({"type": "live", "state": state, "source": source, "message": message})


class _Publisher:
    """A writer of records that publishes them."""

    def __init__(self, publish: Callable[[Record], None]) -> None:
        self._publish = publish

    def write(self, record: Record) -> None:
        self._publish(record)

    def close(self) -> None:
        """Does nothing."""


class _Readers(RecordSink):
    """The readers of a session, as one sink.

    Args:
        publish: function that is called with each record.
        tell: function that is called with the state of the session and a message.
    """

    stores = False

    def __init__(self, publish: Callable[[Record], None], tell: Callable[..., None]) -> None:
        super().__init__(_Publisher(publish), "the readers")
        self._tell, self._state = tell, ("", "")

    def status(self, status: Status) -> None:
        """Publish the state when it changes."""
        state = "paused" if status.paused else "waiting" if status.message else "on"
        if (state, status.message) != self._state:
            self._state = state, status.message
            self._tell(state, message=status.message)

    def note(self, line: str) -> None:
        """Publish a warning."""
        self._tell(self._state[0] or "on", message=line)

    warn = note
