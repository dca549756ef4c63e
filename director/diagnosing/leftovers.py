"""What commands left that were killed, and what director takes of the disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from director.diagnosing.checkouts import remove_abandoned
from director.diagnosing.subject import Found
from director.model.diagnosis import Row, ok, warning
from director.model.format import counted, size
from director.processes.tree import marked
from director.records.job_directory import Home, JobDirectory
from director.records.known_jobs import all_jobs
from director.records.lock import is_held, read_holder
from director.records.worktrees_record import (
    kept_worktrees,
    noted_folder,
    read_quietly,
    was_killed,
)
from director.worktrees.pool_folders import (
    OWNER,
    pool_environment,
    used_bytes,
    worktrees_folder,
)

ABOUT = "leftovers"
RUN_AGAIN = "run the job's next command: it continues where the killed one was, and cleans up"


def leftovers(found: Found) -> Iterator[Row]:
    """Give what killed commands left, and who is at work now."""
    folder = worktrees_folder(pool_environment(found.settings.config.launcher, found.subject.env))
    remove_abandoned(folder)
    rows = [*_of_jobs(found.home), *_of_no_job(folder)]
    yield from rows
    if not rows:
        yield ok(ABOUT, "nothing left by a killed command: no lock, process or worktree")


def _of_jobs(home: Home) -> Iterator[Row]:
    for directory in (JobDirectory(home.bench), *all_jobs(home)):
        holder, held = read_holder(directory.lock), is_held(directory.lock)
        if held:
            yield ok("at work", str(holder or "a command that is just starting"))
            continue
        if holder:
            yield warning(ABOUT, f"{holder} was killed", RUN_AGAIN)
        if was_killed(directory.pool) and (folder := noted_folder(directory.pool)):
            said = f"a killed command left worktrees in {folder} ({size(used_bytes(folder))})"
            yield warning(ABOUT, said, RUN_AGAIN)
        job_id = (read_quietly(directory.stage) or {}).get("job_id")
        if job_id and (left := marked(f"{job_id}:")):
            named = ", ".join(map(str, left[:8]))
            yield warning(ABOUT, f"processes of job {job_id} still run: {named}", RUN_AGAIN)


def _of_no_job(folder: Path) -> Iterator[Row]:
    """Give the worktrees whose job is gone, of any repository: no command comes back to them."""
    for pool in sorted(folder.glob("job-*")) if folder.is_dir() else ():
        record = (read_quietly(pool / OWNER) or {}).get("record")
        if record and not Path(str(record)).exists() and not is_held(pool / "lock"):
            taken = size(used_bytes(pool))
            said = f"{pool} ({taken}) belongs to a job that no longer exists ({record})"
            yield warning(ABOUT, said, f"remove it: `rm -rf {pool}`; after a week director does")


def disk_use(found: Found) -> Row:
    """Return what the records and the prepared worktrees of the repository take."""
    home = found.home
    kept = [one for job in all_jobs(home) if (one := kept_worktrees(job.pool))]
    records = size(used_bytes(home.path))
    jobs = len([*(home.path / "jobs").glob("*/")]) if home.path.is_dir() else 0
    said = f"{records} of records in {home.path}"
    if jobs:
        said += f" ({counted(jobs, 'archived job')})"
    if kept:
        said += f", {size(sum(one.bytes for one in kept))} of prepared worktrees"
        said += " (`director clean` frees them)"
    return ok("disk use", said)
