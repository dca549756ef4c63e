"""The one spelling of a moment in records."""

from __future__ import annotations


def now() -> str:
    """Return the current time as ISO 8601 in UTC, to the millisecond."""
    from datetime import UTC, datetime  # who only reads records needs no clock

    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
