"""How the last command on a job ended: the end of ``events.jsonl``, which is never read whole."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from director.model.codec.decoding import decode
from director.model.codec.mistakes import MismatchError
from director.model.failure import Failure
from director.model.reason import Reason
from director.records import json_lines
from director.records.events import Kind
from director.records.job_directory import JobDirectory
from director.records.logs import recorded
from director.reporting.status.status import End, Gate

TAIL_BYTES = 2**18  # some hundred events: more than come between a run's last gates and its end
NOT_OF_THE_JOB = frozenset({Reason.LOCKED, Reason.USAGE})  # they ended before they touched it
ASIDE_COMMANDS = frozenset(
    {"verify", "clean", "bench", "land", "rebase"}
)  # they do not work on the job
ASIDE = frozenset(
    {Kind.NOTICE, Kind.PUBLISHED, Kind.LANDING_GATE, Kind.LANDED}
)  # a command that tells only these begins no work


class LastEvents(NamedTuple):
    """What the last events say. ``end`` None: not how the last command ended.

    ``at`` is the moment of the last one; ``gates`` are the integration gates of the last run.
    """

    end: End | None = None
    at: str = ""
    gates: tuple[Gate, ...] = ()
    damaged: int = 0


def read_last_events(directory: JobDirectory) -> LastEvents:
    """Return what the end of a job's journal says; RequestError when it cannot be read."""
    events, damaged = json_lines.read_last_lines(directory.events, TAIL_BYTES)
    end = None
    for event in events:
        end = _end_after(event, end)
    at = str(events[-1].get("ts", "")) if events else ""
    return LastEvents(end, at, tuple(_gates(events)), damaged)


def read_last_end(directory: JobDirectory, tail_bytes: int) -> LastEvents:
    """Return how the last command ended, and when the last event was told, from a few lines.

    ``tail_bytes``: so much of the journal is read at most. RequestError when it cannot be read.
    """
    at = ""
    for event in json_lines.read_backwards(directory.events, tail_bytes):
        at = at or str(event.get("ts", ""))
        if not _is_aside(event):
            return LastEvents(_end_after(event, None), at)
    return LastEvents(at=at)


def _is_aside(event: Mapping[str, Any]) -> bool:
    """Whether an event says nothing of how the last command on the job ended."""
    if event.get("kind") != Kind.STOPPED:
        return event.get("kind") in ASIDE
    return event.get("reason") in NOT_OF_THE_JOB or event.get("command") in ASIDE_COMMANDS


def _end_after(event: Mapping[str, Any], end: End | None) -> End | None:
    """Return how the last command had ended when ``event`` was told; None: it was at work."""
    kind, at = event.get("kind"), str(event.get("ts", ""))
    if kind == Kind.STOPPED:
        if _is_aside(event):
            return end
        # A run is over when it says so: that the command ended comes a moment later.
        return _stop(event, end.at if end else at)
    if kind in (Kind.RUN_ENDED, Kind.APPROVAL_NEEDED):
        return End(at=at)
    return end if kind in ASIDE else None


def _stop(event: Mapping[str, Any], at: str) -> End:
    code = event.get("exit_code")
    reason, what, next_step = (str(event.get(key) or "") for key in ("reason", "what", "next"))
    return End(reason, what, next_step, code if isinstance(code, int) else 0, at)


def _gates(events: Iterable[Mapping[str, Any]]) -> Iterable[Gate]:
    """Give the integration gates of the last run, and who turned them red."""
    found: dict[str, Gate] = {}
    for event in events:
        name = str(event.get("name", ""))
        match event.get("kind"):
            case Kind.RUN_STARTED:
                found = {}
            case Kind.INTEGRATION_GATE:
                found[name] = _gate(name, event)
            case Kind.BLAME if name in found:
                found[name] = found[name]._replace(
                    culprit=event.get("node"),
                    note=str(event.get("note") or ""),
                    red_before=event.get("red_before") is True,
                )
    return found.values()


def _gate(name: str, event: Mapping[str, Any]) -> Gate:
    command, verdict, reason, log = (
        str(event.get(key) or "") for key in ("command", "verdict", "reason", "log")
    )
    nodes = event.get("nodes")
    return Gate(
        name,
        command,
        verdict,
        reason,
        recorded(Path(log)) if log else "",  # an earlier version noted all of the path
        failure=_failure(event.get("failure")),
        nodes=tuple(map(str, nodes)) if isinstance(nodes, list) else (),
    )


def _failure(stored: object) -> Failure | None:
    try:
        return decode(Failure, stored) if stored else None
    except MismatchError:
        return None  # a line of another tool or version
