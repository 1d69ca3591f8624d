"""What is in use in one place only."""

from __future__ import annotations

from typing import NoReturn

from live_ser.errors import InvalidArgument


class Unshared:
    """A base of classes whose objects hold running state, and are not copied or pickled."""

    def __reduce__(self) -> NoReturn:
        kind = type(self).__name__
        raise InvalidArgument(
            f"a {kind} is in use here: it can neither be copied nor sent to another process",
            "make one there; a `Model` can be sent",
        )
