"""A session: sound on its way from a source to the monitor, and what the user does meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from live_ser.audio.blocks import HEARTBEAT, NOTHING, Block, Gap, Source
from live_ser.audio.microphone import STALL_SECONDS
from live_ser.live.keys import NO_KEY, SUSPEND
from live_ser.live.sinks import Sinks


class Session:
    """The blocks of a source, on their way past the sinks; iterate over it once.

    Args:
        source: of the sound.
        rate: of the blocks, in Hz.
        duration: seconds after which the session ends; None for when the source does.
        ending: tells whether the session is asked to end.

    Attributes:
        sinks: that hear the sound on its way; attach more to it.
        source: of the sound.
        ending: tells whether it is asked to end.
        key: tells which key was pressed since it was last asked, ``NO_KEY`` if none.
        paused: whether the user paused.
    """

    def __init__(
        self,
        source: Source,
        rate: int,
        *,
        duration: float | None = None,
        ending: Callable[[], bool] = lambda: False,
    ) -> None:
        self.sinks = Sinks()
        self.source, self._rate = source, rate
        self._left = None if duration is None else round(duration * rate)
        self.key: Callable[[], str] = lambda: NO_KEY
        self.ending = ending
        self._position = 0  # samples from the start of the source
        self._paused_for = 0  # samples that went by unheard
        self._looked = time.monotonic()
        self._silent = 0.0  # seconds without sound, as this session lived through them
        self.paused = False

    @property
    def backlog(self) -> float:
        """Seconds of sound that wait to be taken."""
        return self.source.backlog

    @property
    def seconds(self) -> float:
        """From the start of the source to the newest sound, heard or not."""
        return (self._position + self._paused_for) / self._rate

    def __iter__(self) -> Iterator[Block]:
        for block in self.source:
            for kept in self._unless_paused(block):
                self._show(kept)
                yield kept
            if self._done(block) or not self._obey():
                break
        if self._paused_for:
            self._show(self._pause())

    def _unless_paused(self, block: Block) -> Iterator[Block]:
        """What is left of a block, after a gap for the pause that it ends."""
        if isinstance(block, Gap):
            length = round(block.seconds * self._rate)
        else:
            block = block if self._left is None else block[: self._left]
            length = len(block)
        if self._left is not None:
            self._left -= length
        if self.paused:
            self._paused_for += length
            self.sinks.hear(NOTHING)
            return
        if self._paused_for:
            yield self._pause()
        yield block

    def _pause(self) -> Gap:
        """The pause that is over now."""
        pause = Gap(self._paused_for / self._rate, "paused")
        self._paused_for = 0
        return pause

    def _show(self, block: Block) -> None:
        if isinstance(block, Gap):
            self.sinks.gap(self.seconds, block)
            self._position += round(block.seconds * self._rate)
        else:
            self.sinks.hear(block)
            self._position += len(block)

    def _done(self, block: Block) -> bool:
        if self._left is None:
            return False
        # A source that is silent for good must not keep the session from ending. A process that
        # was stopped did not hear for itself that nothing came.
        now = time.monotonic()
        self._silent += min(now - self._looked, 2 * HEARTBEAT)
        self._looked = now
        if isinstance(block, Gap) or len(block):
            self._silent = 0.0
        silent = self._silent if self._silent > STALL_SECONDS else 0.0
        return self._left <= round(silent * self._rate)

    def _obey(self) -> bool:
        """Do what the user asks for; whether to go on."""
        key = self.key()
        if key == "q" or self.ending():
            return False
        if key == " ":
            self.paused = not self.paused
            self.sinks.pause(self.paused)
        elif key == "m":
            self.sinks.mark(self.seconds + self.source.behind)
        elif key == SUSPEND:
            self.sinks.suspend()
        elif key != NO_KEY:
            self.sinks.key(key)
        return True
