"""All jobs whose records are here: the current one, archived ones, those of benches."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from director.model.errors import RequestError
from director.records import files
from director.records.job_directory import Home, JobDirectory

SHOWN = 10


def job_called(home: Home, job_id: str | None) -> JobDirectory:
    """Return the directory of a job (None: the current one); RequestError lists the known ones."""
    if job_id is None:
        return home.job
    known = {name: directory for directory in all_jobs(home) if (name := _id(directory))}
    if job_id in known:
        return known[job_id]
    close = get_close_matches(job_id, known, n=1)
    meant = f"did you mean {close[0]}? " if close else ""
    latest = sorted(known, reverse=True)
    more = f" and {len(latest) - SHOWN} more" if len(latest) > SHOWN else ""
    raise RequestError(
        f"there is no job {job_id} in {home.path}",
        f"{meant}known are: {', '.join(latest[:SHOWN]) or 'none'}{more}",
    )


def all_jobs(home: Home) -> Iterator[JobDirectory]:
    """Give the directories in which jobs are, or may be; the current one first."""
    places = [home.path, *(home.path / "jobs").glob("*")]
    for bench in (home.bench, *(home.bench / "jobs").glob("*")):
        for task in (bench, *(bench / "tasks").glob("*")):
            places += [task / "plan", *(task / "runs").glob("*")]
    return (JobDirectory(place, home.redactor) for place in places)


def _id(directory: JobDirectory) -> str | None:
    """Return the id of the job in a directory, or None where there is no plan to read."""
    try:
        found = (files.read_json(directory.plan) or {}).get("job_id")
    except RequestError:
        return None
    return found if isinstance(found, str) else None
