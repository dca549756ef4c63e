"""Why an attempt or a gate failed, as records keep it and people read it."""

from typing import NamedTuple


class Failure(NamedTuple):
    """One failure. ``kind`` is the outcome of the attempt, or the verdict of the gate.

    ``command`` is the gate's ("": none was the reason), ``exit_code`` None where it was ended.
    ``headline`` is the one line that a person would quote, ``excerpt`` the lines around it.
    ``log`` is the output's file relative to the job's directory, ``candidate`` the ref of what
    failed, below ``refs/`` of the job repository; both "" where there is none. ``hint``: what the
    sandbox may have to do with it, and which setting decides ("": nothing is known).
    """

    kind: str
    command: str = ""
    exit_code: int | None = None
    headline: str = ""
    excerpt: str = ""
    log: str = ""
    candidate: str = ""
    hint: str = ""
