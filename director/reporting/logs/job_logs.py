"""Which logs a job has: read from its journal, its ledger, and the notes of calls under way."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path, PurePath
from typing import TypeVar

from director.model.roles import Role
from director.model.state import CallRecord
from director.records import json_lines
from director.records.call_notes import CallNote, noted_calls
from director.records.job_directory import JobDirectory
from director.records.ledger import read_calls
from director.records.logs import log_called
from director.reporting.logs.node_log import WORKERS, AttemptLog, CallLog, NodeLog, PlanLog

PLAN = "plan"
INTEGRATION = "integration"

Told = TypeVar("Told", bound=NodeLog)


def read_log(directory: JobDirectory, found: Told) -> Told:
    """Let ``found`` take in all that the records of a job tell of it, and return it."""
    for event in json_lines.read_lines(directory.events):
        found.take(event)
    _add_recorded(found, read_calls(directory.costs))
    name_logs(found, directory)
    return found


def read_logs(directory: JobDirectory, nodes: Iterable[str]) -> list[NodeLog]:
    """Return the logs of several nodes; the records are read once."""
    found = {node: NodeLog(node) for node in nodes}
    for event in json_lines.read_lines(directory.events):
        if one := found.get(str(event.get("node"))):
            one.take(event)
    for one in found.values():
        name_logs(one, directory)
    return [*found.values()]


def log_path(directory: JobDirectory, name: str) -> Path:
    """Return the log that a record names; whatever it says, it is in the folder of logs."""
    return log_called(directory.path, name)


def name_logs(found: NodeLog, directory: JobDirectory) -> None:
    """Give the calls whose end is on no record, with the log that their note names."""
    calls = [call for attempt in found.attempts for call in attempt.calls]
    nameless = [call for call in calls if not call.log]
    if not nameless:
        return
    known = {call.log for call in calls}
    notes = [one for one in noted_calls(directory.calls) if PurePath(one.log).name not in known]
    for call in nameless:
        meant = [one for one in notes if one.log and _is_of(one, call)]
        call.log = PurePath(meant[-1].log).name if meant else ""


def _is_of(note: CallNote, call: CallLog) -> bool:
    """Whether a note is that of a call, by its name."""
    if call.node is None:
        return "-tests-" not in note.name
    role = "tests" if call.role == Role.TEST_AUTHOR else call.role
    if note.name == f"{call.node}-{role}-{call.attempt}":
        return True
    workers = {f"{call.node}-{one}-{call.attempt}" for one in WORKERS}
    if call.works or role == "tests" or note.name in workers:
        return False
    return note.name.startswith(f"{call.node}-") and note.name.endswith(f"-{call.attempt}")


def _add_recorded(found: NodeLog, records: Iterable[CallRecord]) -> None:
    """Add the calls whose end only the ledger tells: a killed run made them."""
    known = {call.log for attempt in found.attempts for call in attempt.calls}
    for record in records:
        if PurePath(record.log).name not in known and _concerns(found, record):
            _add(found, record)


def _concerns(found: NodeLog, record: CallRecord) -> bool:
    if isinstance(found, PlanLog):
        return record.node is None or record.is_for_tests
    return record.node == found.node and not record.is_for_tests


def _add(found: NodeLog, record: CallRecord) -> None:
    number = 0 if isinstance(found, PlanLog) else record.attempt or 0
    attempt = found.attempt(number)
    if attempt is None:
        attempt = AttemptLog(number, record.role, record.model)
        found.attempts.append(attempt)
    asked = (record.node, record.role, "")
    begun = [one for one in attempt.calls if (one.node, one.role, one.log) == asked]
    call = begun[0] if begun else CallLog(record.role, record.model, record.node, record.attempt)
    if not begun:
        attempt.items.append(call)
    call.log = PurePath(record.log).name
    call.outcome = "completed" if record.ok else "cut short"
    call.cost, call.tokens = record.cost, record.tokens.total
