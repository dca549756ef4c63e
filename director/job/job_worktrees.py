"""The worktrees of a job, and what everything that runs in them finds there."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple

from director.agents.registry import (
    files_in_home,
    files_of_programs,
    key_variables,
    settings_of_users,
    state_folders,
)
from director.job.context import JobInputs
from director.job.import_check import ImportCheck
from director.model.config import Config
from director.model.errors import DirectorError, RequestError
from director.model.slots import slot_number
from director.processes.installed import named_in
from director.processes.launchers.launcher import Launcher, Part, Surroundings
from director.processes.launchers.registry import launcher_of
from director.processes.sandbox import Sandbox, choose_mechanism
from director.processes.sandbox_paths import JobPlaces, home_of, paths_in, sandbox_paths
from director.records.call_notes import written_places
from director.records.events import Kind
from director.records.files import make_folder, os_errors_stop
from director.repositories.filters import COMMANDS, Filters
from director.repositories.git_settings import freeze_settings
from director.repositories.job_repository import JobRepository
from director.repositories.repository import Repository
from director.repositories.users_checkout import users_checkout
from director.worktrees.gates import GateResult, Gates
from director.worktrees.pool import Pool
from director.worktrees.pool_folders import pool_environment, pool_folder
from director.worktrees.provisions import Provisions

BYTECODE = "PYTHONPYCACHEPREFIX"  # compiled code outside the worktree


class Site(NamedTuple):
    """What runs in the worktrees finds this: repository, sandbox, variables of gates and setup.

    ``repository`` is the user's, with the git configuration from before any agent ran.
    ``import_check`` refuses tests that do not import the worktree's code.
    """

    repository: Repository
    sandbox: Sandbox
    gate_env: Mapping[str, str]
    import_check: ImportCheck


def launcher_at(inputs: JobInputs, job: Path) -> Launcher:
    """Return the launcher for work on the job repository at ``job``; RequestError: there is none.

    Any that is made for the same job knows what the others have started.
    """
    workspace, label = inputs.workspace, inputs.processes.label
    found = Surroundings(label, workspace.env, workspace.repository.root, job)
    return launcher_of(inputs.config.launcher, found)


def site_of(inputs: JobInputs, job: Path, folder: Path) -> Site:
    """Return the site for worktrees in ``folder``, of the job repository at ``job``."""
    user, env = inputs.workspace.repository, inputs.workspace.env
    config, home = inputs.config, home_of(env)
    policy = config.sandbox
    settings = freeze_settings(user.git, home, folder / "notes" / "git")
    mechanism = choose_mechanism(policy, env)
    seen = config.env.of(env, key_variables(config))
    shown = {name: value for name, value in seen.items() if name != BYTECODE}
    checkout = users_checkout(user, shown, (home, folder.resolve()), paths_in(policy.read, home))
    kept = (user.root, user.common_dir, user.objects, job)
    paths = None
    if mechanism:
        own = state_folders(config.tiers.values())
        trusted = (
            *settings.sources,
            *settings.named,
            *_named_by(config, home),
            *files_of_programs(config, env),
            *settings_of_users(config, env, home),
        )
        places = JobPlaces(kept, folder, trusted, checkout, own, files_in_home(config))
        paths = sandbox_paths(policy, places, env)
    sandbox = Sandbox(policy, mechanism, paths, launcher_at(inputs, job))
    commands = {k: v for k, v in settings.everywhere.items() if COMMANDS.fullmatch(k)}
    filters = Filters(commands, sandbox, job, folder / "notes" / "filters")
    # Where these files are kept from everything else, tests find what they would find elsewhere.
    frozen = {} if mechanism else settings.variables
    gate_env, sources = {**shown, **frozen}, inputs.sources
    given = (*sources.roots, *sources.linked)
    check = ImportCheck(checkout, gate_env, bool(config.worktree.setup), given)
    return Site(user.reading(settings, filters), sandbox, gate_env, check)


def _named_by(config: Config, home: Path) -> Iterator[Path]:
    """Give the programs that the user's own commands name by their paths."""
    for command in (
        *config.notify.command,
        config.worktree.setup,
        *config.gates.values(),
    ):
        yield from named_in(command, home)


