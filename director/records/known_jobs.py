"""All jobs whose records are here: the current one, archived ones, those of benches."""

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from director.model.naming import id_called
from director.records.job_directory import Home, JobDirectory
from director.records.worktrees_record import read_quietly


class Where(StrEnum):
    """Where the records of a job lie."""

    CURRENT = "current"  # in ``.director`` itself
    ARCHIVED = "archived"  # in ``.director/jobs/<id>``
    BENCH = "bench"  # below ``.director/bench``


class KnownJob(NamedTuple):
    """A job of the repository.

    ``bench`` is the folder of the bench that it belongs to, ``group`` that of the task of the bench
    (None: it belongs to none).
    """

    id: str
    directory: JobDirectory
    where: Where
    bench: Path | None = None
    group: Path | None = None

    @property
    def is_bench_plan(self) -> bool:
        """Whether the other jobs of its group begin at its tests, and read its objects."""
        return self.group is not None and self.directory.path == self.group / "plan"


def known_jobs(home: Home) -> list[KnownJob]:
    """Return all jobs, each once: the current one, then archived ones, then those of benches."""
    found: dict[str, KnownJob] = {}
    for one in _places(home):
        if one.id and _has_records(one.directory):
            found.setdefault(one.id, one)  # a kill may leave the current one in two places
    return list(found.values())


def job_called(home: Home, word: str | None) -> JobDirectory:
    """Return the directory of the job that ``word`` names (None: the current one).

    ``word`` is an id, or the beginning of one. RequestError lists the known ones where no job, or
    more than one, is meant.
    """
    return home.job if word is None else known_job(home, word).directory


def known_job(home: Home, word: str) -> KnownJob:
    """Return the job whose id is ``word``, or begins with it; RequestError as ``job_called``."""
    known = {one.id: one for one in known_jobs(home)}
    return known[id_called(word, sorted(known, reverse=True), "job")]


def all_jobs(home: Home) -> Iterator[JobDirectory]:
    """Give the directories in which jobs are, or may be; the current one first."""
    places = [home.path, *(home.path / "jobs").glob("*")]
    for bench in benches(home):
        places += [place for group in groups(bench) for place in _in_group(group)]
    return (JobDirectory(place, home.redactor) for place in places)


def benches(home: Home) -> list[Path]:
    """Return the folders in which benches are, or may be; that of the last one first."""
    return [home.bench, *sorted((home.bench / "jobs").glob("*/"))]


def _places(home: Home) -> Iterator[KnownJob]:
    yield KnownJob(_stored_id(home.job), home.job, Where.CURRENT)
    for name, directory in home.job.archived().items():
        if not name.startswith("."):  # one that is being removed
            yield KnownJob(name, directory, Where.ARCHIVED)
    for bench in benches(home):
        for group in groups(bench):
            for place in _in_group(group):
                directory = JobDirectory(place, home.redactor)
                yield KnownJob(_stored_id(directory), directory, Where.BENCH, bench, group)


def _has_records(directory: JobDirectory) -> bool:
    return directory.stage.exists() or directory.has_records()


def groups(bench: Path) -> list[Path]:
    """Return the folders of a bench in which a plan and its runs are, or may be."""
    return [bench, *sorted((bench / "tasks").glob("*/"))]


def _in_group(group: Path) -> list[Path]:
    return [group / "plan", *sorted((group / "runs").glob("[!.]*"))]


def _stored_id(directory: JobDirectory) -> str:
    """Return the id of the job in a directory; "" where there is none to read."""
    for record in (directory.stage, directory.plan):
        found = (read_quietly(record) or {}).get("job_id")
        if isinstance(found, str):
            return found
    return ""
