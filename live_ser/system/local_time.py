"""The time on the user's clock."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """The time and its zone; UTC where the zone that is set is none."""
    try:
        return datetime.now().astimezone()
    except ValueError:
        return datetime.now(UTC)
