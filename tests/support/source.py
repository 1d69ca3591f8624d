"""A source of live sound that gives blocks at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from live_ser.audio.blocks import Block, Voice


class BlockSource:
    """A :class:`~live_ser.audio.blocks.Source` of given blocks, which is never late.

    Args:
        rate: sample rate in Hz.
        blocks: the blocks.
    """

    name = "test"
    overflows = 0
    backlog = 0.0
    behind = 0.0
    message = ""
    notes: tuple[str, ...] = ()
    voices: tuple[Voice, ...] = ()

    def __init__(self, rate: int, blocks: Iterable[Block]) -> None:
        self.native_rate, self.blocks = rate, list(blocks)

    def __iter__(self) -> Iterator[Block]:
        return iter(self.blocks)
