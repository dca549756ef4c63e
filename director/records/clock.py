"""The one spelling of a moment in records."""

from __future__ import annotations

import time


def now() -> str:
    """Return the current time as ISO 8601 in UTC, to the millisecond."""
    secs, millis = divmod(time.time_ns() // 1_000_000, 1000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(secs))}.{millis:03d}Z"
