"""Switching a job to what was built beside it: all of its records, and the branch, or none.

The records as they are to be lie in a folder. From the moment that ``rebasing.json`` is there they
count: the next command copies them to their places, however often that was begun before. Until
then nothing of the job has changed.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from director.model.codec.encoding import encode
from director.model.errors import DirectorError, RequestError, StoppedError
from director.processes.removal import NotRemovedError, discard
from director.records import files, json_lines
from director.records.job_directory import Home, JobDirectory
from director.records.lock import job_lock
from director.records.stored import read_stored
from director.repositories.job_repository import open_job_repository
from director.repositories.repository import BRANCH_PREFIX, Repository

RESTORE = "restore it, or remove it: the job then stands where its records say"
LINE = "rebase"  # the kind of a line of metrics.jsonl


class Switch(NamedTuple):
    """The content of ``rebasing.json``: since when, which job, from one base commit to another."""

    since: str
    job_id: str
    job_branch: str
    before: str
    base: str


def staged(directory: JobDirectory) -> JobDirectory:
    """Return the folder of the records as they are to be."""
    return JobDirectory(directory.rebasing, directory.redactor)


def building_branch(job_branch: str) -> str:
    """Return the branch of the job repository that is built beside a job's own."""
    return f"{job_branch}-rebasing"


def switch(directory: JobDirectory, user: Repository, intent: Switch) -> str | None:
    """Make the job be what was built; returns why the branch could not be published, or None.

    The caller holds the job's lock, and nothing of the job is open.
    """
    files.write_json(directory.switching, encode(intent))
    return _finish(directory, user, intent)


def finish_switches(home: Home, user: Repository) -> None:
    """Finish what a killed command began, for each job that no other process works on."""
    for place in (home.path, *(one.parent for one in home.path.glob("jobs/*/rebasing.json"))):
        directory = JobDirectory(place, home.redactor)
        if not directory.switching.exists():
            continue
        with suppress(StoppedError), job_lock(directory.lock, "director rebase"):
            if intent := read_switch(directory):
                _finish(directory, user, intent)


def read_switch(directory: JobDirectory) -> Switch | None:
    """Return the switch that is under way, if any; RequestError where its record is damaged."""
    intent = read_stored(Switch, directory.switching, RESTORE)
    if intent and not intent.job_branch.startswith(BRANCH_PREFIX):  # it is about to be moved
        what = f"{directory.switching} names {intent.job_branch}, which is no branch of director's"
        raise RequestError(what, RESTORE)
    return intent


@contextmanager
def unswitched(directory: JobDirectory) -> Iterator[None]:
    """See that what agents write while this is open begins no switch; the caller has the lock.

    Raises StoppedError where one is to be finished first.
    """
    refuse_pending(directory)
    try:
        yield
    finally:
        discard(directory.switching)


def refuse_pending(directory: JobDirectory) -> None:
    """Raise StoppedError where a switch is to be finished first."""
    if os.path.lexists(directory.switching):
        raise StoppedError("a rebase was cut short", "run the command again to finish it")


def discard_staged(directory: JobDirectory) -> None:
    """Remove what was built beside the job, where it is not switched to that."""
    with suppress(NotRemovedError):
        discard(directory.rebasing)


def _finish(directory: JobDirectory, user: Repository, intent: Switch) -> str | None:
    new = staged(directory)
    for old, ready in _records(directory, new):
        if ready.exists():  # else it was copied, and what is left of the folder is being removed
            files.write_bytes(old, ready.read_bytes())
    files.remove(directory.state_changes)
    _note(directory, intent)
    problem = _publish(directory, user, intent)
    discard_staged(directory)
    files.remove(directory.switching)
    return problem


def _records(old: JobDirectory, new: JobDirectory) -> tuple[tuple[Path, Path], ...]:
    names = ("plan", "sealed", "stage", "state", "receipts", "tips")
    return tuple((getattr(old, name), getattr(new, name)) for name in names)


def _note(directory: JobDirectory, intent: Switch) -> None:
    """Put into ``metrics.jsonl``, once, that runs before this were of another base."""
    line: Mapping[str, Any] = {"kind": LINE, "ts": intent.since, **intent._asdict()}
    if line not in json_lines.read_lines(directory.metrics):
        json_lines.append_line(directory.metrics, line, durable=True)


def _publish(directory: JobDirectory, user: Repository, intent: Switch) -> str | None:
    """Let both repositories have the branch where the journal says; what fails is tried again."""
    try:
        job = open_job_repository(directory.repository, user, intent.job_branch)
        job.forget_branch(building_branch(intent.job_branch))
        return job.publish()
    except DirectorError as error:  # the next command of the job raises it
        return error.what
