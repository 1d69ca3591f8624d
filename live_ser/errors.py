"""The exceptions that live-ser raises.

- LiveSerError
    - InvalidArgument
    - AudioError
    - DeviceError
    - ModelError
    - OutputError
    - MissingExtra
"""

from __future__ import annotations


class LiveSerError(Exception):
    """Base class of all exceptions that live-ser raises.

    A hint names arguments between backticks, as Python takes them: ```partial=True```. The command
    line replaces them by its options.

    Args:
        message: one line: what failed, and why.
        hint: one line: what to try; may be empty.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class InvalidArgument(LiveSerError):
    """An argument is invalid, or two arguments exclude each other."""


class AudioError(LiveSerError):
    """A recording cannot be read, is not sound, or is incomplete."""


class DeviceError(LiveSerError):
    """A microphone cannot be found or opened, or was disconnected."""


class ModelError(LiveSerError):
    """A model does not exist, cannot be loaded, or is not compatible."""


class OutputError(LiveSerError):
    """An output cannot be written."""


class MissingExtra(LiveSerError):
    """A package that an extra of live-ser installs is missing."""
