"""Moments of records as a person reads them: in local time, and how long ago."""

from __future__ import annotations

import time


def seconds_of(moment: str) -> float | None:
    """Return a moment of a record in seconds since 1970; None where it is none."""
    from datetime import datetime  # most screens of a job need no calendar

    try:
        return datetime.fromisoformat(moment).timestamp()
    except ValueError:
        return None


def local(moment: str, now: float) -> str:
    """Return the local time of a moment, with its date where that is not today; "": unknown."""
    secs = seconds_of(moment)
    if secs is None:
        return ""
    then, today = time.localtime(secs), time.localtime(now)
    same = (then.tm_year, then.tm_yday) == (today.tm_year, today.tm_yday)
    return time.strftime("%H:%M:%S" if same else "%Y-%m-%d %H:%M", then)


def since(moment: str, now: float) -> str:
    """Return the time since a moment as a clock would show it: 1:48, 1:02:11; – where unknown."""
    secs = seconds_of(moment)
    if secs is None:
        return "–"
    minutes, seconds = divmod(max(0, int(now - secs)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"
