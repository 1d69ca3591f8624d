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
from live_ser.records.schema import Record
from live_ser.server.protocol import error_record

_ENDING_SECONDS = 1.5  # that a session has to end


@dataclass(frozen=True)
class Microphone:
    """What the server's microphone is, and where else its predictions go.

    Attributes:
        open: opens it.
        speaker: makes the model as the speaker taught it, None for the server's own; the baseline
            of the speaker; and the profile that it is kept in.
        outputs: attaches to a session what else gets its predictions.
        hop: seconds between predictions; the model's own if None.
        smoothing: time constant in seconds; the usual one if None.
        channel: the one that is used, from 1; None for their mean.
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
        model: that classifies.
        microphone: that is listened to.
        publish: takes every record, in the thread of the session.

    Attributes:
        labels: of the model.
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
        """Whether it listens, or is about to."""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Begin to listen, if it doesn't."""
        if self.is_on:
            return
        self._ending.clear()
        self._keys.clear()
        self._thread = threading.Thread(target=self._run, name="live-ser-live", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Have it end."""
        self._ending.set()

    def press(self, key: str) -> None:
        """Press a key, as on the dashboard."""
        if self.is_on:
            self._keys.append(key)

    def close(self) -> None:
        """End it, and wait for that a little."""
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
        """Tell the readers how it is doing."""
        self._publish({"type": "live", "state": state, "source": source, "message": message})


class _Publisher:
    """Writes records for readers, who are never waited for."""

    def __init__(self, publish: Callable[[Record], None]) -> None:
        self._publish = publish

    def write(self, record: Record) -> None:
        self._publish(record)

    def close(self) -> None:
        """Do nothing."""


class _Readers(RecordSink):
    """The readers of a session, as one sink.

    Args:
        publish: takes each record.
        tell: takes the state of the session and a message.
    """

    keeps = False

    def __init__(self, publish: Callable[[Record], None], tell: Callable[..., None]) -> None:
        super().__init__(_Publisher(publish), "the readers")
        self._tell, self._state = tell, ("", "")

    def status(self, status: Status) -> None:
        """Tell how it is doing, whenever that changes."""
        state = "paused" if status.paused else "waiting" if status.message else "on"
        if (state, status.message) != self._state:
            self._state = state, status.message
            self._tell(state, message=status.message)

    def note(self, line: str) -> None:
        """Pass on what the user should know."""
        self._tell(self._state[0] or "on", message=line)

    warn = note
