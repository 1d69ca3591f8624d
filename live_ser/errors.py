"""The errors that live-ser raises on purpose."""

from __future__ import annotations


class LiveSerError(Exception):
    """Something could not be done, in words for the person who asked.

    Arguments that a hint names stand between backticks, as Python takes them: ```partial=True```.
    The command line shows its options in their place.

    Args:
        message: one line that says what could not be done, and why.
        hint: one line that says what to try; empty where there is nothing to say.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class InvalidArgument(LiveSerError):
    """An argument that cannot be, whatever is done with it, or two that do not go together."""


class AudioError(LiveSerError):
    """A recording that cannot be read, or is no sound, or not all of it."""


class DeviceError(LiveSerError):
    """A microphone that cannot be found or opened, or that went away."""


class ModelError(LiveSerError):
    """A model that is not there, cannot be loaded, or does not fit."""


class OutputError(LiveSerError):
    """An output that cannot be written."""


class MissingExtra(LiveSerError):
    """A package is missing that an extra of live-ser brings along."""
