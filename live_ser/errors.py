"""The one kind of error that live-ser raises on purpose."""

from __future__ import annotations


class LiveSerError(Exception):
    """Something could not be done, in words for the person who asked.

    Args:
        message: one line that says what could not be done, and why.
        hint: one line that says what to try; empty where there is nothing to say.
        exit_code: of the command line: 1 could not do it, 2 wrong usage.
    """

    def __init__(self, message: str, hint: str = "", exit_code: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.exit_code = exit_code
