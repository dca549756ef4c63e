"""Where the work on a job is tested: worktrees of its repository, and gates that run in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from director.job.context import Materials
from director.job.provided import provisions_of
from director.job.site import Site, site_of
from director.model.errors import DirectorError, RequestError
from director.repositories.job_repository import JobRepository
from director.repositories.repository import Repository
from director.worktrees.gates import Gates
from director.worktrees.pool import Pool
from director.worktrees.pool_folders import pool_environment, pool_folder


@dataclass(frozen=True)
class Workplace:
    """A repository, its worktrees, and gates that see them as the configuration says."""

    site: Site
    repository: JobRepository
    gates: Gates
    pool: Pool


@dataclass(frozen=True)
class Place:
    """Where a workplace lies: its repository, and the record of its worktrees.

    ``open`` gives the repository, which commits as the user's repository, given to it, says.
    ``keeps``: prepared worktrees are kept for the next command of the job.
    """

    repository: Path
    record: Path
    open: Callable[[Repository], JobRepository]
    keeps: bool


@contextmanager
def open_workplace(materials: Materials, place: Place) -> Iterator[Workplace]:
    """Give a workplace; on the way out its worktrees go, or are kept for the next command.

    Those that a killed run left, or an earlier command kept, are taken over. Raises RequestError
    where the sandbox does not work, or the job branch holds what worktrees are provided with.
    """
    setting, config, logs = materials.setting, materials.config, materials.directory.logs
    env = pool_environment(config.launcher, setting.env)
    with pool_folder(place.record, env, materials.events) as folder:
        site = site_of(materials, place.repository, folder)
        repository = place.open(site.repository)
        gates = Gates(
            materials.processes,
            site.gate_env,
            logs,
            config.limits.node_timeout_secs,
            site.sandbox,
            materials.directory.redactor,
        )
        provisions = provisions_of(materials, repository, gates)
        pool = Pool(repository, folder, provisions, guarded=site.sandbox.mechanism is not None)
        with _keeping(pool, wanted=place.keeps):
            site.sandbox.try_out(materials.processes, site.gate_env, folder, logs)
            yield Workplace(site, repository, gates, pool)


@contextmanager
def _keeping(pool: Pool, *, wanted: bool) -> Iterator[None]:
    """Note what of the worktrees can be kept, when nothing works in them any more."""
    try:
        yield
    except RequestError:  # something is to be corrected, perhaps what setup needs
        pool.doubt()
        raise
    finally:
        with suppress(DirectorError, OSError):  # then they are removed
            pool.keep(wanted=wanted)