def provisions_of(inputs: JobInputs, job: JobRepository, gates: Gates) -> Provisions | None:
    """Return what worktrees are provided with, or None where nothing is.

    Raises RequestError when the job branch itself holds some of it.
    """
    policy, events = inputs.config.worktree, inputs.events

    def run_setup(worktree: Path, merged: bool) -> GateResult:
        # It is the user's command, but what it runs of a candidate is not the user's code yet.
        part = Part.SETUP if merged else Part.GATE
        name = f"setup.{worktree.name}" if merged else f"setup.{worktree.name}.candidate"
        slot, worktrees = slot_number(worktree), worktree.parent.name
        begins = f"setup of slot {slot} of {worktrees} begins: `{policy.setup}`"
        events.emit(Kind.NOTICE, message=begins, slot=slot, worktrees=worktrees)
        result = gates.run(policy.setup, worktree, name, part)
        events.emit(
            Kind.SETUP,
            slot=slot,
            worktrees=worktrees,
            command=result.command,
            verdict=result.verdict,
            reason=result.reason,
            wall_secs=round(result.wall_secs, 3),
            log=result.recorded_log,
        )
        return result

    job.submodules.leave_out(policy.link)
    withheld = inputs.config.env.withheld(inputs.workspace.env, key_variables(inputs.config))
    provisions = Provisions(policy, inputs.sources, job, run_setup, withheld)
    if not (policy.setup or provisions.names):
        return None
    provisions.refuse_tracked(job.tip())
    return provisions


class JobWorktrees(NamedTuple):
    """A job repository, its worktrees, and gates that see them as the configuration says."""

    site: Site
    repository: JobRepository
    gates: Gates
    pool: Pool


class WorktreesOptions(NamedTuple):
    """Where the job repository and the record of its worktrees lie, and what becomes of them.

    ``open`` takes the user's repository and returns the job's, which commits in the same name.
    ``keeps``: prepared worktrees are kept for the next command of the job. ``folder``: where they
    are to be made, and to stay, instead of the folder of the record (None).
    """

    repository: Path
    record: Path
    open: Callable[[Repository], JobRepository]
    keeps: bool
    folder: Path | None = None


@contextmanager
def open_worktrees(inputs: JobInputs, options: WorktreesOptions) -> Iterator[JobWorktrees]:
    """Give a job's worktrees; afterwards they go, or are kept for the next command.

    Those that a killed run left, or an earlier command kept, are taken over. Raises RequestError
    where the sandbox does not work, or the job branch holds what worktrees are provided with.
    """
    config, logs = inputs.config, inputs.directory.logs
    with _folder(inputs, options) as folder:
        site = site_of(inputs, options.repository, folder)
        repository = options.open(site.repository)
        gates = Gates(
            inputs.processes,
            site.gate_env,
            logs,
            config.limits.node_timeout_secs,
            site.sandbox,
            inputs.directory.redactor,
        )
        provisions = provisions_of(inputs, repository, gates)
        shares = site.sandbox.mechanism is not None and options.folder is None
        pool = Pool(repository, folder, provisions, guarded=shares)
        with _keeping(pool, wanted=options.keeps):
            site.sandbox.try_out(inputs.processes, site.gate_env, folder, logs)
            yield JobWorktrees(site, repository, gates, pool)


@contextmanager
def _folder(inputs: JobInputs, options: WorktreesOptions) -> Iterator[Path]:
    if options.folder:
        with os_errors_stop(options.folder):
            make_folder(options.folder)
        yield options.folder
        return
    env = pool_environment(inputs.config.launcher, inputs.workspace.env)
    held = partial(written_places, inputs.directory.calls)
    with pool_folder(options.record, env, inputs.events, held) as folder:
        yield folder


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
