"""How the work of a command ended, on the record of the job that it worked on."""

from contextlib import suppress
from typing import Any, NamedTuple

from director.job.context import Workspace
from director.model.errors import DirectorError, ExitCode
from director.model.reason import Reason
from director.model.secrets import Redactor
from director.records.clock import now
from director.records.events import Event, Events, Kind, Listener, journal


class End(NamedTuple):
    """How a command ended: one line for what happened, one for what to do next.

    ``reason`` None: nothing was in the way, though a person may be waited for.
    """

    command: str
    reason: Reason | None
    what: str
    next_step: str
    exit_code: ExitCode


def tell_end(workspace: Workspace, end: End, also: Listener | None = None) -> None:
    """Tell the listeners, and the journal of the last job that was opened.

    ``also`` listens to that only. A command that was refused before it opened a job is no part of
    that job's story.
    """
    with suppress(DirectorError):  # no room for it: the end is what it is
        events = _events(workspace)
        (events.also(also) if also else events).emit(Kind.STOPPED, None, **_told(end))


def note_end(workspace: Workspace, end: End, redactor: Redactor) -> None:
    """Add the end to the journal of the last job that was opened: no listener, no lock."""
    opened = workspace.opened[-1:]
    for path in (one.directory.events for one in opened if one.directory.events.exists()):
        journal(path)(Event(Kind.STOPPED, now(), None, redactor.value(_told(end))))


def _told(end: End) -> dict[str, Any]:
    return {
        "command": end.command,
        "reason": end.reason,
        "what": end.what,
        "next": end.next_step,
        "exit_code": int(end.exit_code),
    }


def _events(workspace: Workspace) -> Events:
    """Return who is told; the job's records may have been removed meanwhile."""
    last = workspace.opened[-1] if workspace.opened else None
    return last.events if last and last.directory.events.exists() else workspace.events
