"""Ending the command that works on a job, from another process.

Whose it is the lock says: which process holds it, and when that started. So no signal reaches a
process that has merely got the same id since.
"""

import signal
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from director.model.errors import RequestError
from director.processes.cancellation import DRAIN
from director.processes.other_process import other_process, wait_until_over
from director.records.events import Kind
from director.records.job_directory import Home, JobDirectory
from director.records.json_lines import read_lines
from director.records.known_jobs import all_jobs, job_called
from director.records.lock import Holder, has_open, is_held, read_holder


@dataclass(frozen=True)
class AtWork:
    """A command at work: the process, and the directories whose locks it holds."""

    holder: Holder
    directories: tuple[JobDirectory, ...]


class Ending(NamedTuple):
    """How a command ended that was told to.

    ``said`` is what it put on record of its end, if it got so far; ``in_order``: it gave its lock
    back, so it was not killed.
    """

    said: Mapping[str, Any]
    in_order: bool


def at_work(home: Home, job_id: str | None) -> AtWork | None:
    """Return the command that works on a job (None: on any job here); None: no command does.

    RequestError where several do and none is named.
    """
    if job_id is not None:
        found = _holders([job_called(home, job_id)])
    else:
        found = _holders([home.job]) or _holders([JobDirectory(home.bench), *all_jobs(home)])
    if len(found) > 1:
        names = "; ".join(str(one.holder) for one in found)
        raise RequestError(f"several commands are at work: {names}", "name one with --job")
    return found[0] if found else None


def _holders(directories: Iterable[JobDirectory]) -> list[AtWork]:
    """Return who holds the locks of these directories, each process once."""
    found: dict[tuple[int, int | None], AtWork] = {}
    for directory in directories:
        holder = read_holder(directory.lock) if is_held(directory.lock) else None
        if holder is None:
            continue
        key = (holder.pid, holder.started)
        known = found.get(key, AtWork(holder, ()))
        found[key] = AtWork(known.holder, (*known.directories, directory))
    return list(found.values())


def end(work: AtWork, *, drain: bool, given_up: Callable[[], bool]) -> Ending | None:
    """Tell a command to end, and wait until it has; None where ``given_up`` ended the wait.

    ``drain``: when the calls under way are over. RequestError where it cannot be told: it runs on
    another machine, is another user's, or was started by a version that does not say which process
    it is.
    """
    holder = work.holder
    before = {one.path: len(read_lines(one.events)) for one in work.directories}
    with other_process(holder.pid, lambda: _is_the_one(work)) as process:
        if process is None:
            if any(is_held(one.lock) for one in work.directories):
                raise RequestError(
                    f"cannot tell {holder} to end: {_why_not(holder)}", _by_hand(holder)
                )
            return Ending({}, in_order=True)  # it has ended by itself meanwhile
        try:
            process.send(DRAIN if drain else signal.SIGINT)
        except PermissionError:
            what = f"cannot tell {holder} to end: it is another user's"
            raise RequestError(what, "ask the user who started it") from None
        if not wait_until_over(process, given_up):
            return None
    ends = [
        line
        for one in work.directories
        for line in read_lines(one.events)[before[one.path] :]
        if line.get("kind") == Kind.STOPPED
    ]
    killed = any((left := read_holder(one.lock)) and left == holder for one in work.directories)
    return Ending(ends[-1] if ends else {}, not killed)


def _is_the_one(work: AtWork) -> bool:
    """Whether the process that is named is the one: any process may have written the file."""
    holder = work.holder
    return holder.is_alive and any(has_open(holder.pid, one.lock) for one in work.directories)


def _why_not(holder: Holder) -> str:
    import os

    if holder.host and holder.host != os.uname().nodename:
        return f"it runs on {holder.host}"
    if holder.is_alive:
        return "that process does not have the lock"
    return "it is not known which process it is"


def _by_hand(holder: Holder) -> str:
    where = f"on {holder.host}" if holder.host else "where it runs"
    return f"press ctrl-C {where}, or send SIGINT to process {holder.pid} there"
