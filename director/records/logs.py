"""The logs of a job: what they are called, and how a new one is made.

Names say what a log is of, in order (``n1.2.agent.jsonl``): anybody can predict them, so a file
that is there already is never written to.
"""

from __future__ import annotations

import itertools
import os
from pathlib import Path

from director.model.patterns import lazy_pattern
from director.records.files import NEW, open_making_folder, os_errors_stop

FOLDER = "logs"
LONGEST = 150  # bytes of a name, of the 255 that file systems allow
_UNSAFE = lazy_pattern(r"[^\w.-]+")
_CALL = lazy_pattern(r"(?P<name>.*)\.agent(?P<again>(?:-\d+)?)\.jsonl")


def new_log(folder: Path, name: str, ending: str = ".log") -> Path:
    """Make an empty log for the owner only and return its path: ``name`` with ``ending``.

    What is no letter, digit, ``.``, ``_`` or ``-`` becomes ``-``. Where such a log is there already
    it is ``name-2`` and so on. Raises StoppedError where none can be made.
    """
    safe = _UNSAFE.sub("-", name).encode()[:LONGEST].decode(errors="ignore")
    for number in itertools.count(1):
        again = f"-{number}" if number > 1 else ""
        path = folder / f"{safe}{again}{ending}"
        if _made(path):
            return path
    raise AssertionError("unreachable")


def new_call_log(folder: Path, name: str) -> Path:
    """Make and return the log of the events of a call; its companion files are new as well."""
    while True:
        events = new_log(folder, f"{name}.agent", ".jsonl")
        if not any(map(os.path.lexists, (prompt_of(events), errors_of(events)))):
            return events


def prompt_of(events: Path) -> Path:
    """Return the file for the prompt of the call whose events are in ``events``."""
    if found := _CALL.fullmatch(events.name):
        return events.with_name(f"{found['name']}.prompt{found['again']}.md")
    return events.with_suffix(".prompt.md")  # as an earlier version called it


def errors_of(events: Path) -> Path:
    """Return the file for the standard error of the call whose events are in ``events``."""
    return events.with_suffix(".err")


def recorded(log: Path) -> str:
    """Return how records name a log: relative to the job's directory."""
    return f"{FOLDER}/{log.name}"


def log_called(job: Path, said: str) -> Path:
    """Return the log that a record of the job in the folder ``job`` names.

    An earlier version noted only a name, or all of the path, from where the job may have moved.
    """
    return job / FOLDER / Path(said).name


def _made(path: Path) -> bool:
    with os_errors_stop(path):
        try:  # nothing that is there is followed or opened, links included
            os.close(open_making_folder(path, NEW))
        except FileExistsError:
            return False
    return True
