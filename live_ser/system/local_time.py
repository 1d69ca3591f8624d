"""The local time."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """The local time with its zone; UTC if the zone is invalid."""
    try:
        return datetime.now().astimezone()
    except ValueError:
        return datetime.now(UTC)
